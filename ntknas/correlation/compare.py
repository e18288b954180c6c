"""Whether one measure ranks better than another: paired tests of τ-b on the same cells, corrected for their number."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy import stats

from ntknas.core.holm import holm
from ntknas.correlation.asymptotic import error_of, kendall_influence
from ntknas.correlation.bootstrap import LEVEL, MIN_CELLS, MIN_RESAMPLES, draw_any, in_chunks, resampled
from ntknas.correlation.coefficients import Array, kendall
from ntknas.correlation.drawn import Codes, repeated

MANY_CELLS = 500
"""With more cells differences are tested by their standard errors: they are normal enough, and resamples take long."""
MAX_RESAMPLES = 20_000
MIN_P = 0.001
"""What the smallest possible p-value may be after correction."""


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
        p_is_bound: Whether p is only known to be no larger: no resample had the other sign.
        p_holm_is_bound: The same of the corrected one.
    """

    first: str
    second: str
    n: int
    difference: float
    low: float
    high: float
    p: float
    p_holm: float
    p_is_bound: bool = False
    p_holm_is_bound: bool = False


class _Test(NamedTuple):
    low: float
    high: float
    p: float
    p_is_bound: bool


@dataclass(frozen=True)
class Difference:
    """The difference of two τ-b on the same cells, with its 95 % interval.

    Attributes:
        n: Number of cells.
        value: τ-b of the first scores less that of the second.
        low: Lower end of the interval.
        high: Upper end.
        p: Two-sided p-value of no difference, not corrected.
        p_is_bound: Whether p is only known to be no larger.
    """

    n: int
    value: float
    low: float
    high: float
    p: float
    p_is_bound: bool = False


def difference(
    first: Array,
    second: Array,
    accuracies: Array,
    resamples: int = 1000,
    seed: int = 0,
    networks: Codes | None = None,
) -> Difference | None:
    """Test one pair of scores; see ``compare``.

    Args:
        first: Signed scores.
        second: Signed scores of the same cells.
        accuracies: Accuracies of these cells.
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.
        networks: A number for each cell's network, where it is known: networks are resampled, not cells.

    Returns:
        The difference, or ``None`` for fewer than ten cells or networks or 200 resamples, or a constant.
    """
    same, number = repeated(networks), len(accuracies) if networks is None else len(np.unique(networks))
    taus = [kendall(x, accuracies) for x in (first, second)]
    if number < MIN_CELLS or not np.isfinite(taus).all() or resamples < MIN_RESAMPLES:
        return None
    spread = _spread({"first": first, "second": second}, accuracies, resamples, seed, same)
    value = float(taus[0] - taus[1])
    return Difference(len(accuracies), value, *_test(value, spread["first"] - spread["second"], len(accuracies), same))


def compare(
    scores: dict[str, Array],
    accuracies: Array,
    resamples: int = 1000,
    seed: int = 0,
    networks: Codes | None = None,
) -> list[Comparison]:
    """Compare every pair of measures.

    By paired bootstrap over cells, with as many resamples as ``enough_resamples`` says; beyond 500 cells by the
    standard error of the difference.

    Args:
        scores: Signed scores of each measure on the same cells.
        accuracies: Accuracies of these cells.
        resamples: Least number of bootstrap resamples; 0 for no tests.
        seed: Seed of the bootstrap.
        networks: A number for each cell's network, where it is known: networks are resampled, not cells.

    Returns:
        The pairs, the smallest p-value first; none for fewer than ten cells or networks, and no pair with a constant.
    """
    same, distinct = repeated(networks), len(accuracies) if networks is None else len(np.unique(networks))
    taus = {name: kendall(x, accuracies) for name, x in scores.items()}
    names = sorted((name for name, tau in taus.items() if np.isfinite(tau)), key=lambda name: -taus[name])
    if distinct < MIN_CELLS or len(names) < 2 or not resamples:
        return []
    pairs = list(combinations(names, 2))
    number = enough_resamples(len(pairs), resamples)
    spread = _spread({name: scores[name] for name in names}, accuracies, number, seed, same)
    tests = []
    for first, second in pairs:
        value = taus[first] - taus[second]
        low, high, p, is_bound = _test(value, spread[first] - spread[second], len(accuracies), same)
        tests.append(Comparison(first, second, len(accuracies), value, low, high, p, p, is_bound, is_bound))
    tests.sort(key=lambda item: (item.p, -item.difference))
    return _corrected(tests)


def enough_resamples(pairs: int, resamples: int) -> int:
    """Return the resamples that some tests need.

    The smallest p-value of B resamples is 2/(B+1): after Holm's correction for all pairs it is to be 0.001 at most, up
    to 20,000 resamples, beyond which p-values are bounds.

    Args:
        pairs: Number of pairs that are tested.
        resamples: The number that was asked for.
    """
    return max(resamples, MIN_RESAMPLES, min(MAX_RESAMPLES, math.ceil(2 * pairs / MIN_P)))


def _corrected(tests: list[Comparison]) -> list[Comparison]:
    """Correct by Holm's method; what is no larger than a corrected bound is one itself."""
    corrected = holm([item.p for item in tests])
    bound = max((p for p, item in zip(corrected, tests, strict=True) if item.p_is_bound), default=-1.0)
    pairs = zip(tests, corrected, strict=True)
    return [replace(item, p_holm=p, p_holm_is_bound=bool(p <= bound and p < 1)) for item, p in pairs]


def _spread(
    scores: dict[str, Array], accuracies: Array, resamples: int, seed: int, networks: Codes | None
) -> dict[str, Array]:
    """Return τ-b of each measure on every resample, or each cell's influence on it where there are many cells."""
    if len(accuracies) > MANY_CELLS:
        return {name: kendall_influence(x, accuracies) for name, x in scores.items()}
    taus: dict[str, list[Array]] = {name: [] for name in scores}
    indices = draw_any(len(accuracies), resamples, seed, networks)
    for chunk in in_chunks(indices, 1000):  # the weights of 1,000 resamples at a time
        for name, values in taus.items():
            values.append(resampled("kendall", scores[name], accuracies, chunk))
    return {name: np.concatenate(values) for name, values in taus.items()}


def _test(difference: float, spread: Array, n: int, networks: Codes | None) -> _Test:
    """Return interval and p-value of a difference."""
    if n > MANY_CELLS:
        error = error_of(spread, networks)
        half = float(stats.norm.ppf((1 + LEVEL) / 2)) * error
        p = float(2 * stats.norm.sf(abs(difference) / error)) if error > 0 else 1.0
        return _Test(difference - half, difference + half, p, p_is_bound=False)
    spread = spread[np.isfinite(spread)]
    low, high = np.quantile(spread, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    # Zeros count on both sides, so that ties never make p smaller.
    rarer = min(np.count_nonzero(spread <= 0), np.count_nonzero(spread >= 0))
    p = min(1.0, float(2 * (rarer + 1) / (len(spread) + 1)))
    return _Test(float(low), float(high), p, p_is_bound=bool(rarer == 0))
