"""Which cells are one step apart, against slow readings of the same rules."""

from itertools import combinations, permutations, product

import pytest

from ntknas import load_space
from ntknas.core.errors import ChoiceError
from ntknas.spaces import CellSpace
from ntknas.spaces.nb101.cells import OPERATIONS, canonical
from ntknas.spaces.neighbourhood import has_neighbours, neighbours

POSITIONAL = {"nb201": 24, "nats-sss": 35, "nb-macro": 16}
"""Number of neighbours of every cell: (choices − 1) × positions."""


@pytest.mark.parametrize("name", POSITIONAL)
def test_neighbours_by_position_differ_in_one_choice(name):
    space = load_space(name)
    for cell in range(0, len(space), len(space) // 7):
        own = space.positions(space[cell])
        near = neighbours(space, cell)
        assert len(near) == len(set(near)) == POSITIONAL[name]
        for other in near:
            different = [a != b for a, b in zip(own, space.positions(space[other]), strict=True)]
            assert sum(different) == 1
            assert cell in neighbours(space, other)


@pytest.mark.parametrize("name", POSITIONAL)
def test_positions_lead_back_to_the_cell(name):
    space = load_space(name)
    cells = range(0, len(space), 997)
    assert [space.at_positions(space.positions(space[cell])) for cell in cells] == list(cells)
    assert all(max(space.positions(space[cell])) < len(space.choices[0]) for cell in cells)


def test_nb201_has_the_neighbours_of_its_architecture_strings():
    space = load_space("nb201")
    text = str(space[6111])
    parts = [part.split("~")[0] for part in text.replace("+", "").split("|") if "~" in part]
    names = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]
    expected = set()
    for place, name in product(range(6), names):
        if name != parts[place]:
            a, b, c, d, e, f = [*parts[:place], name, *parts[place + 1 :]]
            expected.add(space.index(f"|{a}~0|+|{b}~0|{c}~1|+|{d}~0|{e}~1|{f}~2|"))
    assert set(neighbours(space, 6111)) == expected


def slow_steps(cell):
    """Every cell one step away, as canonical forms: over all numberings, each entry of the matrix flipped."""
    size = len(cell.matrix)
    edges = {(x, y) for x, y in product(range(size), repeat=2) if cell.matrix[x][y]}
    found = set()
    for place, name in product(range(size - 2), OPERATIONS):
        operations = [*cell.operations[:place], name, *cell.operations[place + 1 :]]
        found.add(canonical(cell.matrix, tuple(operations)))
    for order in permutations(range(1, size - 1)):
        new = {0: 0, size - 1: size - 1} | {vertex: number for number, vertex in enumerate(order, start=1)}
        renumbered = {(new[x], new[y]) for x, y in edges}
        if any(x > y for x, y in renumbered):
            continue
        for flipped in combinations(range(size), 2):
            graph = renumbered ^ {flipped}
            if len(graph) <= 9:
                found |= living(graph, [cell.operations[vertex - 1] for vertex in order], size)
    return found - {canonical(cell.matrix, cell.operations)}


def living(graph, operations, size):
    """The canonical form of what lies on paths from input to output; nothing where there is no path."""
    paths, complete = [(0,)], []
    while paths:
        path = paths.pop()
        if path[-1] == size - 1:
            complete.append(path)
        paths += [(*path, y) for x, y in graph if x == path[-1]]
    if not complete:
        return set()
    kept = sorted(set().union(*complete))
    matrix = tuple(tuple(int((x, y) in graph) for y in kept) for x in kept)
    return {canonical(matrix, tuple(operations[v - 1] for v in kept[1:-1]))}


@pytest.mark.parametrize("cell", [0, 77_777, 200_000, 311_111, 423_623])
def test_nb101_has_the_neighbours_of_a_slow_enumeration(cell):
    space = load_space("nb101")
    near = neighbours(space, cell)
    assert len(near) == len(set(near))
    found = {canonical(other.matrix, other.operations) for other in (space[index] for index in near)}
    assert found == slow_steps(space[cell])


def test_small_cells_of_nb101_have_the_neighbours_of_a_slow_enumeration():
    space = load_space("nb101")
    vertices = space.prepare().vertices
    for size in (2, 3, 4, 5):
        for cell in (vertices == size).nonzero()[0][::60].tolist():
            near = [space[index] for index in neighbours(space, cell)]
            assert {canonical(other.matrix, other.operations) for other in near} == slow_steps(space[cell])


def test_a_space_without_neighbours_says_so():
    class Silent(CellSpace):
        name, size, defaults = "silent", 3, {"channels": 1, "cells_per_stage": 1}

        def at(self, index):
            return index

        def index(self, text):
            return int(text)

        def network(self, cell, spec):
            raise NotImplementedError

    assert not has_neighbours(Silent())
    with pytest.raises(ChoiceError, match="silent does not say which cells are neighbours"):
        neighbours(Silent(), 0)
