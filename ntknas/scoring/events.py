"""What happens in the course of a run, for whoever looks on: a command draws it, a library is silent without."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ntknas.scoring.progress import EpochsDone, KernelDone

if TYPE_CHECKING:
    from ntknas.scoring.job import Job, Strategy
    from ntknas.scoring.plan import Plan
    from ntknas.store.left_out import LeftOut

__all__ = [
    "Began",
    "CellsLeftOut",
    "EpochsDone",
    "Event",
    "JournalTorn",
    "KernelDone",
    "LinesLost",
    "OtherSetting",
    "Planned",
    "PublishedTaken",
    "Tried",
]

PROBE_HASH = "probe_hash"
"""Field of a setting that alone differs where the images are others."""


@dataclass(frozen=True)
class JournalTorn:
    """The store's journal ended in an unfinished line, as a killed run leaves it; that score is computed again."""

    store: Path


@dataclass(frozen=True)
class LinesLost:
    """Lines of the store's journals could not be read."""

    store: Path
    left_out: LeftOut


@dataclass(frozen=True)
class CellsLeftOut:
    """Some of the cells that were named are not of the population that was asked for.

    Attributes:
        left_out: Number of these.
        named: Number of all that were named.
        population: Name of the population.
    """

    left_out: int
    named: int
    population: str


@dataclass(frozen=True)
class PublishedTaken:
    """Published scores are taken, as far as they are asked for and there are any.

    Attributes:
        release: Name and version of the release.
        kernels: Number of (cell, seed, kernel) that are taken, by way of measuring.
        left: Number of those that are computed, since they are not published.
        lacking: Measures that a way does not have and that are asked for, by way.
    """

    release: str
    kernels: Mapping[str, int]
    left: int
    lacking: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class OtherSetting:
    """What is asked for is not published, and a published way of measuring differs from it in little.

    Attributes:
        way: Name of the way.
        fields: Fields of the setting that differ: what is published, and what is asked for.
    """

    way: str
    fields: Mapping[str, tuple[object, object]]

    @property
    def is_of_images_alone(self) -> bool:
        """Whether the probe is drawn alike and has other content."""
        return list(self.fields) == [PROBE_HASH]


@dataclass(frozen=True)
class Planned:
    """It is known what has to be computed.

    Attributes:
        plan: What is stored, and what is to be computed.
        job: What is scored.
        cells: Number of cells that are asked for.
        seeds: Number of seeds.
        engine: What computes, for a sentence.
    """

    plan: Plan
    job: Job
    cells: int
    seeds: int
    engine: str

    @property
    def missing(self) -> int:
        """Number of (cell, seed, kernel) that are not stored."""
        return sum(len(item.members) for item in self.plan.items)

    @property
    def kernels(self) -> int:
        """Number of kernels to compute of networks at initialisation."""
        return sum(1 for item in self.plan.items if not item.epoch)

    @property
    def trainings(self) -> int:
        """Number of networks to train."""
        return sum(1 for task in self.plan.tasks if task[0].epoch)

    @property
    def epochs(self) -> int:
        """Number of epochs to train, of all networks together."""
        return sum(task[-1].epoch for task in self.plan.tasks)


@dataclass(frozen=True)
class Tried:
    """A short trial decided how kernels are computed."""

    strategy: Strategy


@dataclass(frozen=True)
class Began:
    """Computing begins, after trials."""


Event = (
    JournalTorn
    | LinesLost
    | CellsLeftOut
    | PublishedTaken
    | OtherSetting
    | Planned
    | Tried
    | Began
    | KernelDone
    | EpochsDone
)
