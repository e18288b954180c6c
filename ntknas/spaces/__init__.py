"""Spaces of architectures, by name."""

from __future__ import annotations

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
    """Return the names of all spaces, third parties' included."""
    return sorted(_REGISTRY.names())


def is_own(space: Space) -> bool:
    """Return whether this package builds a space's networks itself, so that its tests vouch for them."""
    return space.name in _REGISTRY.own


def load_space(name: str) -> Space:
    """Return a space.

    Args:
        name: ``nb101``, ``nb201``, ``nats-sss``, ``nb-macro``, or a name that an installed package registers under the
            entry-point group ``ntknas.spaces``.

    Returns:
        The space.

    Raises:
        ChoiceError: If no space has this name, or it is one of a package that is at fault.

    Example:
        >>> len(load_space("nb201"))
        15625
    """
    return _REGISTRY.get(name)
