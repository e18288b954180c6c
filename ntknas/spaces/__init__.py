"""Spaces of architectures, by name."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from ntknas.core.errors import unknown

_SPACES = {
    "nb101": "ntknas.spaces.nb101.space:NB101",
    "nb201": "ntknas.spaces.nb201.space:NB201",
    "nats-sss": "ntknas.spaces.nats_sss.space:NATSSize",
}
ENTRY_POINT_GROUP = "ntknas.spaces"


def space_names() -> list[str]:
    """Return the names of all spaces, third parties' included."""
    return sorted({*_SPACES, *(point.name for point in entry_points(group=ENTRY_POINT_GROUP))})


def is_own(space: Any) -> bool:
    """Return whether this package builds a space's networks itself, so that its tests vouch for them."""
    return space.name in _SPACES


def load_space(name: str) -> Any:
    """Return a space.

    Args:
        name: ``nb101``, ``nb201``, ``nats-sss``, or a name that an installed package registers under the entry-point
            group ``ntknas.spaces``.

    Raises:
        ChoiceError: If no space has this name.

    Example:
        >>> len(load_space("nb201"))
        15625
    """
    if name in _SPACES:
        module, attribute = _SPACES[name].split(":")
        return getattr(import_module(module), attribute)()
    for point in entry_points(group=ENTRY_POINT_GROUP):
        if point.name == name:
            return point.load()()
    raise unknown("space", name, space_names())
