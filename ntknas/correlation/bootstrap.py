"""Intervals over cells: percentile bootstrap, or a standard error where there are very many cells."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ntknas.correlation import coefficients
from ntknas.correlation.asymptotic import standard_error
from ntknas.correlation.coefficients import Array

LEVEL = 0.95
LARGE = 20_000
"""Beyond this number of cells an interval is the coefficient ± 1.96 standard errors: each resample would take long, and
the normal approximation is as good."""
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
    """Return resamples of ``cells`` places with replacement, shape resamples × cells.

    Beyond ``LARGE`` cells a single empty row stands for them, since they are not used.
    """
    if cells > LARGE and resamples:
        return np.empty((1, 0), dtype=np.int64)
    return np.random.default_rng(seed).integers(0, cells, size=(resamples, cells))


def estimate(name: str, x: Array, y: Array, resamples: NDArray[np.int64]) -> Estimate:
    """Return a coefficient with its interval: percentile bootstrap, or standard error beyond ``LARGE`` cells.

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
    if len(x) > LARGE:
        half = float(stats.norm.ppf((1 + LEVEL) / 2)) * standard_error(name, x, y)
        return Estimate(value, max(-1.0, value - half), min(1.0, value + half))
    values = coefficients.resampled(name, x, y, resamples)
    values = values[np.isfinite(values)]
    if len(values) < 0.95 * len(resamples):
        return Estimate(value)
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value, float(low), float(high))


def estimate_of_top(x: Array, y: Array, share: float, resamples: NDArray[np.int64]) -> Estimate:
    """Return τ-b among the share of cells with the highest accuracies, and those tied with the last of them.

    The top is taken anew in every resample; beyond ``LARGE`` cells the interval is that of the chosen cells.

    Args:
        x: Scores, shape n.
        y: Accuracies, shape n.
        share: The share.
        resamples: As from ``draw_resamples``.

    Returns:
        No value where fewer than ten cells are in the top; no interval as in ``estimate``.
    """
    count = math.ceil(share * len(y))
    if count < FEWEST_CELLS:
        return Estimate(None)
    top = y >= np.sort(y)[-count]
    value = coefficients.kendall(x[top], y[top])
    if not np.isfinite(value) or not len(resamples):
        return Estimate(value if np.isfinite(value) else None)
    if len(x) > LARGE:
        return estimate("kendall", x[top], y[top], draw_resamples(int(top.sum()), 1000, 0))
    values = coefficients.resampled_top(x, y, count, resamples)
    values = values[np.isfinite(values)]
    if len(values) < 0.95 * len(resamples):
        return Estimate(value)
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value, float(low), float(high))
