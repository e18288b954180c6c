"""The picture of many targets: what stands where, and that it can be read."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from scipy import stats

import ntknas
from ntknas.benchmarks.quantity import Quantity
from ntknas.benchmarks.table import AccuracyTable
from ntknas.core.errors import ChoiceError
from ntknas.correlation import over_targets
from ntknas.report import overview_figures
from ntknas.report.plotter import render

CELLS = np.arange(400)
LATENCY = Quantity("latency", "ms", higher_is_better=False)


@pytest.fixture(scope="module")
def overview():
    """Two kinds of targets in turn, of two benchmarks; a measure of each, one of them with a gap, and a constant."""
    rng = np.random.default_rng(3)
    kinds = rng.standard_normal((2, len(CELLS)))
    targets = {}
    for number in range(20):
        values = kinds[number % 2] + 0.5 * rng.standard_normal(len(CELLS))
        is_latency = number % 4 == 0
        table = AccuracyTable(
            (-values if is_latency else values)[:, None], (0,), quantity=LATENCY if is_latency else Quantity()
        )
        targets[f"{'phones' if is_latency else 'clean'}:{'a' if number < 10 else 'b'}/t{number}"] = table
    few = np.full((len(CELLS), 1), np.nan)
    few[:50] = 1 + np.arange(50)[:, None]
    targets["clean:a/few"] = AccuracyTable(few, (0,))
    columns = {"first": kinds[0], "second": kinds[1], "opposite": -kinds[0], "constant": np.ones(len(CELLS))}
    scores = pd.DataFrame(columns, index=CELLS)
    scores.loc[:45, "second"] = np.nan
    return over_targets(scores, targets, measures=list(columns))


def test_like_targets_stand_together_under_short_names(overview):
    figure = overview_figures.over_targets(overview, "kendall")
    numbers = [int(row.split("t")[1].split()[0]) for row in figure.rows if "few" not in row]
    kinds = [number % 2 for number in numbers]
    assert len(numbers) == 20
    assert sum(np.diff(kinds) != 0) == 1
    assert "a t0 ↓" in figure.rows  # of a benchmark with two data sets
    assert set(figure.kinds) == {"phones", "clean"}
    assert "lower is better" in figure.note


def test_the_numbers_stand_beside_their_names(overview):
    figure = overview_figures.over_targets(overview, "spearman")
    (block,) = figure.blocks
    assert set(block.columns) == {"first", "second", "opposite"}  # a column without any value is none
    row, column = figure.rows.index("b t13"), list(block.columns).index("first")
    target, scores = overview.accuracies["clean:b/t13"].means, np.random.default_rng(3).standard_normal((2, 400))[0]
    assert block.values[row, column] == pytest.approx(stats.spearmanr(scores, target).statistic)


def test_the_tree_is_that_of_the_rows(overview):
    """Every fork stands on rows, or on forks between them, and like targets have low forks."""
    figure = overview_figures.over_targets(overview, "kendall")
    places, heights = figure.tree
    assert len(places) == len(figure.rows) - 1
    feet = {float(p) for p, h in zip(places[:, [0, 3]].ravel(), heights[:, [0, 3]].ravel(), strict=True) if h == 0}
    assert feet == set(map(float, range(len(figure.rows))))
    assert heights.max() <= 2


def test_a_drawing_that_can_be_read(overview):
    figure = ntknas.figures.over_targets(overview)
    assert isinstance(figure, Figure)
    tree, kinds, block, bar = figure.axes
    assert [label.get_text() for label in block.get_yticklabels()] == list(
        overview_figures.over_targets(overview, "kendall").rows
    )
    assert bar.get_ylabel() == r"Kendall's $\tau_b$"
    inches = block.get_window_extent().height / figure.dpi / len(overview.targets)
    points = block.get_yticklabels()[0].get_fontsize()
    assert points >= 7
    assert inches * 72 > points  # names do not touch
    low, high = block.images[0].get_clim()
    assert low == -high
    texts = [text.get_text() for text in block.texts]
    assert len(texts) == 3 * len(overview.targets)
    with pytest.raises(ChoiceError, match="Unknown statistic 'pearson'"):
        ntknas.figures.over_targets(overview, "pearson")


def test_one_target_has_no_tree(overview):
    name = "clean:a/t1"
    scores = pd.Series(np.random.default_rng(0).standard_normal(400), name="mine")
    one = over_targets(scores, {name: overview.accuracies[name].means})
    figure = overview_figures.over_targets(one, "kendall")
    assert figure.tree is None
    assert figure.rows == ["t1"]
    assert isinstance(render(figure), Figure)


def test_what_has_no_value_is_marked(overview):
    scores = pd.DataFrame({"whole": CELLS % 7, "part": np.where(CELLS < 50, np.nan, CELLS % 5)}, index=CELLS)
    few = overview.accuracies["clean:a/few"].means
    result = over_targets(scores, {"clean:a/few": few, "clean:a/all": pd.Series(CELLS * 1.0, CELLS)})
    figure = render(overview_figures.over_targets(result, "kendall"))
    assert [text.get_text() for text in figure.axes[2].texts].count("×") == 1
    assert "×: no value" in "".join(text.get_text() for text in figure.texts)
