"""Scores that guide a search: of stores, of every cell of a network, combined, and computed as they are asked for."""

import numpy as np
import pandas as pd
import pytest

import ntknas
from ntknas.core.choices import Choices
from ntknas.core.errors import ChoiceError
from ntknas.data import Request
from ntknas.scoring import NetworkOptions, Recipe
from ntknas.search import computed_score, known_scores

SPACE = ntknas.load_space("nb201")
SMALL = NetworkOptions(channels=2, cells_per_stage=1)
PROBE = ntknas.make_probe("digits", 6, Request(image_size=8))


def recipe(*measures, **choices):
    return Recipe("tiny", Choices(**choices), SMALL, measures)


def test_cells_of_one_network_have_one_score_of_a_kernel():
    cells = (0, 17, 8216)
    scores = ntknas.score("nb201", cells, recipe=recipe("cond", "naswot"), probe=PROBE).frame
    (cond,) = known_scores(["cond"], SPACE, scores)
    by_network = {SPACE.representative(cell, "weights", "none"): cell for cell in cells}
    own = scores[scores["measure"] == "cond"].set_index("cell")["value"]
    for cell in range(len(SPACE)):
        alike = by_network.get(SPACE.representative(cell, "weights", "none"))
        if alike is None:
            assert np.isnan(cond.values[cell])
        else:
            assert cond.values[cell] == pytest.approx(-own[alike])  # lower is better
    (naswot,) = known_scores(["naswot"], SPACE, scores)
    assert np.isfinite(naswot.values).sum() == len(cells)  # branches without a path count there


def test_counts_and_combinations_are_of_all_cells():
    table = pd.DataFrame({"mine": np.arange(100.0)}, index=pd.Index(range(100), name="cell"))
    count, both = known_scores(["effective_parameters", "rank(mine) + rank(effective_parameters)"], SPACE, table)
    assert count.values[[0, 8216]].tolist() == [SPACE.structure(cell).effective_parameters for cell in (0, 8216)]
    ranks = pd.Series(count.values[:100]).rank() + pd.Series(range(1, 101))
    np.testing.assert_allclose(both.values[:100], ranks)
    assert np.isnan(both.values[100:]).all()


def test_a_score_that_was_taken_in_two_ways_is_asked_for():
    frames = [
        ntknas.score("nb201", (0, 17), recipe=recipe("trace", batch_norm=policy), probe=PROBE).frame
        for policy in ("frozen", "eval")
    ]
    both = pd.concat(frames, ignore_index=True)
    both.attrs = {"settings": frames[0].attrs.get("settings", {}) | frames[1].attrs.get("settings", {})}
    with pytest.raises(ChoiceError, match="trace was scored in 2 ways: .*Choose one by"):
        known_scores(["trace"], SPACE, both)
    with pytest.raises(ChoiceError, match="Unknown score 'tace'"):
        known_scores(["tace"], SPACE, both)


def test_what_is_asked_for_is_computed_once_and_kept(tmp_path):
    counted = []
    options = {"store": tmp_path / "mine.h5", "recipe": recipe("cond"), "probe": PROBE}
    cond = computed_score("cond", SPACE, on_scored=counted.append, **options)
    first = cond.of([0, 17])
    again = cond.of([17, 0, 8216])
    assert again[:2].tolist() == first[::-1].tolist()
    assert counted == [2, 1]
    stored = ntknas.load_store(tmp_path / "mine.h5").set_index("cell")["value"]
    assert again.tolist() == pytest.approx([-stored[cell] for cell in (17, 0, 8216)])
    resumed = computed_score("cond", SPACE, **options)
    assert resumed.of([8216]).tolist() == [again[2]]
    assert len(ntknas.load_store(tmp_path / "mine.h5")) == 3


def test_a_derived_measure_is_of_all_cells():
    with pytest.raises(ChoiceError, match="made of the scores of all cells"):
        computed_score("az_nas", SPACE)
