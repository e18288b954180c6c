"""Progress on standard error: a bar on a terminal, a line now and then elsewhere; with rate and time left."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

import click

T = TypeVar("T")
_LINE_SECONDS = 15.0


def track(work: Iterable[T], total: int, description: str, unit: str) -> Iterator[T]:
    """Yield from ``work`` and show how far it is.

    Args:
        work: What is done, one item a step.
        total: Number of steps.
        description: What is done.
        unit: What a step is, in the plural.
    """
    return _bar(work, total, description, unit) if sys.stderr.isatty() else _lines(work, total, description, unit)


def _bar(work: Iterable[T], total: int, description: str, unit: str) -> Iterator[T]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn(description),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    start = time.monotonic()
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(description, total=total, rate="")
        for done, item in enumerate(work, start=1):
            yield item
            progress.update(task, advance=1, rate=_rate(done, start, unit))


def _lines(work: Iterable[T], total: int, description: str, unit: str) -> Iterator[T]:
    start = last = time.monotonic()
    for done, item in enumerate(work, start=1):
        yield item
        now = time.monotonic()
        if now - last >= _LINE_SECONDS or done == total:
            last = now
            left = (now - start) / done * (total - done)
            click.echo(f"{description} {done}/{total}, {_rate(done, start, unit)}, {left:.0f} s left", err=True)


def _rate(done: int, start: float, unit: str) -> str:
    return f"{done / max(time.monotonic() - start, 1e-9):.2f} {unit}/s"
