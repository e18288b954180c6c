"""Whether one measure ranks better than another: paired tests of τ-b on the same cells, corrected for their number."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy import stats

from ntknas.correlation.asymptotic import kendall_influence
from ntknas.correlation.bootstrap import FEWEST_CELLS, LARGE, LEVEL, draw_resamples
from ntknas.correlation.coefficients import Array, kendall, resampled


@dataclass(frozen=True)
class Comparison:
    """The difference of two measures' τ-b.

    Attributes:
        first: Name of the better measure.
        second: Name of the other.
        n: Number of cells that both have a score for, and every other measure that is compared.
        difference: τ-b of the first less that of the second.
        low: Lower end of the 95 % interval of the difference.
        high: Upper end.
        p: Two-sided p-value of no difference.
        p_holm: The same, corrected by Holm's method for all pairs that are compared.
    """

    first: str
    second: str
    n: int
    difference: float
    low: float
    high: float
    p: float
    p_holm: float


@dataclass(frozen=True)
class Difference:
    """The difference of two τ-b on the same cells, with its 95 % interval.

    Attributes:
        n: Number of cells.
        value: τ-b of the first scores less that of the second.
        low: Lower end of the interval.
        high: Upper end.
        p: Two-sided p-value of no difference, not corrected.
    """

    n: int
    value: float
    low: float
    high: float
    p: float


def difference(
    first: Array, second: Array, accuracies: Array, resamples: int = 1000, seed: int = 0
) -> Difference | None:
    """Test one pair of scores; see ``compare``.

    Args:
        first: Signed scores.
        second: Signed scores of the same cells.
        accuracies: Accuracies of these cells.
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.

    Returns:
        The difference, or ``None`` for fewer than ten cells, or a constant.
    """
    taus = [kendall(x, accuracies) for x in (first, second)]
    if len(accuracies) < FEWEST_CELLS or not np.isfinite(taus).all() or not resamples:
        return None
    spread = _spread({"first": first, "second": second}, accuracies, resamples, seed)
    value = float(taus[0] - taus[1])
    return Difference(len(accuracies), value, *_test(value, spread["first"] - spread["second"], len(accuracies)))


def compare(scores: dict[str, Array], accuracies: Array, resamples: int = 1000, seed: int = 0) -> list[Comparison]:
    """Compare every pair of measures.

    By paired bootstrap over cells; beyond 20,000 cells by the standard error of the difference.

    Args:
        scores: Signed scores of each measure on the same cells.
        accuracies: Accuracies of these cells.
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.

    Returns:
        The pairs, the smallest p-value first; none for fewer than ten cells, and no pair with a constant.
    """
    taus = {name: kendall(x, accuracies) for name, x in scores.items()}
    names = sorted((name for name, tau in taus.items() if np.isfinite(tau)), key=lambda name: -taus[name])
    if len(accuracies) < FEWEST_CELLS or len(names) < 2 or not resamples:
        return []
    spread = _spread({name: scores[name] for name in names}, accuracies, resamples, seed)
    found = []
    for first, second in combinations(names, 2):
        difference = taus[first] - taus[second]
        low, high, p = _test(difference, spread[first] - spread[second], len(accuracies))
        found.append(Comparison(first, second, len(accuracies), difference, low, high, p, p))
    found.sort(key=lambda item: (item.p, -item.difference))
    corrected = holm([item.p for item in found])
    return [Comparison(**{**vars(item), "p_holm": p}) for item, p in zip(found, corrected, strict=True)]


def _spread(scores: dict[str, Array], accuracies: Array, resamples: int, seed: int) -> dict[str, Array]:
    """τ-b of each measure on every resample, or each cell's influence on it where there are too many cells."""
    if len(accuracies) > LARGE:
        return {name: kendall_influence(x, accuracies) for name, x in scores.items()}
    drawn = draw_resamples(len(accuracies), resamples, seed)
    return {name: resampled("kendall", x, accuracies, drawn) for name, x in scores.items()}


def _test(difference: float, spread: Array, n: int) -> tuple[float, float, float]:
    """Return interval and p-value of a difference."""
    if n > LARGE:
        error = float(np.std(spread) / np.sqrt(n))
        half = float(stats.norm.ppf((1 + LEVEL) / 2)) * error
        p = float(2 * stats.norm.sf(abs(difference) / error)) if error > 0 else 1.0
        return difference - half, difference + half, p
    spread = spread[np.isfinite(spread)]
    low, high = np.quantile(spread, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    rarer = min(np.count_nonzero(spread <= 0), np.count_nonzero(spread >= 0))
    return float(low), float(high), min(1.0, 2 * (rarer + 1) / (len(spread) + 1))


def holm(p_values: list[float]) -> list[float]:
    """Return p-values, given in ascending order, corrected by Holm's method."""
    corrected, largest = [], 0.0
    for place, p in enumerate(p_values):
        largest = max(largest, min(1.0, (len(p_values) - place) * p))
        corrected.append(largest)
    return corrected
