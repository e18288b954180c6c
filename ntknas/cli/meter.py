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
    left = TimeLeft.of(cost for cost in costs if cost) if costs else None
    with Meter(total, description, unit, left) as meter:
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
        left: Knows how long the rest takes, where steps differ; else they take as long as those so far.
    """

    def __init__(self, total: int, description: str, unit: str, left: TimeLeft | None = None):
        self._left = left
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
        if self._left:
            self._left.done(cost, kind, seconds)

    def advance(self, steps: int) -> None:
        """Count steps that were done."""
        if not steps:
            return
        self._done += steps
        if self._bar:
            self._bar.update(self._done / self._scale, self._rate(), self._seconds_left())
            return
        now = time.monotonic()
        if now - self._last >= _LINE_SECONDS or self._done == self._total:
            self._last = now
            done = f"{self._done / self._scale:.0f}/{self._total / self._scale:.0f}"
            note(f"{self._description} {done}, {self._rate()}, {self._seconds_left():.0f} s left")

    def _seconds_left(self) -> float:
        seconds = self._left.seconds() if self._left else None
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

    def update(self, done: float, rate: str, left: float) -> None:
        self._progress.update(self._task, completed=done, rate=rate, left=f"{timedelta(seconds=round(left))} left")

    def stop(self) -> None:
        self._progress.stop()


def duration(seconds: float) -> str:
    """Return seconds for people.

    Example:
        >>> duration(90061)
        '1 d 1 h'
    """
    for unit, size, smaller, part in _UNITS:
        if seconds >= size:
            rest = int(seconds % size / part)
            return f"{int(seconds / size)} {unit}" + (f" {rest} {smaller}" if rest else "")
    return f"{seconds:.1f} s"
