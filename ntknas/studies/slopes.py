"""Slopes of power laws: straight lines through logarithms, with intervals by bootstrap over repeats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ntknas.report.text import Formula

RESAMPLES = 1000
LEVEL = 0.95
MIN_REPEATS = 5
"""Repeats of each width from which a slope has an interval."""
ROOT_LAW = Formula(r"$\propto\,$width$^{-1/2}$")
"""Name of the law that theory has for what is random in a network of some width."""
_TAIL = (1 - LEVEL) / 2
Statistic = Callable[[np.ndarray, np.ndarray], float]
"""Takes an array whose first axis are the repeats, and which repeats to use."""


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
    statistic: Statistic,
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
    low, high = np.quantile(resampled, [_TAIL, 1 - _TAIL]) if resampled else (np.nan, np.nan)
    return Slope(value, float(low), float(high), local)


def interval(group: np.ndarray, statistic: Statistic, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % interval of a statistic of repeats, by bootstrap over them.

    Args:
        group: An array whose first axis are the repeats.
        statistic: As for ``slope``.
        seed: Seed of the bootstrap.

    Returns:
        Its ends; NaN for fewer than five repeats.
    """
    if len(group) < MIN_REPEATS:
        return np.nan, np.nan
    generator = np.random.default_rng(seed)
    drawn = [statistic(group, generator.integers(0, len(group), len(group))) for _ in range(RESAMPLES)]
    finite = np.array(drawn)[np.isfinite(drawn)]
    return (float(np.quantile(finite, _TAIL)), float(np.quantile(finite, 1 - _TAIL))) if len(finite) else (np.nan,) * 2


def power_law(x: np.ndarray, y: np.ndarray, exponent: float) -> np.ndarray:
    """Return the power law of a given exponent that lies nearest all points, by the squares of logarithms.

    Args:
        x: Where, positive.
        y: Values; those that are not positive numbers do not count.
        exponent: The exponent.

    Returns:
        Its values at x; NaN where no value counts.

    Example:
        >>> power_law(np.array([1.0, 100.0]), np.array([4.0, 0.01]), -1.0)
        array([2.  , 0.02])
    """
    usable = np.isfinite(y) & (y > 0)
    if not usable.any():
        return np.full(len(x), np.nan)
    factor = np.exp(np.mean(np.log(y[usable]) - exponent * np.log(x[usable])))
    law: np.ndarray = factor * x**exponent
    return law


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
