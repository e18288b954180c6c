"""Scores that guide a search: by cell, signed so that higher is better, and what each costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Score(Protocol):
    """A score of any cell."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    def of(self, cells: Sequence[int] | NDArray[np.int64], /) -> Array:
        """Return the scores of some cells; NaN for a cell that has none, which a search takes for the worst."""
        ...

    def seconds(self, cells: Sequence[int] | NDArray[np.int64], /) -> float:
        """Return the seconds that scoring these cells takes; 0 where that is not known or nothing to speak of."""
        ...


@dataclass(frozen=True)
class KnownScore:
    """A score that is known of all cells that have one: stored, published, a user's own or a count.

    Attributes:
        name: Its name.
        values: By cell of the space, signed; NaN where there is none.
        seconds_per_cell: What a cell took.
    """

    name: str
    values: Array = field(repr=False)
    seconds_per_cell: float = 0.0

    def of(self, cells: Sequence[int] | NDArray[np.int64], /) -> Array:
        """Return the scores of some cells."""
        return self.values[np.asarray(cells, np.int64)]

    def has(self, cells: Sequence[int] | NDArray[np.int64], /) -> int:
        """Return how many of some cells have a score."""
        return int(np.isfinite(self.of(cells)).sum())

    def seconds(self, cells: Sequence[int] | NDArray[np.int64], /) -> float:
        """Return the seconds that scoring these cells took."""
        return self.seconds_per_cell * len(cells)
