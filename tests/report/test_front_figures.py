"""The picture of a trade-off: lines below which cells dominate, in the targets' own values and directions."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import ntknas
from ntknas.benchmarks import AccuracyTable
from ntknas.benchmarks.quantity import Quantity
from ntknas.core.errors import ChoiceError
from ntknas.correlation import trade_offs
from ntknas.report import front_figures

RNG = np.random.default_rng(5)
CELLS = range(40)
ACCURACY = RNG.normal(80, 5, 40).round(1)
OTHER = RNG.gamma(3, 2, 40).round(1)
SCORES = pd.DataFrame({"a": RNG.normal(size=40), "b": ACCURACY, "c": ACCURACY * 2}).rename_axis("cell")


def made(*, higher_is_better=False, accuracy=ACCURACY):
    quantity = Quantity("latency", "ms", higher_is_better, "phone")
    targets = {"clean": pd.Series(accuracy), "other": AccuracyTable(OTHER[:, None], (0,), quantity=quantity)}
    return trade_offs(SCORES, targets, resamples=0)


def is_below(line, x, y, *, lower_is_better):
    """Whether a point is dominated by a corner of a line."""
    return any(b >= y and (a <= x if lower_is_better else a >= x) for a, b in line)


@pytest.mark.parametrize("higher_is_better", [False, True])
def test_a_line_is_attained_by_its_points_alone(higher_is_better):
    result = made(higher_is_better=higher_is_better)
    figure = front_figures.fronts(result, "measured")
    assert figure.x_label.startswith("other: latency (ms) on phone, ")
    assert figure.cells.tolist() == [[x, y] for x, y in zip(OTHER, ACCURACY, strict=True)]
    sign = 1 if higher_is_better else -1
    for x, y in zip(OTHER, ACCURACY, strict=True):
        assert is_below(figure.front, x, y, lower_is_better=not higher_is_better)
    for panel in figure.panels:
        points = {tuple(point) for point in panel.chosen}
        for x, y in panel.line:
            beyond = [p for p in points if sign * p[0] > sign * x and p[1] > y]
            assert not beyond
            assert any(sign * p[0] >= sign * x and p[1] >= y for p in points)
        assert np.all(np.diff(panel.line[:, 1]) >= 0)
        assert np.all(sign * np.diff(panel.line[:, 0]) <= 0)
        steps = np.diff(panel.line, axis=0)
        assert np.all((steps == 0).any(axis=1))


def test_scores_that_choose_the_same_cells_share_a_panel():
    titles = [panel.title for panel in front_figures.fronts(made(), "measured").panels]
    assert titles == ["a", "b, c"]
    (panel,) = (panel for panel in front_figures.fronts(made(), "measured").panels if panel.title == "b, c")
    assert "1.00 of the front" in panel.note


def test_the_band_lies_between_two_lines():
    result = made()
    for panel in front_figures.fronts(result, "measured").panels:
        for x, y in panel.band_low:
            assert is_below(panel.band_high, x, y, lower_is_better=True)


def test_a_few_cells_that_do_not_train_do_not_take_the_view():
    accuracy = ACCURACY.copy()
    accuracy[0] = 10.0
    figure = front_figures.fronts(made(accuracy=accuracy), "measured")
    assert figure.y_view[0] > 50
    assert figure.y_view[1] > accuracy.max()
    assert front_figures.fronts(made(), "measured").y_view[0] < ACCURACY.min()


def test_it_is_drawn_for_a_program_too():
    assert isinstance(ntknas.figures.fronts(made(), "measured"), Figure)
    with pytest.raises(ChoiceError, match="Unknown stand-in 'flops'"):
        ntknas.figures.fronts(made(), "flops")
