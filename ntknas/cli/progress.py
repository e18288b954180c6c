"""Progress on standard error: a bar on a terminal, a line now and then elsewhere; with rate and time left."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import TypeVar

import click

T = TypeVar("T")
_LINE_SECONDS = 15.0
_MEGA = {"bytes": "MB"}


def track(work: Iterable[T], total: int, description: str, unit: str) -> Iterator[T]:
    """Yield from ``work`` and show how far it is.

    Args:
        work: What is done, one item a step.
        total: Number of steps.
        description: What is done.
        unit: What a step is, in the plural.
    """
    with Meter(total, description, unit) as meter:
        for item in work:
            yield item
            meter.advance(1)


class Meter:
    """Shows how far something is that counts its own steps.

    Args:
        total: Number of steps.
        description: What is done.
        unit: What a step is, in the plural; ``bytes`` are shown as megabytes.
    """

    def __init__(self, total: int, description: str, unit: str):
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

    def advance(self, steps: int) -> None:
        """Count steps that were done."""
        if not steps:
            return
        self._done += steps
        if self._bar:
            self._bar.update(self._done / self._scale, self._rate())
            return
        now = time.monotonic()
        if now - self._last >= _LINE_SECONDS or self._done == self._total:
            self._last = now
            left = (now - self._start) / max(self._done, 1) * (self._total - self._done)
            done = f"{self._done / self._scale:.0f}/{self._total / self._scale:.0f}"
            click.echo(f"{self._description} {done}, {self._rate()}, {left:.0f} s left", err=True)

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
            TimeRemainingColumn,
        )

        self._progress = Progress(
            TextColumn(description),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            refresh_per_second=4,
        )
        self._task = self._progress.add_task(description, total=total, rate="")
        self._progress.start()

    def update(self, done: float, rate: str) -> None:
        self._progress.update(self._task, completed=done, rate=rate)

    def stop(self) -> None:
        self._progress.stop()
