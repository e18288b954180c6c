"""Percentile bootstrap intervals over cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntknas.correlation import coefficients
from ntknas.correlation.coefficients import Array

LEVEL = 0.95
FEWEST_CELLS = 10
"""With fewer cells there is no interval; with fewer than three no coefficient either."""


@dataclass(frozen=True)
class Estimate:
    """A coefficient and its interval; ``None`` where there is none.

    Attributes:
        value: The coefficient on all cells.
        low: Lower end of the 95 % interval.
        high: Upper end.
    """

    value: float | None
    low: float | None = None
    high: float | None = None


def draw_resamples(cells: int, resamples: int, seed: int) -> NDArray[np.int64]:
    """Return resamples of ``cells`` places with replacement, shape resamples × cells."""
    return np.random.default_rng(seed).integers(0, cells, size=(resamples, cells))


def estimate(name: str, x: Array, y: Array, resamples: NDArray[np.int64]) -> Estimate:
    """Return a coefficient with its percentile bootstrap interval.

    Args:
        name: ``kendall``, ``spearman`` or ``pearson``.
        x: Scores, shape n.
        y: Accuracies, shape n.
        resamples: As from ``draw_resamples``.

    Returns:
        No value for fewer than three cells or a constant; no interval for fewer than ten cells, or where more than one
        resample in twenty is constant.
    """
    value = coefficients.COEFFICIENTS[name](x, y) if len(x) >= 3 else float("nan")
    if not np.isfinite(value):
        return Estimate(None)
    if len(x) < FEWEST_CELLS or not len(resamples):
        return Estimate(value)
    values = coefficients.resampled(name, x, y, resamples)
    values = values[np.isfinite(values)]
    if len(values) < 0.95 * len(resamples):
        return Estimate(value)
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value, float(low), float(high))
