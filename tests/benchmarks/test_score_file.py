"""A user's own scores: how a file of them is read, and what is said of one that is not as it should be."""

import math

import numpy as np
import pytest

from ntknas import load_space
from ntknas.benchmarks import read_scores
from ntknas.core.errors import DataError
from tests.benchmarks.test_cell_columns import naslib_tuple

SPACE = load_space("nb201")


def _read(tmp_path, text, *arguments, **options):
    (tmp_path / "mine.csv").write_text(text)
    return read_scores(tmp_path / "mine.csv", SPACE, *arguments, **options)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("index", lambda cell: cell),
        ("cell", lambda cell: f'"{SPACE[cell]}"'),
        ("net", lambda cell: f'"{naslib_tuple(cell)}"'),
        ("index,net_str,net", lambda cell: f'{cell},"{SPACE[cell]}","{naslib_tuple(cell)}"'),
    ],
)
def test_every_other_column_of_numbers_is_a_score(tmp_path, header, name):
    rows = [f"{name(cell)},{value},x,{-value}" for cell, value in ((7, 0.5), (3, 1.5), (9, -2))]
    scores = _read(tmp_path, "\n".join([f"{header},a,remark,b c", *rows]))
    assert list(scores) == ["a", "b c"]
    assert scores["a"].to_dict() == {7: 0.5, 3: 1.5, 9: -2.0}
    assert (scores["b c"] == -scores["a"]).all()
    (note,) = scores.attrs["notes"]
    assert note.endswith("mine.csv: column 'remark' holds no numbers, and is taken for no score.")


def test_empty_and_infinite_entries_are_scores_without_a_value(tmp_path):
    scores = _read(tmp_path, "index,a,b\n0,,1\n1,2,nan\n2,3,inf\n3,-inf,2\n")
    np.testing.assert_array_equal(scores["a"], [math.nan, 2, 3, -math.inf])
    np.testing.assert_array_equal(scores["b"], [1, math.nan, math.inf, 2])


def test_numbers_that_stand_for_a_failure(tmp_path):
    text = "index,a,b\n0,-1e8,0.5\n1,2,-1\n2,3,-1e8\n3,4,9\n"
    scores = _read(tmp_path, text, missing=[-1e8, -1])
    np.testing.assert_array_equal(scores["a"], [math.nan, 2, 3, 4])
    np.testing.assert_array_equal(scores["b"], [0.5, math.nan, math.nan, 9])
    assert [note.partition(": ")[2] for note in scores.attrs["notes"]] == [
        "scores that are -1e+08, which stands for none (`missing`): 2.",
        "scores that are -1, which stands for none (`missing`): 1.",
    ]


@pytest.mark.parametrize(
    ("values", "is_odd"),
    [
        ([-1e8, 2, 3, 4, -1e8], True),
        ([9999, 1, 2, 3, 4], True),
        ([-1, -1, 0.5, 3, 0], True),
        ([-1, -2, 3, 4, 5], False),
        ([1000, 11, 12, 13, 14], False),
        ([1e6, 1.5e5, 1, 2, 3], False),
        ([123456, 1, 2, 3, 4], False),
        ([-1e8, 1e8, 5, 6, 7], False),
        ([10, 0, 0, 0, 0.01], False),
    ],
)
def test_a_number_far_from_all_others_is_pointed_at(tmp_path, values, is_odd):
    text = "\n".join(["index,a", *(f"{cell},{value}" for cell, value in enumerate(values))])
    assert len(_read(tmp_path, text).attrs["notes"]) == is_odd


