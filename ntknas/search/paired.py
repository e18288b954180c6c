"""Is one strategy better than another? Paired tests over seeds, which draw the same random numbers for both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ntknas.core.holm import holm
from ntknas.search.objective import Array

RESAMPLES, SIGNS = 9_999, 99_999
"""Draws of seeds, and of signs."""
MIN_SEEDS = 10
"""Searches of both that make a test."""


@dataclass(frozen=True)
class Test:
    """A paired test of two strategies.

    Attributes:
        first: One strategy.
        second: The other.
        n: Number of seeds.
        difference: Mean difference of what they found, the first's less the second's.
        low: Lower end of its 95 % interval, by bootstrap over seeds (percentile).
        high: Upper end.
        p: Two-sided p-value: random signs of the differences, 99,999 draws.
        p_holm: The same, corrected by Holm's method for all tests that were made together.
        spent: What both had spent.
    """

    first: str
    second: str
    n: int
    difference: float
    low: float
    high: float
    p: float
    p_holm: float
    spent: float | None = None


def paired_tests(found: Mapping[str, Array], seed: int = 0) -> list[Test]:
    """Test every pair of strategies, the one that found more on average as the first.

    Args:
        found: What each search of each strategy found, seed by seed; NaN for a search that had found nothing.
        seed: Seed of the draws.

    Returns:
        The tests, the smallest p-value first; no pair with fewer than ten seeds on which both found something.
    """
    tests = [test for a, b in combinations(found, 2) if (test := _test(a, b, found, seed)) is not None]
    tests = _corrected([_turned(test) if test.difference < 0 else test for test in tests])
    return sorted(tests, key=lambda test: (test.p, -test.difference))


def against(references: Sequence[str], found: Mapping[float, Mapping[str, Array]], seed: int = 0) -> list[Test]:
    """Test every strategy against some of them, after each of several budgets; corrected for all of these at once.

    Args:
        references: Names of the strategies to test against.
        found: What each search of each strategy had found, by what was spent.
        seed: Seed of the draws.

    Returns:
        The tests, by budget and strategy, of a reference against those before it alone; none of a pair with fewer than
        ten seeds on which both found something.
    """
    tests = [
        replace(test, spent=spent)
        for spent, by_name in found.items()
        for name in by_name
        for reference in (references[: references.index(name)] if name in references else references)
        if (test := _test(name, reference, by_name, seed)) is not None
    ]
    return _corrected(tests)


def _corrected(tests: Sequence[Test]) -> list[Test]:
    corrected = holm([test.p for test in tests])
    return [replace(test, p_holm=p) for test, p in zip(tests, corrected, strict=True)]


def _turned(test: Test) -> Test:
    return replace(
        test, first=test.second, second=test.first, difference=-test.difference, low=-test.high, high=-test.low
    )


def _test(first: str, second: str, found: Mapping[str, Array], seed: int) -> Test | None:
    with np.errstate(invalid="ignore"):
        differences = found[first] - found[second]
    differences = differences[np.isfinite(differences)]
    if len(differences) < MIN_SEEDS:
        return None
    low, high = _interval(differences, np.random.default_rng(seed))
    mean, p = float(differences.mean()), sign_p_value(differences, seed)
    return Test(first, second, len(differences), mean, low, high, p, p)


def _interval(differences: Array, generator: np.random.Generator) -> tuple[float, float]:
    drawn = generator.choice(differences, (RESAMPLES, len(differences))).mean(axis=1)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return float(low), float(high)


def sign_p_value(differences: Array, seed: int = 0) -> float:
    """Return how often a mean of differences is as far from zero when each has a random sign.

    Args:
        differences: The differences.
        seed: Seed of the signs.

    Returns:
        (1 + number of such means) / (1 + number of draws).
    """
    means = _signs(len(differences), seed) @ differences
    observed = abs(float(differences.sum()))
    as_far = np.abs(means) >= observed * (1 - 1e-9)  # sums of the same numbers in another order
    return (1 + int(as_far.sum())) / (1 + SIGNS)


@lru_cache(maxsize=2)
def _signs(number: int, seed: int) -> NDArray[np.float32]:
    """Return random signs, draws × numbers; the tests of one table share them."""
    drawn = np.random.default_rng([seed, number]).integers(0, 2, (SIGNS, number), dtype=np.int8)
    return (2 * drawn - 1).astype(np.float32)
