"""Spaces of architectures, by name."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import EntryPoint

from ntknas.core import plugins
from ntknas.core.errors import ChoiceError, unknown
from ntknas.spaces.base import CellSpace, NetworkSpec
from ntknas.spaces.contract import MEMBERS, BuildOptions, CellLike, SizeOptions, Space

__all__ = [
    "BuildOptions",
    "CellLike",
    "CellSpace",
    "NetworkSpec",
    "SizeOptions",
    "Space",
    "is_own",
    "load_space",
    "space_names",
]

_SPACES = {
    "nb101": "ntknas.spaces.nb101.space:NB101",
    "nb201": "ntknas.spaces.nb201.space:NB201",
    "nats-sss": "ntknas.spaces.nats_sss.space:NATSSize",
}
ENTRY_POINT_GROUP = "ntknas.spaces"


def space_names() -> list[str]:
    """Return the names of all spaces, third parties' included."""
    return sorted({*_SPACES, *(point.name for _, point in plugins.points(ENTRY_POINT_GROUP))})


def is_own(space: Space) -> bool:
    """Return whether this package builds a space's networks itself, so that its tests vouch for them."""
    return space.name in _SPACES


def load_space(name: str) -> Space:
    """Return a space.

    Args:
        name: ``nb101``, ``nb201``, ``nats-sss``, or a name that an installed package registers under the entry-point
            group ``ntknas.spaces``.

    Raises:
        ChoiceError: If no space has this name, or it is one of a package that is at fault.

    Example:
        >>> len(load_space("nb201"))
        15625
    """
    if name in _SPACES:
        module, attribute = _SPACES[name].split(":")
        made: Space = getattr(import_module(module), attribute)()
        return made
    named = [(package, point) for package, point in plugins.points(ENTRY_POINT_GROUP) if point.name == name]
    if len(named) > 1:
        packages = " and ".join(package for package, _ in named)
        raise ChoiceError(f"Several packages name a space {name!r}: {packages}. Uninstall all but one.")
    for package, point in named:
        return _third_party(package, point)
    raise unknown("space", name, space_names())


def _third_party(package: str, point: EntryPoint) -> Space:
    """Return a space of another package.

    Raises:
        ChoiceError: If it cannot be loaded or is no space; the message names the package.
    """
    make, fault = plugins.load(package, point)
    try:
        space: object = make() if fault is None else None
    except (Exception, SystemExit) as error:  # noqa: BLE001  whatever another's code raises is its own fault
        fault = plugins.fault(package, point.name, error)
    if fault is not None:
        raise ChoiceError(f"{fault}.")
    if not isinstance(space, Space):
        lacking = ", ".join(name for name in MEMBERS if not hasattr(space, name))
        raise ChoiceError(f"{plugins.Fault(package, point.name, f'what it makes is no space, {lacking} is missing')}.")
    return space