def test_some_of_the_scores(tmp_path):
    text = "index,a,b,constant,broken\n0,1,2,5,x\n1,2,4,5,1\n"
    scores = _read(tmp_path, text, ["b", "a", "trace"])
    assert list(scores) == ["a", "b"]
    assert scores.attrs["not_taken"] == ["constant", "broken"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("index,a\n0,1\n1,x\n", "mine.csv, line 3: expected a number in column 'a', got 'x'"),
        ("index,a\n0,1\n1,1_000\n", "line 3: expected a number in column 'a', got '1_000'"),
        ("index,a\n0,3\n1,3\n2,\n", "mine.csv: column 'a' ranks nothing: its 2 scores are all 3"),
        ("index,a\n0,\n1,nan\n", "mine.csv: column 'a' holds no score: of its 2 values none is a number"),
        ("index,a,b\n0,inf,1\n1,inf,2\n", "column 'a' holds no score: of its 2 values none is a number"),
        ("index,a\n0,1\n0,2\n", "holds cell 0 more than once, in line 2 and line 3"),
        ("index,a\n15625,1\n", "mine.csv, line 2, column 'index': Cell index out of range"),
        ("cell,a\nnothing,1\n", "line 2, column 'cell': Not a NAS-Bench-201 cell"),
        (f"index,cell,a\n5,{SPACE[5]},1\n6,{SPACE[8]},2\n", r"line 3: its columns name different cells: .* 6 .* 8 "),
        ("index,name\n0,x\n1,y\n", "mine.csv: it has no column of scores: column 'name' holds no numbers"),
        ("index,,\n0,0,1\n", "it has 2 columns named ''"),
        ("index\n0\n", "it has no column of scores: beside index it has nothing"),
        ("place,a\n0,1\n", "it names no cells"),
        ("index;a\n0;1\n", "expected commas between columns, not semicolons"),
        ("index\ta\n0\t1\n", "expected commas between columns, not tabs"),
        ("index,a\n", "holds no rows"),
        ("", "not a CSV file"),
    ],
)
def test_files_that_are_not_what_they_should_be(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        _read(tmp_path, text)


def test_a_failure_that_leaves_no_score(tmp_path):
    with pytest.raises(DataError, match="column 'a' holds no score"):
        _read(tmp_path, "index,a\n0,-1\n1,-1\n", missing=[-1])
    with pytest.raises(DataError, match="none of the scores c: beside index it has a, b"):
        _read(tmp_path, "index,a,b\n0,1,2\n1,2,3\n", ["c"])


def test_a_column_without_a_name_numbers_the_rows(tmp_path):
    """As spreadsheets and pandas write it."""
    scores = _read(tmp_path, ",index,a\n0,5,1.5\n1,7,2.5\n")
    assert list(scores) == ["a"]
    assert "one column has no name, and is taken for no score" in scores.attrs["notes"][0]


def test_an_archive_of_arrays(tmp_path):
    np.savez(tmp_path / "mine.npz", index=[4, 8], a=[1.5, np.nan], b=np.array([3, 5]))
    scores = read_scores(tmp_path / "mine.npz", SPACE)
    np.testing.assert_array_equal(scores, [[1.5, 3], [np.nan, 5]])
    assert list(scores.index) == [4, 8]


def test_the_thirteen_proxies_of_nas_bench_suite_zero(test_data):
    path = test_data / "targets" / "nb_suite_zero" / "nb201_zc_proxies.csv"
    scores = read_scores(path, SPACE)
    assert scores.shape == (9445, 13)
    (note,) = scores.attrs["notes"]
    assert (
        "-1e+08 is far from every other score of its column (in so many rows: epe_nas 1, jacov 1, nwot 1, zen 1)"
        in note
    )
    clean = read_scores(path, SPACE, missing=[-1e8])
    assert clean.isna().sum().to_dict() == {name: int(name in ("epe_nas", "jacov", "nwot", "zen")) for name in clean}
    assert list(clean.index[clean["zen"].isna()]) == [1651]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_in_another_encoding(tmp_path, encoding):
    (tmp_path / "mine.csv").write_text("index,a\n0,1\n", encoding=encoding)
    with pytest.raises(DataError, match="it is no text in UTF-8: save it as CSV in UTF-8"):
        read_scores(tmp_path / "mine.csv", SPACE)


def test_one_column_and_one_number_may_stand_alone(tmp_path):
    (tmp_path / "mine.csv").write_text("index,one,on\n0,1,2\n1,2,3\n2,-1,5\n")
    scores = read_scores(tmp_path / "mine.csv", SPACE, "one", missing=-1)
    assert list(scores) == ["one"]
    assert scores["one"].isna().tolist() == [False, False, True]
