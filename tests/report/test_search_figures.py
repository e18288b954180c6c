"""What searching by a score finds, as a figure: its curves against searches that are carried out."""

import numpy as np
import pandas as pd
import pytest

import ntknas
from ntknas.report import correlation_figures
from ntknas.report.plotter import render
from ntknas.report.search_figures import RANDOM, best_of_k

CELLS = np.arange(150)
ACCURACIES = pd.Series(60 + 30 * np.random.default_rng(0).random(150), CELLS, name="mine")


def _figure(scores, **options):
    return best_of_k(ntknas.correlate(pd.DataFrame(scores, CELLS), ACCURACIES, resamples=0, **options), "mine")


def test_every_measure_has_its_curve_beside_a_random_search_and_the_optimum():
    scores = {"right": ACCURACIES.to_numpy(), "wrong": -ACCURACIES.to_numpy()}
    (panel,) = _figure(scores).panels
    lines = {line.name: line for line in panel.lines}
    assert list(lines) == ["right", "wrong", RANDOM]
    assert panel.level == ACCURACIES.max()
    assert (lines["right"].y == ACCURACIES.max()).all()
    ascending = np.sort(ACCURACIES)
    np.testing.assert_array_equal(lines["wrong"].y, ascending[lines["wrong"].x.astype(int) - 1])
    assert lines[RANDOM].y[[0, -1]] == pytest.approx([ACCURACIES.mean(), ACCURACIES.max()])
    assert list(lines["right"].x[:100]) == list(range(1, 101))
    assert lines["right"].x[-1] == 150


def test_counts_that_put_the_same_cells_first_have_one_curve():
    figure = _figure({"own": np.arange(150.0)}, space="nb201")
    names = [line.name for panel in figure.panels for line in panel.lines]
    assert "parameters" in names
    assert "flops" not in names


def test_a_score_of_ones_own_with_the_name_of_a_count_has_a_bar_of_its_own():
    scores = pd.DataFrame({"flops": np.arange(150.0)}, CELLS)
    bars = correlation_figures.bars(ntknas.correlate(scores, ACCURACIES, resamples=0, space="nb201"))
    assert bars.labels[0] == "flops · yours"
    assert {"flops", "parameters"} < set(bars.labels[1:])
    assert [group.name for group in bars.groups] == ["mine"]


def test_many_measures_are_drawn_in_frames_of_six():
    rng = np.random.default_rng(1)
    figure = _figure({f"m{number}": rng.random(150) for number in range(8)})
    assert [[line.name for line in panel.lines] for panel in figure.panels] == [
        [*(f"m{number}" for number in range(6)), RANDOM],
        ["m6", "m7", RANDOM],
    ]
    assert [panel.title for panel in figure.panels] == ["m0 to m5", "m6 to m7"]


def test_without_a_score_there_is_no_figure():
    assert _figure({"none": np.full(150, np.nan)}) is None


@pytest.mark.parametrize("letters", [3, 12, 30])
def test_the_legend_stays_inside_the_picture(letters):
    figure = render(_figure({f"{number:0{letters}}": np.arange(150.0) * (-1) ** number for number in range(14)}))
    figure.draw_without_rendering()
    inside = figure.legends[0].get_window_extent()
    assert inside.x0 >= 0
    assert inside.x1 <= figure.bbox.x1


def test_a_long_legend_leaves_the_panels_their_height():
    """With as much height as before, 30 long names would squeeze the panels until labels of two rows meet."""
    figure = render(_figure({f"{number:030}": np.arange(150.0) * (-1) ** number for number in range(30)}))
    figure.draw_without_rendering()
    labels = [axes.yaxis.label.get_window_extent() for axes in figure.axes if axes.get_ylabel()]
    assert len(labels) == 2
    assert labels[0].y1 <= figure.bbox.y1
    assert labels[1].y1 < labels[0].y0
    assert min(axes.get_window_extent().height for axes in figure.axes) > figure.dpi


def test_pictures_say_how_many_cells_each_score_has():
    few = np.where(CELLS < 40, np.arange(150.0), np.nan)
    result = ntknas.correlate(pd.DataFrame({"many": np.arange(150.0), "few": few}, CELLS), ACCURACIES, resamples=0)
    assert correlation_figures.bars(result).labels == ["many", "few (40)"]
    notes = {panel.title: panel.note for panel in correlation_figures.scatter(result, "mine").panels}
    assert notes["few"].endswith(", 40 cells")
    assert "cells" not in notes["many"]
    (panel,) = best_of_k(result, "mine").panels
    assert [line.name for line in panel.lines] == ["many", "few (40)", RANDOM]


def test_a_frame_of_one_curve_is_named_after_it():
    figure = _figure({f"m{number}": np.random.default_rng(number).random(150) for number in range(7)})
    assert [panel.title for panel in figure.panels] == ["m0 to m5", "m6"]
