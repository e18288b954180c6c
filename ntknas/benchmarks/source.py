"""What a benchmark declares: its space, what there is of it without a file, and how its official file is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ntknas.benchmarks.formats.collection import Collection
from ntknas.benchmarks.table import AccuracyTable, Target
from ntknas.spaces import Space

Advance = Callable[[int], None]


class Start(Protocol):
    """Shows how far an import is: told what and how much there is to do, it returns what is called with each step."""

    def __call__(self, total: int, unit: str) -> Advance:
        """Begin."""
        ...


def _no_hint(_: Path) -> str | None:
    return None


@dataclass(frozen=True)
class OfficialFormat:
    """The official file, or folder, of a benchmark.

    Attributes:
        text: Which it is, for messages.
        recognises: Returns whether a path is of this format and benchmark; raises DataError where it is of this format
            and of no benchmark that has it.
        read: Reads it; raises DataError, without the path, if it is damaged.
        hint: Returns what to give in place of a path that only holds, or belongs to, such a file.
        is_part: Whether a benchmark has several such files, of other targets each, all without an epoch budget: a file
            adds to what has been imported.
    """

    text: str
    recognises: Callable[[Path], bool]
    read: Callable[[Path, Space, Start], Collection]
    hint: Callable[[Path], str | None] = _no_hint
    is_part: bool = False


@dataclass(frozen=True)
class Embedded:
    """What there is of a benchmark without its official file.

    Attributes:
        text: What it is.
        tables: Returns the tables.
    """

    text: str
    tables: Callable[[], Mapping[Target, AccuracyTable]]


@dataclass(frozen=True)
class BenchmarkSource:
    """Where the accuracies of a benchmark come from: an official file to import, embedded tables, or both.

    Attributes:
        name: Its name; a third party's is the name of its entry point.
        space: Name of its space.
        text: What it is.
        official: Its official file.
        embedded: What is there without one.
    """

    name: str
    space: str
    text: str
    official: OfficialFormat | None = None
    embedded: Embedded | None = None
