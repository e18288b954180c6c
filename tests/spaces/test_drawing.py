"""Drawings against what the cells are: paths found one by one, matrices, channels, digits."""

from itertools import combinations

import pytest

from ntknas import load_space
from ntknas.spaces.drawing import bends, drawing_of
from ntknas.spaces.nb201.drawing import WORDS
from tests.search import made

EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
PATHS = ([(0, 3)], [(0, 1), (1, 3)], [(0, 2), (2, 3)], [(0, 1), (1, 2), (2, 3)])


@pytest.mark.parametrize("index", [0, 1, 17, 8216, 9567, 4000, 15624])
def test_cells_of_nb201_have_their_operations_and_dead_edges(index):
    cell = load_space("nb201")[index]
    drawing = drawing_of(load_space("nb201"), index)
    assert [edge.operation for edge in drawing.edges] == [WORDS[operation] for operation in cell.operations]
    there = {ends for ends, operation in zip(EDGES, cell.operations, strict=True) if operation != "none"}
    live = {ends for path in PATHS if there.issuperset(path) for ends in path}
    assert {(edge.source, edge.target) for edge in drawing.edges if edge.is_live} == live
    assert {number for number, node in enumerate(drawing.nodes) if node.is_live} == {n for ends in live for n in ends}


def test_cells_of_nb101_have_their_matrix():
    space = load_space("nb101")
    for index in (0, 123456, 300000):
        cell, drawing = space[index], drawing_of(space, index)
        expected = {(x, y) for x, row in enumerate(cell.matrix) for y, edge in enumerate(row) if edge}
        assert {(edge.source, edge.target) for edge in drawing.edges} == expected
        assert len(drawing.nodes) == len(cell.matrix)
        assert all(node.operation for node in drawing.nodes[1:-1])


def test_chains_are_chains():
    configuration = drawing_of(load_space("nats-sss"), 284)
    widths = [int(node.name.split("\n")[1].split()[0]) for node in configuration.nodes]
    assert ":".join(map(str, widths)) == str(load_space("nats-sss")[284])
    space = load_space("nb-macro")
    key = drawing_of(space, space.index("00102021"))
    assert [node.is_live for node in key.nodes] == [True, False, True, False, True, True, True, True]
    assert [(edge.source, edge.target) for edge in key.edges] == [(n, n + 1) for n in range(7)]


@pytest.mark.parametrize(
    ("space", "options"), [("nb201", {"channels": 2}), ("nb-macro", {"channels": 2}), ("nb101", {"channels": 8})]
)
def test_parts_of_a_drawing_are_modules_of_the_network(space, options):
    loaded = load_space(space)
    network = loaded.build(loaded[1000], num_classes=10, seed=0, **options)
    paths = [f".{name}." for name, _ in network.named_modules()]
    parts = drawing_of(loaded, 1000).parts
    assert parts
    assert all(any(f".{part}." in path for path in paths) for part in parts)


def test_arcs_of_a_whole_graph_of_four_do_not_cross():
    placed = bends(EDGES)
    assert all((bend == 0) == (target - source == 1) for (source, target), bend in placed.items())
    for (a, b), (c, d) in combinations(sorted(placed), 2):
        interleave = a < c < b < d
        assert not (interleave and placed[a, b] * placed[c, d] > 0)


def test_a_space_without_drawings_has_none():
    assert drawing_of(made.SPACE, 0) is None
