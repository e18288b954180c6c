"""The pictures of ``ntknas correlate`` as data: order, twins, labels, ranges, pages; and that ticks can be read."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

import ntknas
from ntknas.report import correlation_figures, scatter_figures
from ntknas.report.figures import BarGroup, Bars
from ntknas.report.look import PAPER, SCREEN
from ntknas.report.pages import pages
from ntknas.report.plotter import render
from ntknas.report.scatter_figures import scale_of
from tests.correlation.stores import NB201, TRAINING, fill

RNG = np.random.default_rng(4)
CELLS = np.arange(200, 320)
ACCURACY = pd.Series(90 - 5 * RNG.gamma(1.0, 1.0, len(CELLS)), CELLS)
SCORES = pd.DataFrame(
    {
        "worse": RNG.normal(size=len(CELLS)),
        "better": ACCURACY + RNG.normal(0, 1, len(CELLS)),
        "cond": np.exp(RNG.normal(8, 2, len(CELLS))),
        "neg_cond": 0.0,
        "lambda_min": 1e-7 * (1 + RNG.random(len(CELLS))),
        "nothing": 1.0,
    },
    CELLS,
)
SCORES["neg_cond"] = -SCORES["cond"]
TARGETS = {"first": ACCURACY, "second": ACCURACY.sample(frac=1, random_state=1).set_axis(CELLS)}


@pytest.fixture(scope="module")
def result():
    return ntknas.correlate(SCORES, TARGETS, resamples=200, space="nb201", lower_is_better=["cond"])


@pytest.fixture(scope="module")
def bars(result):
    return correlation_figures.bars(result)


def test_bars_are_sorted_over_all_targets_and_what_has_no_value_is_last(bars):
    means = np.mean([group.values for group in bars.groups], axis=0)
    assert np.isnan(means[-1])
    assert bars.labels[-1] == "nothing"
    assert all(earlier >= later for earlier, later in pairwise(means[:-1]))


def test_scores_that_rank_all_cells_alike_are_one_bar(result, bars):
    assert "parameters = FLOPs" in bars.labels
    assert [label for label in bars.labels if "cond" in label] == ["cond"]
    assert len(set(bars.labels)) == len(bars.labels)
    rows = {
        tuple(np.round([group.values[place] for group in bars.groups], 12)) for place in range(len(bars.labels) - 1)
    }
    assert len(rows) == len(bars.labels) - 1
    assert len(bars.labels) < len(result.of_target("first"))


def test_each_target_has_a_panel_of_its_own_with_one_bar_a_row(result, bars):
    assert bars.is_apart
    assert [group.name for group in bars.groups] == ["first", "second"]
    figure = render(bars)
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert len(panels) == 2
    assert all(len(axes.patches) == len(bars.labels) for axes in panels)
    tops = [[round(patch.get_y() + patch.get_height() / 2, 9) for patch in axes.patches] for axes in panels]
    assert tops[0] == tops[1] == list(range(len(bars.labels)))[::-1]  # on their ticks


def test_baselines_are_told_apart_and_explained(bars):
    figure = render(bars)
    told = [text.get_text() for text in figure.legends[0].get_texts()] if figure.legends else []
    grey = {
        bar.get_facecolor()
        for bar, label in zip(figure.axes[0].patches, bars.labels, strict=True)
        if label in bars.muted
    }
    others = {
        bar.get_facecolor()
        for bar, label in zip(figure.axes[0].patches, bars.labels, strict=True)
        if label not in bars.muted
    }
    assert bars.muted
    assert len(grey) == 1
    assert not grey & others
    assert bars.muted_name in told


def test_intervals_and_axes_end_where_a_correlation_does(bars):
    for group in bars.groups:
        assert np.nanmin(group.low) >= -1
        assert np.nanmax(group.high) <= 1
    for axes in render(bars).axes:
        low, high = axes.get_xlim()
        assert low >= -1
        assert high <= 1


@pytest.mark.parametrize("is_apart", [True, False])
def test_a_tau_of_zero_does_not_look_missing(is_apart):
    values, none = np.array([0.0, np.nan, 0.5]), np.full(3, np.nan)
    bars = Bars("t", "x", ["zero", "none", "half"], [BarGroup("", values, none, none)], is_apart=is_apart)
    axes = render(bars).axes[0]
    assert [0.0, 0.5] in [list(line.get_xdata()) for line in axes.get_lines() if line.get_marker() == "|"]
    assert [text.get_text().strip() for text in axes.texts] == ["no value"]


def test_ceilings_do_not_hide_one_another():
    one = np.array([0.5, 0.2])
    groups = [BarGroup(name, one, one, one, 0.9) for name in ("a", "b")]
    apart = render(Bars("t", "x", ["r", "s"], groups, is_apart=True))
    for axes in apart.axes:
        assert [text.get_text().split() for text in axes.texts] == [["noise", "ceiling", "0.90"]]
    together = render(Bars("t", "x", ["r", "s"], groups))
    pieces = [path.vertices for lines in together.axes[0].collections for path in lines.get_paths()]
    spans = sorted((min(piece[:, 1]), max(piece[:, 1])) for piece in pieces if np.allclose(piece[:, 0], 0.9))
    assert len(spans) == 4
    assert all(first[1] <= second[0] + 1e-9 for first, second in pairwise(spans))


def test_axes_of_clouds_say_what_they_are(result):
    grid = scatter_figures.scatter(result, "first")
    assert grid.y_label.startswith("first")
    for panel in grid.panels:
        name, direction = panel.x_label.split("\n")
        assert name
        assert "better" in direction
        assert name not in ("higher is better", "lower is better")
    labels = [panel.x_label.split("\n")[0] for panel in grid.panels]
    assert len(set(labels)) == len(labels)
    arrows = {panel.x_label.split("\n")[0]: panel.x_label.split("\n")[1] for panel in grid.panels}
    assert arrows["cond"].startswith(r"$\leftarrow$")
    assert arrows["better"].endswith(r"$\rightarrow$")


def overlaps(labels):
    boxes = sorted(
        (label.get_window_extent() for label in labels if label.get_text()), key=lambda box: (box.x0, box.y0)
    )
    return [(a, b) for a, b in pairwise(boxes) if a.x1 > b.x0 and a.y1 > b.y0 and b.y1 > a.y0]


def shown_ticks(axis):
    low, high = sorted(axis.get_view_interval())
    ticks = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    return [tick.label1 for tick in ticks if tick.label1.get_visible()]


@pytest.mark.parametrize("style", [SCREEN, PAPER], ids=lambda style: style.name)
def test_ticks_of_clouds_do_not_collide(result, style):
    (first, *_) = pages(scatter_figures.scatter(result, "first"))
    figure = render(first, style)
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert len(panels) == len(first.panels)
    for axes in panels:
        assert len(shown_ticks(axes.xaxis)) >= 2, axes.get_xlabel()
        assert overlaps(shown_ticks(axes.xaxis)) == [], axes.get_xlabel()
        box = axes.xaxis.label.get_window_extent()
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.x1
    neighbours = sorted((label for axes in panels[: style.columns] for label in shown_ticks(axes.xaxis)), key=id)
    assert overlaps(neighbours) == []


def test_a_few_cells_do_not_squash_the_rest():
    most = RNG.normal(90, 1, 100)
    assert scale_of(most) == "linear"
    assert scale_of(np.append(most, [10.0, 10.1, 12])) == "rank"
    assert scale_of(np.exp(np.linspace(0, 9, 50))) == "log"
    assert scale_of(-np.exp(np.linspace(0, 9, 50))) == "negative log"
    assert scale_of(np.append(np.exp(np.linspace(0, 0.1, 90)), 1e12)) == "rank"
    assert scale_of(np.ones(5)) == scale_of(np.array([])) == "linear"
    scores = pd.Series(np.arange(103.0), name="mine")
    result = ntknas.correlate(scores, pd.Series(np.append(most, [10.0, 10.1, 12]), name="made"), resamples=0)
    grid = scatter_figures.scatter(result, "made")
    assert grid.y_scale == "rank"
    assert grid.y_label.endswith("spaced by rank")
    axes = render(grid).axes[0]
    heights = np.sort(axes.collections[0].get_offsets()[:, 1])
    assert np.ptp(np.diff(heights)) < 1e-9  # evenly spaced
    told = [label.get_text() for label in axes.get_yticklabels()]
    assert told[0] == "10"
    assert float(told[-1]) == pytest.approx(most.max(), rel=1e-2)


def test_of_very_many_cells_the_density_is_drawn():
    cells = np.arange(3000)
    scores = pd.Series(RNG.normal(size=3000), cells, name="mine")
    result = ntknas.correlate(scores, pd.Series(RNG.normal(80, 1, 3000), cells, name="made"), resamples=0)
    figure = render(scatter_figures.scatter(result, "made"))
    cloud, bar = figure.axes
    assert bar.get_ylabel() == "cells"
    assert int(cloud.collections[0].get_array().sum()) == 3000


def test_many_epochs_are_pages_of_twelve_panels(tmp_path):
    fill(tmp_path / "s.h5", ("trace", "cond", "lga", "cka"), range(100, 130))
    for epoch in (1, 2, 4):
        measures = ("trace", "cond", "lga", "cka")
        fill(
            tmp_path / "s.h5",
            measures,
            range(100, 130),
            fields=NB201 | TRAINING | {"epoch": epoch, "init": f"i{epoch}"},
        )
    benchmark = ntknas.load_benchmark("nb201", dataset="cifar10-valid")
    result = ntknas.correlate(ntknas.load_store(tmp_path / "s.h5"), benchmark, resamples=0)
    grid = scatter_figures.scatter(result, "cifar10-valid/valid/200")
    assert all(len(page.panels) <= 12 for page in pages(grid))
    assert "CIFAR-10" in grid.title
    assert "cifar10-valid/valid/200" not in grid.title + grid.y_label


def test_the_setting_stands_below(tmp_path):
    fill(tmp_path / "s.h5", ("trace",), range(100, 130))
    benchmark = ntknas.load_benchmark("nb201", dataset="cifar10-valid")
    result = ntknas.correlate(ntknas.load_store(tmp_path / "s.h5"), benchmark, resamples=0)
    for figure in (
        correlation_figures.bars(result),
        scatter_figures.scatter(result, "cifar10-valid/valid/200"),
    ):
        assert "batch norm" in figure.setting
        assert "seed" in figure.setting
