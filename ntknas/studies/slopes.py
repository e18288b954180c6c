"""Slopes of power laws: straight lines through logarithms, with intervals by bootstrap over repeats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

RESAMPLES = 1000
LEVEL = 0.95
MIN_REPEATS = 5
"""Repeats of each width from which a slope has an interval."""


@dataclass(frozen=True)
class Slope:
    """The exponent of a power law.

    Attributes:
        value: Slope of the least-squares line through (log x, log y).
        low: Lower end of its 95 % interval; ``None`` for fewer than five repeats.
        high: Upper end.
        local: Slopes between neighbouring x.
    """

    value: float
    low: float | None
    high: float | None
    local: tuple[float, ...]

    def contains(self, value: float) -> bool:
        """Whether the interval holds a value; false without an interval."""
        return self.low is not None and self.high is not None and self.low <= value <= self.high

    def figures(self, name: str) -> dict[str, float]:
        """Return the slope and its interval, where it has one, under a name."""
        ends = {} if self.low is None or self.high is None else {f"{name}, low": self.low, f"{name}, high": self.high}
        return {name: self.value, **ends}

    def __str__(self) -> str:
        """Return the slope with its interval."""
        interval = "" if self.low is None else f" [{self.low:.2f}, {self.high:.2f}]"
        return f"{self.value:.2f}{interval}"


def fitted(x: np.ndarray, y: np.ndarray) -> float:
    """Return the slope of log y by log x.

    Raises:
        ValueError: If there are fewer than two points.

    Example:
        >>> round(fitted(np.array([1.0, 10.0, 100.0]), np.array([5.0, 0.5, 0.05])), 6)
        -1.0
    """
    if len(x) < 2:
        raise ValueError("a slope needs two points")
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def slope(
    x: np.ndarray,
    repeats: Sequence[np.ndarray],
    statistic: Callable[[np.ndarray, np.ndarray], float],
    seed: int = 0,
) -> Slope | None:
    """Fit a power law to a statistic of repeats at each x.

    Args:
        x: Where, such as widths.
        repeats: At each place an array whose first axis are the repeats.
        statistic: Takes such an array and which repeats to use; a resample has some of them twice.
        seed: Seed of the bootstrap over repeats.

    Returns:
        The slope, or ``None`` for fewer than two places where the statistic is positive.
    """
    values = np.array([statistic(group, np.arange(len(group))) for group in repeats])
    usable = np.isfinite(values) & (values > 0)
    if usable.sum() < 2:
        return None
    points, groups = x[usable], [group for group, use in zip(repeats, usable, strict=True) if use]
    local = tuple(fitted(points[[a, b]], values[usable][[a, b]]) for a, b in pairwise(range(len(points))))
    value = fitted(points, values[usable])
    if min(map(len, groups)) < MIN_REPEATS:
        return Slope(value, None, None, local)
    generator = np.random.default_rng(seed)
    resampled = []
    for _ in range(RESAMPLES):
        statistics = [statistic(group, generator.integers(0, len(group), len(group))) for group in groups]
        if np.isfinite(statistics).all() and min(statistics) > 0:
            resampled.append(fitted(points, np.array(statistics)))
    low, high = np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) if resampled else (np.nan, np.nan)
    return Slope(value, float(low), float(high), local)


def mean_of_repeats(values: np.ndarray, rows: np.ndarray) -> float:
    """Return the geometric mean of one number per repeat."""
    return geometric_mean(values[rows])


def geometric_mean(values: np.ndarray) -> float:
    """Return the geometric mean of positive numbers; NaN of none."""
    return float(np.exp(np.log(values).mean())) if len(values) else float("nan")


def root_mean_square(values: np.ndarray, rows: np.ndarray) -> float:
    """Return the root mean square of one number per repeat."""
    return float(np.sqrt((values[rows] ** 2).mean()))


def mean_of_pairs(distances: np.ndarray, rows: np.ndarray) -> float:
    """Return the mean of distances over pairs of different repeats; a repeat that was drawn twice makes no pair."""
    upper, lower = np.triu_indices(len(rows), 1)
    first, second = rows[upper], rows[lower]
    different = first != second
    return float(distances[first[different], second[different]].mean()) if different.any() else float("nan")
