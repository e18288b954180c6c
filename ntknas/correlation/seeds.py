"""Intervals over cells and initialisations.

Networks of one seed share the weights of stem, reductions and head, so that a seed moves the scores of all cells
together, and more cells do not average that out. How far a coefficient moves from seed to seed has to be seen on seeds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from ntknas.correlation.bootstrap import LEVEL
from ntknas.correlation.estimate import Estimate

CELLS = "cells"
BOTH = "cells and initialisation"


def with_seeds(over_cells: Estimate, jackknifed: Sequence[float]) -> Estimate:
    """Widen an interval over cells by what the coefficient moves with the seeds.

    With S seeds and θ_s the coefficient of the score over the others, the jackknife variance over seeds is
    v = (S−1)/S · Σ(θ_s − mean)², and each end lies √(d² + t²·v) from the coefficient, where d is its distance over
    cells and t the 97.5 % quantile of Student's distribution with S−1 degrees of freedom.

    Args:
        over_cells: The coefficient of the score over all seeds, with its interval over cells.
        jackknifed: The coefficient without each seed in turn, on the same cells.

    Returns:
        No interval where the given one has none, or a coefficient without a seed is not defined.
    """
    if over_cells.value is None or over_cells.low is None or over_cells.high is None:
        return over_cells
    if not np.isfinite(jackknifed).all():
        return Estimate(over_cells.value)
    reach = seed_reach(jackknifed)
    low = over_cells.value - math.hypot(max(0.0, over_cells.value - over_cells.low), reach)
    high = over_cells.value + math.hypot(max(0.0, over_cells.high - over_cells.value), reach)
    return Estimate(over_cells.value, max(-1.0, low), min(1.0, high))


def seed_reach(jackknifed: Sequence[float]) -> float:
    """Return half of the 95 % interval over seeds alone."""
    seeds = len(jackknifed)
    variance = (seeds - 1) * float(np.var(jackknifed))
    return float(stats.t.ppf((1 + LEVEL) / 2, seeds - 1)) * math.sqrt(variance)
