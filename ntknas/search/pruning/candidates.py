"""What may be pruned, and what is measured of it: pairs of supernets with it and without it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

Pair = tuple[float, float]
"""With the candidate, and without it."""


class Candidate(NamedTuple):
    """A choice that a round may prune.

    Attributes:
        round: The round, from 0.
        position: The position; for a cell of NAS-Bench-201 an edge.
        choice: Number of the choice among all of the position.
    """

    round: int
    position: int
    choice: int


@dataclass(frozen=True)
class Measurement:
    """What was measured of a candidate, repeat by repeat.

    Attributes:
        candidate: The candidate.
        conds: Condition numbers of both supernets' kernels; infinity for a singular kernel.
        regions: Numbers of linear regions of both lone cells.
        seconds: Seconds that it took.
        processor_seconds: Seconds of processors: the same where one thread had a core to itself.
    """

    candidate: Candidate
    conds: tuple[Pair, ...]
    regions: tuple[Pair, ...]
    seconds: float
    processor_seconds: float

    def cond_change(self, decimals: int) -> float:
        """Return by what share of itself the condition number falls without the candidate."""
        return _mean_change(self.conds, decimals)

    def region_change(self, decimals: int) -> float:
        """Return by what share of itself the number of linear regions falls without the candidate."""
        return _mean_change(self.regions, decimals)


def _mean_change(pairs: Sequence[Pair], decimals: int) -> float:
    changes = [relative_change(*pair) for pair in pairs]
    return float(np.mean([change if math.isinf(change) else round(change, decimals) for change in changes]))


def relative_change(kept: float, pruned: float) -> float:
    """Return (kept − pruned) / kept, at infinity its limit.

    The published code divides float32 eigenvalues there as they come out, below zero too, and takes 100,000 for NaN.

    Args:
        kept: With the candidate.
        pruned: Without it.

    Returns:
        The change; 1 where only ``kept`` is infinite, −∞ where only ``pruned`` is, 0 where both are.
    """
    if math.isinf(kept):
        return 0.0 if math.isinf(pruned) else 1.0
    return (kept - pruned) / kept
