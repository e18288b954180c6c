"""Cells by the names that people write, where architecture strings are digits as indices are."""

import numpy as np
import pytest

from ntknas import load_space
from ntknas.benchmarks import read_scores
from ntknas.core.errors import ChoiceError, DataError
from ntknas.spaces import Keyed
from ntknas.spaces.naming import find, find_all

LOST = "A key has 8 digits: if zeros in front of it were lost"


@pytest.fixture(scope="module")
def space():
    return load_space("nb-macro")


def rows(number):
    return f"row {number}"


def test_which_spaces_have_keys_of_digits():
    keyed = [name for name in ("nats-sss", "nb-macro", "nb101", "nb201") if isinstance(load_space(name), Keyed)]
    assert keyed == ["nb-macro"]


@pytest.mark.parametrize(("text", "cell"), [("22212220", 6477), ("00000012", 5), ("12", 12), ("0", 0), ("00000000", 0)])
def test_a_text_of_eight_digits_is_a_key_and_a_shorter_one_an_index(space, text, cell):
    assert find(space, text) == cell


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2221222", f"index out of range: expected 0 to 6560 for nb-macro, got 2221222. {LOST}"),
        ("222122200", f"index out of range.*got 222122200. {LOST}"),
        ("0012", f"Not an index: '0012'.*12, if it is one. {LOST}"),
        ("-2221222", "index out of range"),
        ("22212223", "Not a key of NAS-Bench-Macro: '22212223'"),
        ("6561", "index out of range"),
    ],
)
def test_what_is_neither(space, text, message):
    with pytest.raises(ChoiceError, match=message):
        find(space, text)


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        (["22212220", "00000012"], [6477, 5]),
        ([22212220, 11111111], [6477, 3280]),
        ([22212220.0, 11111111.0], [6477, 3280]),
        (["12", "6560", "0"], [12, 6560, 0]),
        (np.array([12, 111]).tolist(), [12, 111]),
    ],
)
def test_columns(space, column, cells):
    assert find_all(space, column, rows) == cells


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([22212220, 12220], f"row 1: '12220' is an index, where '22212220' in row 0 is none.*{LOST}"),
        ([12, 22212220], f"row 1: '22212220' is no index, where '12' in row 0 is one.*{LOST}"),
        ([2221222, 1222000], f"row 0: Cell index out of range.*{LOST}"),
        (["12", "00000012"], f"row 1: '00000012' is no index.*{LOST}"),
    ],
)
def test_a_column_that_lost_its_zeros_is_refused(space, column, message):
    """Among keys without their zeros a short one may be an index: nothing is guessed."""
    with pytest.raises(DataError, match=message):
        find_all(space, column, rows)


def test_a_users_table_by_keys(space, tmp_path):
    path = tmp_path / "scores.csv"
    path.write_text("arch,mine\n00000012,1.5\n22212220,2.5\n")
    assert read_scores(path, space)["mine"].to_dict() == {5: 1.5, 6477: 2.5}
    path.write_text("arch,mine\n12,1.5\n22212220,2.5\n")
    with pytest.raises(DataError, match=LOST):
        read_scores(path, space)


def test_other_spaces_read_digits_as_before():
    assert find(load_space("nb201"), "8216") == 8216
    with pytest.raises(ChoiceError, match=r"got 430143. If these are six operations as NASLib numbers them"):
        find(load_space("nb201"), "430143")
    with pytest.raises(ChoiceError, match=r"index out of range: expected 0 to 15624 for nb201, got 22212220\.$"):
        find(load_space("nb201"), "22212220")
