"""Counts that a table of scores carries are taken as they are, for networks of their size alone."""

from copy import deepcopy

import pandas as pd
import pytest

import ntknas
from ntknas.correlation.counts import Counts, NetworkSize
from ntknas.published import Release
from ntknas.search.known import known_scores
from ntknas.spaces.known_counts import KnownCounts

SPACE = ntknas.load_space("nb201")
OFFICIAL = NetworkSize.official(SPACE)
MADE_UP = KnownCounts("nb201", pd.DataFrame({"flops": [1, 2], "live_layers": [3, 4]}, index=[7, 284]))


def test_known_counts_are_not_taken_again():
    counts = Counts(OFFICIAL, known=MADE_UP)
    assert counts.of("flops", [284, 7, 284]).tolist() == [2, 1, 2]
    assert counts.of("live_layers", [7]).tolist() == [3]


def test_what_is_not_known_is_counted():
    counts, own = Counts(OFFICIAL, known=MADE_UP), Counts(OFFICIAL)
    assert counts.of("flops", [7, 9]).tolist() == [1, own.of("flops", [9])[0]]
    assert counts.of("parameters", [7]) == own.of("parameters", [7])
    assert counts.of("live_layers", [9, 284]).tolist() == [own.of("live_layers", [9])[0], 4]
    assert counts.of("effective_flops", [7, 9]).tolist() == own.of("effective_flops", [7, 9]).tolist()


@pytest.mark.parametrize(
    "size",
    [NetworkSize("nb201", 32, 100, 16, 5), NetworkSize("nb201", 32, 10, 4, 1), NetworkSize("nb101", 32, 10, 16, 5)],
)
def test_counts_of_another_size_or_space_are_not_used(size):
    assert Counts(size, known=MADE_UP).of("flops", [7]) == Counts(size).of("flops", [7])


def test_a_count_of_one_user_is_not_another_s():
    first, second = (Counts(OFFICIAL, known=MADE_UP) for _ in range(2))
    first.of("flops", [9])
    assert 9 not in MADE_UP.of("flops")
    assert second.of("flops", [9]) == Counts(OFFICIAL).of("flops", [9])


def test_tables_that_carry_them_are_copied_and_joined():
    table = pd.DataFrame({"value": [1.0]})
    table.attrs["counts"] = MADE_UP
    assert deepcopy(table.attrs)["counts"] is MADE_UP
    assert pd.concat([table.copy(), table[:0]]).attrs["counts"] is MADE_UP


@pytest.mark.parametrize("theirs", ["mine", {"flops": 3}, None])
def test_what_a_user_keeps_under_that_name_is_none(theirs):
    table = pd.DataFrame({"value": [1.0]})
    table.attrs["counts"] = theirs
    assert KnownCounts.carried_by(table) is None
    assert KnownCounts.carried_by(None) is None


def test_a_search_takes_the_counts_that_scores_carry():
    frame = Release.open("nb201").frame("recommended", measures="cond", cells=[7, 284])
    MADE_UP.go_with(frame)
    (flops,) = known_scores(["flops"], SPACE, frame)
    assert flops.values[[7, 284, 9]].tolist() == [1, 2, Counts(OFFICIAL).of("flops", [9])[0]]


def test_published_scores_correlate_as_if_their_cells_were_counted():
    cells = range(0, 15625, 60)
    carried, bare = (Release.open("nb201").frame("recommended", cells=cells) for _ in range(2))
    assert isinstance(bare.attrs.pop("counts"), KnownCounts)
    accuracies = ntknas.load_benchmark("nb201")
    tables = [ntknas.correlate(frame, accuracies, resamples=20).frame() for frame in (carried, bare)]
    pd.testing.assert_frame_equal(*tables)
    assert {"flops", "effective_flops"} <= set(tables[0]["measure"])
