"""How noisy the accuracies themselves are: the agreement of their seeds. The ceiling it sets is in ``ceiling``."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from ntknas.correlation.bootstrap import LARGE, LEVEL, MIN_CELLS, draw_resamples, estimate
from ntknas.correlation.coefficients import COEFFICIENTS, Array
from ntknas.correlation.estimate import Estimate


def seed_agreement(runs: Array) -> dict[str, float] | None:
    """Return the correlation of the benchmark's own seeds with one another, the mean over pairs of seeds.

    Args:
        runs: Accuracies, cells × runs, NaN where a cell has fewer runs.

    Returns:
        By coefficient; ``None`` if no two runs share ten cells on which neither is constant.
    """
    pairs = []
    for a, b in combinations(runs.T, 2):
        both = np.isfinite(a) & np.isfinite(b)
        if both.sum() >= MIN_CELLS:
            pair = {name: compute(a[both], b[both]) for name, compute in COEFFICIENTS.items()}
            pairs += [pair] if np.isfinite(list(pair.values())).all() else []
    if not pairs:
        return None
    return {name: float(np.mean([pair[name] for pair in pairs])) for name in COEFFICIENTS}


def seed_agreement_interval(runs: Array, seed: int = 0, resamples: int = 200) -> dict[str, dict[str, float]] | None:
    """Return the 95 % interval of ``seed_agreement`` over cells, by coefficient; ``None`` where there is none.

    Args:
        runs: As for ``seed_agreement``.
        seed: Seed of the bootstrap.
        resamples: Number of bootstrap resamples; beyond 20,000 cells the mean over pairs of their standard errors.
    """
    if seed_agreement(runs) is None or not resamples:
        return None
    if len(runs) > LARGE:
        return _large_interval(runs)
    drawn = [seed_agreement(runs[rows]) for rows in draw_resamples(len(runs), resamples, seed)]
    values = {name: [each[name] for each in drawn if each and np.isfinite(each[name])] for name in COEFFICIENTS}
    if any(len(found) < 0.95 * resamples for found in values.values()):
        return None
    ends = {name: np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) for name, found in values.items()}
    return {name: {"low": float(low), "high": float(high)} for name, (low, high) in ends.items()}


def seed_agreement_with_interval(runs: Array, seed: int = 0, resamples: int = 200) -> dict[str, Estimate] | None:
    """Return ``seed_agreement`` with its interval, where it has one.

    Args:
        runs: As for ``seed_agreement``.
        seed: Seed of the bootstrap.
        resamples: Number of bootstrap resamples.
    """
    agreement = seed_agreement(runs)
    if agreement is None:
        return None
    intervals = seed_agreement_interval(runs, seed, resamples) or {}
    return {name: Estimate(value, **intervals.get(name, {})) for name, value in agreement.items()}


def _large_interval(runs: Array) -> dict[str, dict[str, float]]:
    """Mean over pairs of seeds of their intervals' ends: the pairs share their cells, so the mean is as wide."""
    result = {}
    for name in COEFFICIENTS:
        found = []
        for a, b in combinations(runs.T, 2):
            both = np.isfinite(a) & np.isfinite(b)
            if both.sum() >= MIN_CELLS:
                found.append(estimate(name, a[both], b[both], draw_resamples(int(both.sum()), 200, 0)))
        low, high = (float(np.mean([getattr(each, end) for each in found])) for end in ("low", "high"))
        result[name] = {"low": low, "high": high}
    return result
