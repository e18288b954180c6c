"""Which scores ``ntknas diff`` holds against which: all of two stores, or published scores way by way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ntknas.cli.left_out import say_left_out
from ntknas.cli.output import note
from ntknas.cli.published_source import ways_of
from ntknas.core.errors import NtknasError
from ntknas.published.source import is_published

if TYPE_CHECKING:
    import pandas as pd

    from ntknas.published import Release


@dataclass(frozen=True)
class Pair:
    """Two tables of scores.

    Attributes:
        a: The first.
        b: The second.
        way: Way of measuring of published scores; empty for two stores.
    """

    a: pd.DataFrame
    b: pd.DataFrame
    way: str = ""

    @property
    def lines_left_out(self) -> tuple[int, int]:
        """Number of lines of each that could not be read."""
        return self.a.attrs["left_out"].lines, self.b.attrs["left_out"].lines


def pairs_of(a: Path, b: Path, ways: Sequence[str]) -> Iterator[Pair]:
    """Yield what is held against one another; what is left out of it goes to standard error.

    Args:
        a: A store, or published scores.
        b: Another.
        ways: Names of ways of published scores, or ``all``.

    Yields:
        Two stores once; of published scores one way after the other.

    Raises:
        NtknasError: If either cannot be read, or they have no such way, or none in common.
    """
    first, second = _opened(a), _opened(b)
    if first is None and second is None:
        yield Pair(_stored(a), _stored(b))
    elif first is not None and second is not None:
        for way in _common(first, second, ways):
            seeds = _common_seeds(first, second, way)
            yield Pair(first.frame([way], seeds), second.frame([way], seeds), way)
    elif first is not None:
        stored = _rounded(_stored(b))
        for way in _in_store(first, stored, ways):
            yield Pair(first.frame([way]), stored, way)
    elif second is not None:
        stored = _rounded(_stored(a))
        for way in _in_store(second, stored, ways):
            yield Pair(stored, second.frame([way]), way)


def _opened(source: Path) -> Release | None:
    from ntknas.published.source import open_published

    return open_published(source) if is_published(source) else None


def _stored(path: Path) -> pd.DataFrame:
    from ntknas.store import load_store

    scores = load_store(path)
    say_left_out(scores.attrs["left_out"], path)
    return scores


def _rounded(stored: pd.DataFrame) -> pd.DataFrame:
    """Return a store's scores rounded as published ones are, to float32; what is beyond its range stays."""
    with np.errstate(over="ignore"):
        rounded = stored["value"].astype(np.float32).astype(np.float64)
    return stored.assign(value=rounded.where(np.isfinite(rounded), stored["value"]))


def _common(a: Release, b: Release, ways: Sequence[str]) -> list[str]:
    """Return the ways that are meant and that both releases have; ways of one alone are said."""
    named = [name for name in ways if name != "all"]
    for release in (a, b):
        for name in named:
            release.way(name)
    for release, other in ((a, b), (b, a)):
        if alone := [name for name in release.ways if name not in other.ways and not named]:
            note(f"In {_title(release, other)} alone: {', '.join(alone)}.")
    common = [name for name in a.ways if name in (named or b.ways)]
    if not common:
        raise NtknasError(
            f"{_title(a, b)} and {_title(b, a)} have no way in common: {', '.join(a.ways) or 'none'} and "
            f"{', '.join(b.ways) or 'none'}."
        )
    return common


def _common_seeds(a: Release, b: Release, way: str) -> list[int]:
    """Return the seeds of a way that both releases have; those of one alone are said."""
    common = [seed for seed in a.ways[way].seeds if seed in b.ways[way].seeds]
    for release, other in ((a, b), (b, a)):
        if alone := [str(seed) for seed in release.ways[way].seeds if seed not in common]:
            note(f"Seed {', '.join(alone)} of {way} is in {_title(release, other)} alone.")
    if not common:
        raise NtknasError(f"{_title(a, b)} and {_title(b, a)} have no seed of {way} in common.")
    return common


def _title(release: Release, other: Release) -> str:
    """Return a release's name and version, and where these are the other's too its folder."""
    name = f"{release.name} {release.version}"
    return name if name != f"{other.name} {other.version}" else f"{name} ({release.folder})"


def _in_store(release: Release, stored: pd.DataFrame, ways: Sequence[str]) -> list[str]:
    """Return the ways that are meant: those that are named, or have a setting of the store, or the usual one."""
    if ways:
        return ways_of(release, ways) or list(release.ways)
    digests = set(stored["setting"].unique())
    shared = [way.name for way in release.ways.values() if digests & set(way.settings)]
    return shared or ways_of(release, ()) or []
