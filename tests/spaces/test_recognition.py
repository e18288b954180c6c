"""The way in which a column names its cells is the one in which every row can be read."""

import random
from itertools import product

import pytest

from ntknas import load_space
from ntknas.core.errors import DataError
from ntknas.spaces.naming import find, find_all, is_named

SPACE = load_space("nb201")
CELLS = random.Random(3).sample(range(len(SPACE)), 200)
EDGES = ("01", "02", "12", "03", "13", "23")
NASLIB_EDGES = ("01", "02", "03", "12", "13", "23")
NASLIB = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")
OFFICIAL = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")


def by_edge(cell):
    """Operations by edge, read off the architecture string by hand."""
    nodes = str(SPACE[cell]).split("+")
    return {
        f"{entry.rpartition('~')[2]}{target}": entry.rpartition("~")[0]
        for target, node in enumerate(nodes, start=1)
        for entry in node.strip("|").split("|")
    }


def naslib_digits(cell):
    return "".join(str(NASLIB.index(by_edge(cell)[edge])) for edge in NASLIB_EDGES)


def official_digits(cell):
    return "".join(str(OFFICIAL.index(by_edge(cell)[edge])) for edge in EDGES)


def transnas(cell):
    a, b, c, d, e, f = official_digits(cell)
    return f"64-41414-{a}_{b}{c}_{d}{e}{f}"


def row_name(row):
    return f"line {row + 2}"


WITHOUT_POOLING = [cell for cell in range(len(SPACE)) if "avg_pool_3x3" not in by_edge(cell).values()]
WRITTEN = {
    "index": (CELLS, str),
    "index with a point": (CELLS, float),
    "string": (CELLS, lambda cell: str(SPACE[cell])),
    "tuple": (CELLS, lambda cell: f"({', '.join(naslib_digits(cell))})"),
    "list": (CELLS, lambda cell: f"[{', '.join(naslib_digits(cell))}]"),
    "tuple without blanks": (CELLS, lambda cell: f"({','.join(naslib_digits(cell))})"),
    "TransNAS": (WITHOUT_POOLING[:300], transnas),
    "TransNAS, short": (WITHOUT_POOLING[:300], lambda cell: transnas(cell).removeprefix("64-41414-")),
}


@pytest.mark.parametrize("way", list(WRITTEN))
def test_every_way_names_its_cells(way):
    cells, write = WRITTEN[way]
    assert find_all(SPACE, [write(cell) for cell in cells], row_name) == cells
    assert is_named(SPACE, [write(cell) for cell in cells]) == (not way.startswith("index"))


def test_the_published_example_of_a_tuple():
    assert find(SPACE, "(4, 3, 3, 0, 0, 0)") == 0
    assert str(SPACE[0]) == (
        "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"
    )


def test_names_of_transnas_are_all_cells_without_pooling():
    names = ["64-41414-{}_{}{}_{}{}{}".format(*digits) for digits in product("0123", repeat=6)]
    assert sorted(find_all(SPACE, names, row_name)) == WITHOUT_POOLING
    assert len(WITHOUT_POOLING) == 4096


@pytest.mark.parametrize("cell", [7, 2631, 15_000])
def test_six_digits_are_refused_with_both_readings(cell):
    digits = naslib_digits(cell)
    other = next(other for other in range(len(SPACE)) if official_digits(other) == digits)
    with pytest.raises(DataError) as caught:
        find_all(SPACE, [digits, digits], row_name)
    message = str(caught.value)
    assert message.startswith(f"line 2: '{digits}' and all other rows can be read in 2 ways")
    assert f"as NASLib numbers them it is cell {cell} ({SPACE[cell]})" in message
    assert f"number them it is cell {other} ({SPACE[other]})" in message


def test_a_column_that_both_ways_read_as_the_same_cells_says_nothing_else():
    """0→1 is the same edge in both orders, and no digit but 4 the same operation."""
    assert find_all(SPACE, ["444444"], row_name) == [SPACE.index("(4, 4, 4, 4, 4, 4)")]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["(4, 3, 3, 0, 0, 0)", str(SPACE[1])], "line 3: .* is an architecture string, where .* line 2 is NASLib's t"),
        ([transnas(WITHOUT_POOLING[0]), "(4, 3, 3, 0, 0, 0)"], "line 3: .* is NASLib's tuple, where .* is a name of T"),
        (["1", "2", "64-41414-1_33_000"], "line 4: .* is no index, where '1' in line 2 is one: expected a column of"),
        (["64-41414-1_33_004"], "line 2: Not a NAS-Bench-201 cell"),
        (["64-31414-1_33_000"], "line 2: Not a NAS-Bench-201 cell"),
        (["(5, 0, 0, 0, 0, 0)"], "line 2: Not a NAS-Bench-201 cell"),
        (["15625"], "line 2: Cell index out of range"),
        (["403143", "403145"], r"line 2: Cell index out of range.* write \(4, 0, 3, 1, 4, 3\)"),
        (["", ""], "line 2: Not a NAS-Bench-201 cell"),
    ],
)
def test_one_row_that_is_written_otherwise_refuses_the_column(names, message):
    with pytest.raises(DataError, match=message):
        find_all(SPACE, names, row_name)


@pytest.mark.parametrize(
    ("space", "cells"),
    [("nats-sss", [0, 284, 32_767]), ("nb-macro", [0, 6315, 6560])],
)
def test_spaces_with_one_way_beside_the_index(space, cells):
    opened = load_space(space)
    assert find_all(opened, [str(opened[cell]) for cell in cells], row_name) == cells
    assert find_all(opened, cells, row_name) == cells
    assert is_named(opened, [str(opened[cell]) for cell in cells])
    assert not is_named(opened, cells)
