"""Is one strategy better than another? Paired tests over seeds, which draw the same random numbers for both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from scipy import stats

from ntknas.core.holm import holm
from ntknas.search.objective import Array

RESAMPLES = 9_999


@dataclass(frozen=True)
class Test:
    """A paired test of two strategies.

    Attributes:
        first: The strategy that found more on average.
        second: The other.
        n: Number of seeds.
        difference: Mean difference of what they found.
        low: Lower end of its 95 % interval, by bootstrap over seeds (percentile).
        high: Upper end.
        p: Two-sided p-value: random signs of the differences, 9,999 draws.
        p_holm: The same, corrected for all pairs by Holm's method.
    """

    first: str
    second: str
    n: int
    difference: float
    low: float
    high: float
    p: float
    p_holm: float


def paired_tests(found: Mapping[str, Array], seed: int = 0) -> list[Test]:
    """Test every pair of strategies.

    Args:
        found: What each search of each strategy found, seed by seed; NaN for a search that had found nothing.
        seed: Seed of the draws.

    Returns:
        The tests, the smallest p-value first; no pair with fewer than ten seeds on which both found something.
    """
    tests = [test for a, b in combinations(found, 2) if (test := _test(a, b, found[a] - found[b], seed)) is not None]
    corrected = holm([test.p for test in tests])
    tests = [replace(test, p_holm=p) for test, p in zip(tests, corrected, strict=True)]
    return sorted(tests, key=lambda test: (test.p, -test.difference))


def _test(first: str, second: str, differences: Array, seed: int) -> Test | None:
    differences = differences[np.isfinite(differences)]
    if len(differences) < 10:
        return None
    if differences.mean() < 0:
        first, second, differences = second, first, -differences
    mean = float(differences.mean())
    generator = np.random.default_rng(seed)
    drawn = generator.choice(differences, (RESAMPLES, len(differences))).mean(axis=1)
    low, high = (float(end) for end in np.quantile(drawn, (0.025, 0.975)))
    signs = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=RESAMPLES, rng=generator, vectorized=True
    )
    return Test(first, second, len(differences), mean, low, high, float(signs.pvalue), float(signs.pvalue))
