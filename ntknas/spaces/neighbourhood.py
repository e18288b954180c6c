"""Which cells are one step apart: what searches move by."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Protocol, runtime_checkable

from ntknas.core.errors import ChoiceError
from ntknas.spaces.contract import CellLike, Space


@runtime_checkable
class Positional(Protocol):
    """What a space whose cells are choices at fixed positions offers beside the contract."""

    @property
    def choices(self) -> Sequence[Sequence[str]]:
        """The choices at each position, by name."""
        ...

    def positions(self, cell: CellLike, /) -> tuple[int, ...]:
        """Return the number of the choice at each position."""
        ...

    def at_positions(self, numbers: Sequence[int], /) -> int:
        """Return the index of the cell with these choices."""
        ...


@runtime_checkable
class Neighbouring(Protocol):
    """What a space with a neighbourhood of its own offers beside the contract."""

    def neighbours(self, cell: CellLike, /) -> Sequence[int]:
        """Return the indices of the cells one step away, each once, without the cell itself."""
        ...


def has_neighbours(space: Space) -> bool:
    """Return whether a space says which cells are one step apart."""
    return isinstance(space, Neighbouring | Positional)


def neighbours(space: Space, cell: int) -> list[int]:
    """Return the cells one step from a cell: with another choice at one position, or as its space says.

    Args:
        space: The space.
        cell: Index of the cell.

    Returns:
        Their indices; where the space has positions, by position and choice.

    Raises:
        ChoiceError: If the space has no neighbourhood.
    """
    if isinstance(space, Neighbouring):
        return [int(index) for index in space.neighbours(space[cell])]
    if not isinstance(space, Positional):
        raise ChoiceError(
            f"{space.name} does not say which cells are neighbours: give it a method neighbours(cell), or choices, "
            "positions(cell) and at_positions(numbers)."
        )
    return list(chain.from_iterable(_others(space, space.positions(space[cell]))))


def _others(space: Positional, numbers: tuple[int, ...]) -> Sequence[list[int]]:
    """Return by position the cells that differ there alone."""
    return [
        [
            space.at_positions((*numbers[:place], number, *numbers[place + 1 :]))
            for number in range(len(names))
            if number != numbers[place]
        ]
        for place, names in enumerate(space.choices)
    ]
