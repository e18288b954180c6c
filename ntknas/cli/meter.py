"""The meter on standard error: a bar on a terminal, a line now and then elsewhere; with rate and time left."""

from __future__ import annotations

import sys
import time
from collections.abc import Hashable, Iterable, Iterator, Sequence
from datetime import timedelta
from types import TracebackType
from typing import TypeVar

from ntknas.cli.output import note
from ntknas.core.durations import TimeLeft

T = TypeVar("T")
_LINE_SECONDS = 15.0
_UNITS = (("d", 86400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1))
_MEGA = {"bytes": "MB"}


def metered(work: Iterable[T], total: int, description: str, unit: str, costs: Sequence[float] = ()) -> Iterator[T]:
    """Yield from ``work`` and show how far it is.

    Args:
        work: What is done, one item per step.
        total: Number of steps.
        description: What is done.
        unit: What a step is, in the plural.
        costs: What each step costs, where they differ: 0 if it was done before.
    """
    time_left = TimeLeft.of(cost for cost in costs if cost) if costs else None
    with Meter(total, description, unit, time_left) as meter:
        for number, item in enumerate(work):
            yield item
            if costs and costs[number]:
                meter.done(costs[number])
            meter.advance(1)


class Meter:
    """Shows how far something is that counts its own steps.

    Args:
        total: Number of steps.
        description: What is done.
        unit: What a step is, in the plural; ``bytes`` are shown as megabytes.
        time_left: Knows how long the rest takes, where steps differ; else they take as long as those so far.
    """

    def __init__(self, total: int, description: str, unit: str, time_left: TimeLeft | None = None):
        self._time_left = time_left
        self._scale, self._unit = (1e6, _MEGA[unit]) if unit in _MEGA else (1.0, unit)
        self._total, self._description, self._done = total, description, 0
        self._start = self._last = time.monotonic()
        self._bar = _Bar(total / self._scale, description) if sys.stderr.isatty() else None

    def __enter__(self) -> Meter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def done(self, cost: float, kind: Hashable = "", seconds: float | None = None) -> None:
        """Tell what a step cost, before it is counted; see ``TimeLeft.done``."""
        if self._time_left:
            self._time_left.done(cost, kind, seconds)

    def advance(self, steps: int) -> None:
        """Count steps that were done."""
        if not steps:
            return
        self._done += steps
        if self._bar:
            self._bar.update(self._done / self._scale, self._rate(), self._seconds_left())
            return
        seconds = time.monotonic()
        if seconds - self._last >= _LINE_SECONDS or self._done == self._total:
            self._last = seconds
            steps_of_total = f"{self._done / self._scale:.0f}/{self._total / self._scale:.0f}"
            note(f"{self._description} {steps_of_total}, {self._rate()}, {self._seconds_left():.0f} s left")

    def _seconds_left(self) -> float:
        seconds = self._time_left.seconds() if self._time_left else None
        if seconds is not None:
            return seconds
        return (time.monotonic() - self._start) / max(self._done, 1) * (self._total - self._done)

    def _rate(self) -> str:
        seconds = max(time.monotonic() - self._start, 1e-9)
        return f"{self._done / self._scale / seconds:.2f} {self._unit}/s"


class _Bar:
    """A bar on the terminal."""

    def __init__(self, total: float, description: str):
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
        )

        self._progress = Progress(
            TextColumn(description),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=Console(stderr=True),
            refresh_per_second=4,
        )
        self._task = self._progress.add_task(description, total=total, rate="", left="")
        self._progress.start()

    def update(self, steps: float, rate: str, seconds_left: float) -> None:
        self._progress.update(
            self._task, completed=steps, rate=rate, left=f"{timedelta(seconds=round(seconds_left))} left"
        )

    def stop(self) -> None:
        self._progress.stop()


def duration(seconds: float) -> str:
    """Return seconds for people.

    Example:
        >>> duration(90061)
        '1 d 1 h'
    """
    for unit, size, smaller_unit, smaller_size in _UNITS:
        if seconds >= size:
            remainder = int(seconds % size / smaller_size)
            return f"{int(seconds / size)} {unit}" + (f" {remainder} {smaller_unit}" if remainder else "")
    return f"{seconds:.1f} s"
