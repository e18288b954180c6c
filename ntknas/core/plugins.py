"""Loads other people's packages by their entry points: one at fault costs itself alone, by name."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from multiprocessing import parent_process

from ntknas.core.display import printable


class PluginWarning(UserWarning):
    """Says that a package is left out."""


@dataclass(frozen=True)
class Fault:
    """Why a package, or one thing of it, is left out.

    Attributes:
        package: Name of the package.
        name: Name of the entry point.
        reason: What happened.
    """

    package: str
    name: str
    reason: str

    def __str__(self) -> str:
        return printable(f"The package {self.package} ({self.name}) is left out: {self.reason}")

    def warn(self) -> None:
        """Warn of it, once: workers do not repeat what the coordinator said."""
        if parent_process() is None:
            warnings.warn(f"{self}.", PluginWarning, stacklevel=2)


def points(group: str) -> Iterator[tuple[str, EntryPoint]]:
    """Yield the entry points of a group with the names of their packages, in an order that is always the same."""
    yield from _points(group, tuple((place, _changed(place)) for place in sys.path))


@lru_cache(maxsize=64)
def _points(group: str, places: tuple[tuple[str, int], ...]) -> tuple[tuple[str, EntryPoint], ...]:
    """Read them from all installed packages, which takes 20 ms and more: once for places that are as they were."""
    del places
    pairs = ((point.dist.name if point.dist else "?", point) for point in entry_points(group=group))
    return tuple(sorted(pairs, key=lambda item: (item[0], item[1].name, item[1].value)))


def _changed(place: str) -> int:
    """Return when a place that packages are installed in changed, in ns; 0 where there is none."""
    try:
        return os.stat(place or ".").st_mtime_ns
    except (OSError, ValueError):
        return 0


def load(package: str, point: EntryPoint) -> tuple[object, Fault | None]:
    """Return what an entry point names, or why it cannot be had.

    Args:
        package: Name of its package.
        point: The entry point.

    Returns:
        What it names (``None`` if it cannot be had), and the fault if there is one.

    Raises:
        KeyboardInterrupt: If the user stops it.
    """
    try:
        return point.load(), None
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  whatever another's code raises, exits included, is its own fault
        return None, fault(package, point.name, error)


def fault(package: str, name: str, error: BaseException) -> Fault:
    """Make the fault of a package out of an exception it raised."""
    first = (str(error).splitlines() or [""])[0].rstrip(".")
    if isinstance(error, SystemExit):
        return Fault(package, name, "it exits while it is imported")
    kind = type(error).__name__
    return Fault(package, name, f"{kind}: {first}" if first else kind)
