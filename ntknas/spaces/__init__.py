"""Spaces of architectures, by name."""

from __future__ import annotations

from ntknas.core.errors import ChoiceError, unknown
from ntknas.core.registry import MisfitError, Registry
from ntknas.spaces.base import CellSpace, NetworkSpec
from ntknas.spaces.check import ContractError, check_space
from ntknas.spaces.contract import (
    MEMBERS,
    BuildOptions,
    CellLike,
    Classified,
    Encoded,
    Identified,
    Keyed,
    Preparable,
    SizeOptions,
    Space,
    Structured,
)
from ntknas.spaces.own_file import file_of, load_own, own_names

__all__ = [
    "BuildOptions",
    "CellLike",
    "CellSpace",
    "Classified",
    "ContractError",
    "Encoded",
    "Identified",
    "Keyed",
    "NetworkSpec",
    "Preparable",
    "SizeOptions",
    "Space",
    "Structured",
    "check_space",
    "is_own",
    "load_space",
    "load_space_file",
    "space_names",
]

ENTRY_POINT_GROUP = "ntknas.spaces"


def _accept(candidate: object) -> Space:
    if not isinstance(candidate, Space):
        lacking = ", ".join(name for name in MEMBERS if not hasattr(candidate, name))
        raise MisfitError(f"what it makes is no space, {lacking} is missing")
    return candidate


_REGISTRY = Registry("space", __name__, "SPACE", ENTRY_POINT_GROUP, _accept, module="space")


def space_names() -> list[str]:
    """Return the names of all spaces, third parties' and those of files included."""
    return sorted({*_REGISTRY.names(), *own_names()})


def is_own(space: Space) -> bool:
    """Return whether this package builds a space's networks itself, so that its tests vouch for them."""
    return space.name in _REGISTRY.own


def load_space(name: str) -> Space:
    """Return a space.

    Args:
        name: ``nb101``, ``nb201``, ``nats-sss``, ``nb-macro``, a name that an installed package registers under the
            entry-point group ``ntknas.spaces``, or that of a space of a file that was loaded.

    Returns:
        The space.

    Raises:
        ChoiceError: If no space has this name, or it is one of a package that is at fault.

    Example:
        >>> len(load_space("nb201"))
        15625
    """
    file = file_of(name)
    if file is not None:
        return file.space
    if name not in _REGISTRY.names():
        error = unknown("space", name, space_names())
        raise ChoiceError(f"{error} One of a file of yours is named by `space`, FILE.py:NAME.")
    return _REGISTRY.get(name)


def load_space_file(place: str) -> Space:
    """Return a space of one's own from a file of Python, which is run and known by the space's name from then on.

    Args:
        place: ``FILE.py:NAME``, a space, or a class or function that makes one without arguments. Name files that you
            trust.

    Returns:
        The space, of which ``check_space`` found nothing wrong.

    Raises:
        DataError: If there is no such file or name, it raises, or it makes something else.
        ChoiceError: If its name is that of a space that is there already.
        ContractError: If it does not keep the contract of spaces.
    """
    return load_own(place, _REGISTRY.names()).space
