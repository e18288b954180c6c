"""The cells one step away: what changes in the drawing, in what is counted and scored, and in accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from ntknas.explanation.standing import Array
from ntknas.spaces import Space
from ntknas.spaces.drawing import Drawing, drawing_of
from ntknas.spaces.neighbourhood import Positional, has_neighbours, neighbours


@dataclass(frozen=True)
class Change:
    """What is changed to come to a neighbour.

    Attributes:
        place: Where, such as ``1→2``.
        before: What the cell has there.
        after: What the neighbour has.
    """

    place: str
    before: str
    after: str


@dataclass(frozen=True)
class Neighbour:
    """A cell one step away.

    Attributes:
        cell: Its index.
        change: What is changed; ``None`` where its space has no positions.
        is_same: Whether it is the same network.
        effective_parameters: Its parameters on paths, less the cell's; all where a space has no paths.
        accuracy: Its accuracy; ``None`` without one.
        accuracy_change: That less the cell's.
        score: Its score; ``None`` without one.
        score_change: Its percentile by the score less the cell's: above 0 where the score prefers it.
    """

    cell: int
    change: Change | None
    is_same: bool
    effective_parameters: int
    accuracy: float | None
    accuracy_change: float | None
    score: float | None
    score_change: float | None

    def as_json(self) -> dict[str, object]:
        """Return it as plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Values:
    """What neighbours are compared by.

    Attributes:
        accuracies: Of all cells, by index; ``None`` where there are none.
        scores: Of one measure, of all cells.
        percentiles: Theirs.
        parameters: Parameters on paths of the cells that are asked for.
    """

    accuracies: Array | None
    scores: Array | None
    percentiles: Array | None
    parameters: Mapping[int, int]


def neighbours_of(space: Space, cell: int) -> list[int]:
    """Return the indices of the cells one step away; none where a space does not say which these are."""
    return neighbours(space, cell) if has_neighbours(space) else []


def compared(space: Space, cell: int, others: Sequence[int], values: Values) -> list[Neighbour]:
    """Return what changes from a cell to its neighbours.

    Args:
        space: The space.
        cell: Index of the cell.
        others: Its neighbours.
        values: What they are compared by.

    Returns:
        The neighbours in their order.
    """
    same = space.representative(space[cell], "weights", "none")
    return [
        Neighbour(
            other,
            change_between(space, cell, other),
            space.representative(space[other], "weights", "none") == same,
            values.parameters[other] - values.parameters[cell],
            _at(values.accuracies, other),
            _difference(values.accuracies, other, cell),
            _at(values.scores, other),
            _difference(values.percentiles, other, cell),
        )
        for other in others
    ]


def change_between(space: Space, cell: int, other: int) -> Change | None:
    """Return what differs between two cells of a space with positions; ``None`` where it is not one position."""
    if not isinstance(space, Positional):
        return None
    before, after = space.positions(space[cell]), space.positions(space[other])
    differing = [number for number, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]]
    if len(differing) != 1:
        return None
    place = differing[0]
    names = place_names(space, cell)
    words = choice_names(space, cell)[place]
    return Change(names[place], words[before[place]], words[after[place]])


def place_names(space: Positional, cell: int) -> list[str]:
    """Return what the positions of a space are called: as in the drawing of the cell, else by number."""
    drawing = _drawing(space, cell)
    count = len(space.choices)
    if drawing is not None and len(drawing.edges) == count and all(edge.operation for edge in drawing.edges):
        return [f"{drawing.nodes[edge.source].name}→{drawing.nodes[edge.target].name}" for edge in drawing.edges]
    return [str(number + 1) for number in range(count)]


def choice_names(space: Positional, cell: int) -> list[Sequence[str]]:
    """Return what the choices at each position are called: as in drawings where these have as many, else by name."""
    drawing = _drawing(space, cell)
    words = [] if drawing is None else list(drawing.operations)
    is_of_edges = drawing is not None and any(edge.operation for edge in drawing.edges)
    return [words if is_of_edges and len(words) == len(names) else names for names in space.choices]


def _drawing(space: Positional, cell: int) -> Drawing | None:
    return drawing_of(space, cell) if isinstance(space, Space) else None


def _at(values: Array | None, cell: int) -> float | None:
    return None if values is None or not np.isfinite(values[cell]) else float(values[cell])


def _difference(values: Array | None, other: int, cell: int) -> float | None:
    first, second = _at(values, other), _at(values, cell)
    return None if first is None or second is None else first - second
