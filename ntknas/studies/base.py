"""What a study is, and how one is run: unit by unit, each kept before the next begins."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import pandas as pd

from ntknas.core.durations import TimeModel
from ntknas.core.errors import StoreError
from ntknas.report.figures import Figure
from ntknas.store import journal

Row = dict[str, Any]
Unit = tuple[Any, ...]

STEP = 1e6
"""Multiplications that a core would make in the time that any pass through a network takes at least."""
BUDGET = 20.0
"""Seconds for the trials of a forecast."""


@dataclass(frozen=True)
class Findings:
    """What a study found.

    Attributes:
        table: One row a setting.
        figures: Figures by what they show, which becomes part of their file's name.
        verdict: Sentences: does the claim hold, in numbers.
    """

    table: pd.DataFrame
    figures: dict[str, Figure]
    verdict: list[str]


class Study(Protocol):
    """A study: a claim, what is measured for it, and what follows. One file of this folder each."""

    name: ClassVar[str]
    title: ClassVar[str]
    claim: ClassVar[str]
    formula: ClassVar[str]

    def settings(self) -> dict[str, Any]:
        """Return every choice, as plain data: what identifies the results."""

    def units(self) -> list[Unit]:
        """Return what is measured one by one, cheap ones first; each is plain data."""

    def cost(self, unit: Unit) -> float:
        """Return about how many multiplications a unit takes, those that its fixed part would allow included."""

    def bytes_needed(self) -> int:
        """Return the memory that the largest unit needs."""

    def measure(self, unit: Unit) -> list[Row]:
        """Measure a unit; rows are plain data."""

    def summarise(self, rows: Sequence[Row]) -> Findings:
        """Draw conclusions from the rows of all units."""


class Ledger:
    """The units of studies that are done, in an append-only file; a run that is killed goes on with the next unit.

    Args:
        path: The file; its folder exists.

    Attributes:
        damaged: Number of damaged lines, whose units are measured again.

    Raises:
        StoreError: If it is no journal, or another process writes it.
    """

    def __init__(self, path: Path):
        try:
            self._writer = journal.JournalWriter(path)
            content = journal.read(path)
        except StoreError as error:
            raise StoreError(str(error).replace("--store", "--out")) from error
        self.damaged = len(content.damaged)
        self._done = {
            (entry["study"], json.dumps(entry["unit"])): entry["rows"]
            for entry in content.entries
            if entry.get("type") == "unit" and {"study", "unit", "rows"} <= set(entry)
        }

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def rows(self, study: Study, unit: Unit) -> list[Row] | None:
        """Return the rows of a unit, or ``None`` if it is not done."""
        return self._done.get((digest(study), json.dumps(unit)))

    def add(self, study: Study, unit: Unit, rows: list[Row], seconds: float) -> None:
        """Keep the rows of a unit.

        Raises:
            StoreError: If they cannot be written.
        """
        key = digest(study)
        self._writer.append({"type": "unit", "study": key, "unit": unit, "rows": rows, "seconds": seconds})
        self._done[key, json.dumps(unit)] = rows


def digest(study: Study) -> str:
    """Return what stands for a study's name and settings."""
    text = json.dumps({"name": study.name, **study.settings()}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def run(study: Study, ledger: Ledger) -> Iterator[list[Row]]:
    """Measure the units that are not done, and yield the rows of each unit, done before or now."""
    for unit in study.units():
        rows = ledger.rows(study, unit)
        if rows is None:
            start = time.perf_counter()
            rows = study.measure(unit)
            ledger.add(study, unit, rows, time.perf_counter() - start)
        yield rows


@dataclass(frozen=True)
class Trial:
    """What a study would take.

    Attributes:
        seconds: For all units.
        tried: How many units were tried.
    """

    seconds: float
    tried: int


def estimate(study: Study, budget: float = BUDGET, clock: Callable[[], float] = time.perf_counter) -> Trial:
    """Try some units, cheap ones first, and say how long all take; nothing is kept.

    Args:
        study: The study.
        budget: Seconds for all trials. Units are tried while the next one is expected to end within them, and the
            cheapest one in any case.
        clock: Tells the seconds.
    """
    costs = {unit: study.cost(unit) for unit in study.units()}
    model, start, tried = TimeModel(), clock(), 0
    for unit in _ever_dearer(costs):
        left = budget - (clock() - start)
        if tried and model.seconds(1, costs[unit]) > left:
            break
        taken = _seconds(study, unit, clock)
        if not tried and taken < left / 2:  # the first one also loads libraries
            taken = _seconds(study, unit, clock)
        model.add(costs[unit], taken)
        tried += 1
    return Trial(model.seconds(len(costs), sum(costs.values())), tried)


def seconds_before(study: Study) -> float:
    """Return about how long what comes once before all units takes, where a study knows it: an infinite kernel."""
    known = getattr(study, "seconds_of_the_infinite_kernel", None)
    return float(known()) if known else 0.0


def _ever_dearer(costs: dict[Unit, float]) -> list[Unit]:
    """The cheapest unit, and those that cost at least half as much again as the one before."""
    chosen: list[Unit] = []
    for unit in sorted(costs, key=lambda each: costs[each]):
        if not chosen or costs[unit] >= 1.5 * costs[chosen[-1]]:
            chosen.append(unit)
    return chosen


def seed_of(seed: int, place: int, repeat: int) -> int:
    """Return the seed of one network: another one for every repeat at every place, such as a width.

    Args:
        seed: The study's seed.
        place: Its place, below 1,000,003.
        repeat: The repeat there, below 10,007.
    """
    return (seed * 1_000_003 + place) * 10_007 + repeat


def _seconds(study: Study, unit: Unit, clock: Callable[[], float]) -> float:
    start = clock()
    study.measure(unit)
    return clock() - start
