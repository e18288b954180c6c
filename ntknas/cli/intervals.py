"""What commands share that have intervals: the note that resamples are too few, and progress where they take time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

from ntknas.cli.output import note

if TYPE_CHECKING:
    from ntknas.correlation.join import Pair

T = TypeVar("T")
_MANY_CELLS = 1000
"""Cells from which intervals and many targets take so long that progress is shown."""


def note_few_resamples(resamples: int) -> None:
    """Say that so many resamples give no intervals, where they do not."""
    from ntknas.correlation.bootstrap import MIN_RESAMPLES

    if 0 < resamples < MIN_RESAMPLES:
        note(f"{resamples} resamples give no intervals: they need {MIN_RESAMPLES} or more (--resamples).")


def metered_if_many(work: list[T], cells_of: Callable[[T], int], description: str, unit: str) -> Iterable[T]:
    """Go through ``work``, and show how far it is where an item of it has so many cells that it takes time.

    Args:
        work: What is done, one item per step.
        cells_of: Returns the number of cells of an item.
        description: What is done.
        unit: What a step is, in the plural.

    Returns:
        The items, one by one.
    """
    from ntknas.cli.meter import metered

    if all(cells_of(item) < _MANY_CELLS for item in work):
        return work
    return metered(work, len(work), description, unit)


def correlating(pairs: list[Pair]) -> Iterable[Pair]:
    """Show how far rows of a correlation are."""
    return metered_if_many(pairs, lambda pair: len(pair[1].cells), "Correlating", "rows")
