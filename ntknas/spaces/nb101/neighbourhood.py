"""Cells one step from a cell: with another operation at one vertex, or one edge more or less."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from ntknas.core.errors import ChoiceError
from ntknas.spaces.nb101.cells import MAX_EDGES, OPERATIONS, Matrix, prune

Graph = tuple[Matrix, tuple[str, ...]]
"""A matrix, and the operations of its inner vertices."""


def steps(matrix: Matrix, operations: tuple[str, ...]) -> Iterator[Graph]:
    """Yield what one step makes of a cell, isomorphic ones repeatedly.

    An edge may be added wherever no circle arises, whatever the numbering of the vertices, as long as there are nine or
    fewer. Vertices that no longer lie between input and output when one is removed go with it: no step leads back.

    Args:
        matrix: The cell's pruned matrix.
        operations: The operation at each inner vertex.

    Yields:
        Cells of the space, pruned.
    """
    for place, own in enumerate(operations):
        for other in OPERATIONS:
            if other != own:
                yield matrix, (*operations[:place], other, *operations[place + 1 :])
    edges = {(x, y) for x, row in enumerate(matrix) for y, edge in enumerate(row) if edge}
    for edge in sorted(edges):
        try:
            yield prune(_matrix(edges - {edge}, len(matrix)), operations)
        except ChoiceError:  # no path is left
            continue
    if len(edges) < MAX_EDGES:
        yield from _with_one_more(edges, operations)


def _with_one_more(edges: set[tuple[int, int]], operations: tuple[str, ...]) -> Iterator[Graph]:
    size = len(operations) + 2
    for edge in ((x, y) for x in range(size - 1) for y in range(1, size)):
        if edge not in edges and edge[0] != edge[1]:
            try:
                yield _numbered(edges | {edge}, operations)
            except CycleError:
                continue


def _numbered(edges: set[tuple[int, int]], operations: tuple[str, ...]) -> Graph:
    """Return a graph whose edges lead from earlier to later vertices.

    Every vertex lies between input and output, so that these stay the first and the last.

    Args:
        edges: Its edges.
        operations: The operation at each inner vertex.

    Returns:
        The graph with its vertices renumbered.

    Raises:
        CycleError: If there is a circle.
    """
    size = len(operations) + 2
    sources = {y: sorted(x for x, target in edges if target == y) for y in range(size)}
    order = list(TopologicalSorter(sources).static_order())
    place = {vertex: number for number, vertex in enumerate(order)}
    return _matrix({(place[x], place[y]) for x, y in edges}, size), tuple(operations[v - 1] for v in order[1:-1])


def _matrix(edges: set[tuple[int, int]], size: int) -> Matrix:
    return tuple(tuple(int((x, y) in edges) for y in range(size)) for x in range(size))
