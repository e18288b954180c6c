"""What searching by a score finds, as a figure: its curves against searches that are carried out."""

import numpy as np
import pandas as pd
import pytest

import ntknas
from ntknas.report import correlation_figures, scatter_figures
from ntknas.report.plotter import render
from ntknas.report.search_figures import OTHERS, OWN, RANDOM, best_of_k

CELLS = np.arange(150)
ACCURACIES = pd.Series(60 + 30 * np.random.default_rng(0).random(150), CELLS, name="mine")


def _figure(scores, **options):
    return best_of_k(ntknas.correlate(pd.DataFrame(scores, CELLS), ACCURACIES, resamples=0, **options), "mine")


def test_every_measure_has_a_panel_with_a_random_search_and_the_optimum():
    scores = {"right": ACCURACIES.to_numpy(), "wrong": -ACCURACIES.to_numpy()}
    panels = {panel.title: panel for panel in _figure(scores).panels}
    assert list(panels) == ["right", "wrong"]
    lines = {name: {line.name: line for line in panel.lines} for name, panel in panels.items()}
    assert list(lines["right"]) == [OTHERS, RANDOM, OWN]
    assert lines["right"][OTHERS].behind
    np.testing.assert_array_equal(lines["right"][OTHERS].y, lines["wrong"][OWN].y)
    assert {panel.level for panel in panels.values()} == {ACCURACIES.max()}
    assert (lines["right"][OWN].y == ACCURACIES.max()).all()
    ascending = np.sort(ACCURACIES)
    wrong = lines["wrong"][OWN]
    np.testing.assert_array_equal(wrong.y, ascending[wrong.x.astype(int) - 1])
    assert lines["right"][RANDOM].y[[0, -1]] == pytest.approx([ACCURACIES.mean(), ACCURACIES.max()])
    assert list(lines["right"][OWN].x[:100]) == list(range(1, 101))
    assert lines["right"][OWN].x[-1] == 150


def test_counts_that_put_the_same_cells_first_share_a_panel():
    titles = [panel.title for panel in _figure({"own": np.arange(150.0)}, space="nb201").panels]
    assert "parameters = FLOPs" in titles
    assert not {"parameters", "FLOPs"} & set(titles)


def test_one_curve_that_begins_far_below_does_not_squash_the_others():
    rng = np.random.default_rng(1)
    scores = {f"m{number}": ACCURACIES + rng.normal(0, 1, 150) for number in range(19)}
    figure = _figure(scores | {"worst": -ACCURACIES})
    low, high = figure.panels[0].limits
    assert {panel.limits for panel in figure.panels} == {(low, high)}
    assert low > ACCURACIES.min() + 0.25 * (ACCURACIES.max() - ACCURACIES.min())
    assert high > ACCURACIES.max()


def test_a_score_of_ones_own_with_the_name_of_a_count_has_a_bar_of_its_own():
    scores = pd.DataFrame({"flops": np.arange(150.0)}, CELLS)
    bars = correlation_figures.bars(ntknas.correlate(scores, ACCURACIES, resamples=0, space="nb201"))
    assert "flops · yours" in bars.labels
    assert "parameters = FLOPs" in bars.labels
    assert [group.name for group in bars.groups] == ["mine"]


def test_without_a_score_there_is_no_figure():
    assert _figure({"none": np.full(150, np.nan)}) is None


@pytest.mark.parametrize("letters", [3, 30])
def test_panels_and_headings_stay_inside_the_picture(letters):
    figure = render(_figure({f"{number:0{letters}}": np.arange(150.0) * (-1) ** number for number in range(2)}))
    for axes in figure.axes:
        box = axes.title.get_window_extent()
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.x1
    inside = figure.legends[0].get_window_extent()
    assert inside.x0 >= 0
    assert inside.x1 <= figure.bbox.x1


def test_pictures_say_how_many_cells_each_score_has():
    few = np.where(CELLS < 40, np.arange(150.0), np.nan)
    result = ntknas.correlate(pd.DataFrame({"many": np.arange(150.0), "few": few}, CELLS), ACCURACIES, resamples=0)
    assert sorted(correlation_figures.bars(result).labels) == ["few (40 cells)", "many"]
    notes = {panel.x_label.split("\n")[0]: panel.note for panel in scatter_figures.scatter(result, "mine").panels}
    assert notes == {"few": "40 cells", "many": ""}
    assert [panel.title for panel in best_of_k(result, "mine").panels] == ["many", "few (40 cells)"]
