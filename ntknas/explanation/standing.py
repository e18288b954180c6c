"""Where one cell stands among all others by one number."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from ntknas.core.shown import in_digits

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Standing:
    """A cell's place by one number, such as a measure, a count or an accuracy.

    Attributes:
        name: What the number is.
        value: Its value; ``None`` where the cell has none.
        place: 1 for the best; cells with equal values share the best of their places. ``None`` without a value.
        tied: How many other cells have the same value.
        of: How many cells have a value.
        percentile: How many percent of the other cells it beats, counting half of those with the same value: 100 is
            the best. ``None`` without a value, or where no other cell has one.
        unit: Unit of the value; empty where it has none.
    """

    name: str
    value: float | None
    place: int | None
    tied: int
    of: int
    percentile: float | None
    unit: str = ""

    def as_json(self) -> dict[str, object]:
        """Return it as plain data."""
        return asdict(self)

    def shown_place(self) -> tuple[str, str]:
        """Return place and percentile as texts."""
        return ("–" if self.place is None else f"{self.place:,} of {self.of:,}"), in_digits(self.percentile, 3)


def standing(name: str, values: Array, cell: int, *, higher_is_better: bool, unit: str = "") -> Standing:
    """Find a cell's place.

    Args:
        name: What the numbers are.
        values: Those of all cells, by index; NaN where there is none.
        cell: Index of the cell.
        higher_is_better: Their direction.
        unit: Their unit.

    Returns:
        The place.
    """
    there = values[np.isfinite(values)]
    value = float(values[cell])
    if not np.isfinite(value):
        return Standing(name, None, None, 0, len(there), None, unit)
    signed, own = (there, value) if higher_is_better else (-there, -value)
    better, tied = int((signed > own).sum()), int((signed == own).sum()) - 1
    others = len(there) - 1
    worse = others - better - tied
    percentile = 100 * (worse + tied / 2) / others if others else None
    return Standing(name, value, better + 1, tied, len(there), percentile, unit)


def percentiles(values: Array, *, higher_is_better: bool) -> Array:
    """Return the percentile of every cell, as ``standing`` has it; NaN where a cell has no value.

    Args:
        values: Numbers of all cells, by index; NaN where there is none.
        higher_is_better: Their direction.

    Returns:
        The percentiles.
    """
    is_there = np.isfinite(values)
    signed = values[is_there] if higher_is_better else -values[is_there]
    ordered = np.sort(signed)
    below, until = (np.searchsorted(ordered, signed, side) for side in ("left", "right"))
    found = np.full(len(values), np.nan)
    if len(signed) > 1:
        found[is_there] = 100 * (below + (until - below - 1) / 2) / (len(signed) - 1)
    return found
