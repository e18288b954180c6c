"""The pictures of tracks and of the card of sensitivity, as data: ranges, orders, small multiples, words."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from ntknas.benchmarks.quantity import ACCURACY
from ntknas.correlation.estimate import Estimate
from ntknas.correlation.sensitivity import BASE, Agreement
from ntknas.report import sensitivity_figures, tracking_figures
from ntknas.report.pages import pages
from ntknas.report.plotter import render
from ntknas.report.text import Formula
from ntknas.report.words import (
    kernels_in_words,
    measure_in_words,
    seeds_in_words,
    settings_in_words,
    targets_in_words,
)
from ntknas.store import Setting
from ntknas.tracking.bins import averages
from ntknas.tracking.quantities import QUANTITIES, range_of
from tests.correlation.stores import NB201

BINS = ("10.0–50.0 %", "50.0–80.0 %", "80.0–90.0 %", "90.0–95.0 %")
STEPS = (0, 5, 10)


def value(quantity, cell, step):
    low, high = range_of(quantity)
    share = np.random.default_rng([cell, step, *quantity.encode()]).random()
    near = min(high, 3.0) - (min(high, 3.0) - max(low, 0.0)) * 0.4 * share**6  # most of it at the upper end
    return float(near if step else min(high, 3.0))


def frame():
    rows = [
        {"bin": BINS[cell // 3], "cell": cell, "seed": 0, "step": step, "quantity": quantity}
        | {"value": value(quantity, cell, step)}
        for cell in range(12)
        for step in STEPS
        for quantity in QUANTITIES
    ]
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def by_bin():
    return tracking_figures.by_bin(averages(frame(), QUANTITIES), 5, "title")


def test_bands_stay_within_the_range_of_what_they_bound(by_bin):
    found = averages(frame(), QUANTITIES)
    touched = 0
    for quantity, rows in found.groupby("quantity"):
        low, high = range_of(str(quantity))
        assert (rows["low"].dropna() >= low).all(), quantity
        assert (rows["high"].dropna() <= high).all(), quantity
        assert (rows["low"].dropna() <= rows["mean"][rows["low"].notna()]).all()
        assert (rows["high"].dropna() >= rows["mean"][rows["high"].notna()]).all()
        touched += int((rows["high"] == high).sum())
    assert touched > 4  # without the range they would pass it
    for panel in by_bin.panels:
        for line in panel.lines:
            assert np.all(line.low[np.isfinite(line.low)] <= line.y[np.isfinite(line.low)])


def test_bins_are_in_order_in_name_and_colour(by_bin):
    assert by_bin.ordered
    assert [[line.name for line in panel.lines] for panel in by_bin.panels] == [list(BINS)] * len(QUANTITIES)
    assert all(panel.y_label for panel in by_bin.panels)
    figure = render(by_bin)
    colours = [line.get_color() for line in figure.axes[0].get_lines()[:4]]
    brightness = [sum(int(colour[start : start + 2], 16) for start in (1, 3, 5)) for colour in colours]
    assert brightness == sorted(brightness)
    assert len({axes.get_ylabel() for axes in figure.axes if axes.get_visible()}) == len(QUANTITIES)


def test_cells_are_small_multiples_by_quantity_and_bin():
    table = frame()
    tracks = [
        SimpleNamespace(
            cell=cell,
            series=lambda quantity, cell=cell: table[
                (table["cell"] == cell) & (table["quantity"] == quantity)
            ].set_index("step")["value"],
        )
        for cell in range(12)
    ]
    figure = tracking_figures.by_cell(tracks, {cell: BINS[cell // 3] for cell in range(12)}, 5, "title")
    assert figure.columns == 4
    assert len(figure.panels) == 4 * len(QUANTITIES)
    for page in pages(figure):
        assert len(page.panels) <= 12
    for number, panel in enumerate(figure.panels):
        assert panel.title == f"accuracy {BINS[number % 4]}"
        assert bool(panel.y_label) == (number % 4 == 0)
        assert [line.behind for line in panel.lines] == [True] * 9 + [False] * 3
        assert panel.limits == figure.panels[number - number % 4].limits
    (own,) = {line.name for line in figure.panels[0].lines if not line.behind}
    drawn = render(pages(figure)[0])
    assert [text.get_text() for text in drawn.legends[0].get_texts()][-1] == own


AGREEMENTS = [
    Agreement(
        variation, measure, 20, Estimate(with_base, with_base - 0.2, 1.0), Estimate(accuracy, accuracy - 0.3, 0.9)
    )
    for measure in ("cond", "lga")
    for variation, with_base, accuracy in [(BASE, 1.0, 0.6), ("batch-norm eval", 0.2, 0.1), ("seed 1", 0.8, 0.5)]
]


def test_the_card_has_intervals_and_what_it_is_about():
    card = sensitivity_figures.card(AGREEMENTS, "CIFAR-10", "Kernel of summed logits.")
    assert card.labels == ["no change", "batch norm: eval", "seed: 1"]
    assert [panel.title for panel in card.panels] == ["condition number", "LGA"]
    for panel in card.panels:
        with_base, with_accuracy = panel.series
        assert panel.level == 0.6
        np.testing.assert_allclose(with_accuracy.values, [0.6, 0.1, 0.5])
        np.testing.assert_allclose(with_accuracy.low, [0.3, -0.2, 0.2])
        np.testing.assert_allclose(with_base.values[1:], [0.2, 0.8])
        assert np.isnan(with_base.values[0])  # a ranking agrees with itself, which says nothing
    assert card.setting.startswith("Before the change: kernel of summed logits.")
    figure = render(card)
    assert len(figure.legends[0].get_texts()) == 2
    assert all(axes.get_xlim()[1] <= 1 for axes in figure.axes)


def test_a_card_without_accuracies_has_one_series_and_no_legend():
    bare = [Agreement(item.variation, item.measure, item.n, item.with_base, None) for item in AGREEMENTS]
    card = sensitivity_figures.card(bare)
    assert [len(panel.series) for panel in card.panels] == [1, 1]
    assert [panel.level for panel in card.panels] == [None, None]
    assert render(card).legends == []


def test_words():
    assert measure_in_words("lambda_3") == Formula(r"$\lambda_{3}$")
    assert measure_in_words("rank(a)+b_c") == "rank(a)+b c"
    assert seeds_in_words([2, 0, 1]) == "seeds 0 to 2"
    assert seeds_in_words([0, 3]) == "seeds 0 and 3"
    assert seeds_in_words([7]) == "seed 7"
    assert seeds_in_words([]) == ""
    names = ["a:cifar10/test/200", "b:cifar10/test/200", "cifar100/valid/12", "mine"]
    words = targets_in_words(dict.fromkeys(names, ACCURACY))
    assert words == {
        "a:cifar10/test/200": "a:cifar10/test/200",  # in words they would be called alike
        "b:cifar10/test/200": "b:cifar10/test/200",
        "cifar100/valid/12": "CIFAR-100, validation accuracy after 12 epochs",
        "mine": "mine",
    }
    assert kernels_in_words(["sum/frozen/weights", "sum/eval/weights"])["sum/eval/weights"] == "eval batch norm"


def test_settings_in_words_say_what_all_share():
    one = Setting.from_fields(NB201 | {"probe_source": "digits"})
    other = Setting.from_fields(NB201 | {"probe_source": "digits", "batch_norm": "eval", "channels": 4})
    text = settings_in_words([one], [0])
    assert text == (
        "Kernel of summed logits, frozen batch norm, of the weights; networks of 16 channels and 5 cells per stage; "
        "probe: 8 images of handwritten digits, 32×32 pixels; seed 0."
    )
    both = settings_in_words([one, other])
    assert "frozen" not in both
    assert "channels" not in both
    assert "5 cells per stage" in both
    assert settings_in_words([]) == ""
