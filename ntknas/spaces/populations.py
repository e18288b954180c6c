"""Populations: the sets of cells that published numbers are about, by name."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from ntknas.core.errors import ChoiceError, check_known
from ntknas.spaces.base import CellSpace
from ntknas.spaces.contract import Classified, Identified, Space

ALL = "all"
DISTINCT = "distinct"
POPULATIONS = {
    ALL: "every cell",
    "connected": "cells with a path from the input to the output",
    "reachable": "cells whose every operation but none lies on such a path, isomorphic ones included",
    "isomorphic": "one cell, the first, of each class of the published isomorphism rule",
    DISTINCT: "one cell, the first, of each network: of cells with equal kernels at initialisation under weights",
}
"""The rule of each population, by name."""
_CLASSIFIED = ("reachable", "isomorphic")


def check_population(name: str, space: Space | None = None) -> None:
    """Check that there is a population of this name.

    Args:
        name: Its name.
        space: The space that it is to be of, where that is known.

    Raises:
        ChoiceError: If there is none, or the space does not say which cells are in it.
    """
    check_known("population", name, POPULATIONS)
    if space is not None and name in _CLASSIFIED and not isinstance(space, Classified):
        others = ", ".join(population for population in POPULATIONS if population not in _CLASSIFIED)
        raise ChoiceError(
            f"The space {space.name} has no `population` {name}: it does not say which cells are in it. It has "
            f"{others}."
        )


def is_member(space: Space, name: str) -> Callable[[int], bool]:
    """Return what says whether a cell is in a population.

    Args:
        space: The space.
        name: Name of the population.

    Returns:
        A function of a cell's index.

    Raises:
        ChoiceError: If the space has no such population.
    """
    check_population(name, space)
    if name == "connected":
        return lambda cell: not space.is_disconnected(space[cell])
    if name == DISTINCT:
        return lambda cell: space.representative(space[cell], "weights", "none", variant="official") == cell
    if name in _CLASSIFIED:
        assert isinstance(space, Classified)
        classified = space  # narrowed for the functions below
        if name == "reachable":
            return lambda cell: not classified.has_dead_operation(space[cell])
        return lambda cell: classified.isomorphism_representative(space[cell]) == cell
    return lambda cell: True


def network_of(space: Space) -> Callable[[int], Hashable]:
    """Return what says which network a cell is: equal for cells with equal kernels at initialisation under ``weights``.

    Args:
        space: The space.

    Returns:
        A function of a cell's index.
    """
    if isinstance(space, CellSpace) and type(space).representative is CellSpace.representative:
        return lambda cell: cell  # it knows of no two cells that are one network: none has to be looked at
    if isinstance(space, Identified):
        identified = space
        return lambda cell: identified.identity(space[cell])
    return lambda cell: space.representative(space[cell], "weights", "none", variant="official")


def members(space: Space, name: str) -> list[int]:
    """Return the indices of all cells of a population, in ascending order.

    Args:
        space: The space.
        name: Name of the population.

    Returns:
        The indices.

    Raises:
        ChoiceError: If the space has no such population.
    """
    return list(filter(is_member(space, name), range(len(space))))
