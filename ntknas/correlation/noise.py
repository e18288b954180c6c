"""How noisy the accuracies themselves are: the agreement of their seeds. The ceiling it sets is in ``ceiling``."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from ntknas.correlation import bootstrap
from ntknas.correlation.bootstrap import LARGE, LEVEL, MIN_CELLS, MIN_RESAMPLES, draw_any, rows_of
from ntknas.correlation.coefficients import COEFFICIENTS, Array
from ntknas.correlation.drawn import Codes, repeated
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


def seed_agreement_interval(
    runs: Array, seed: int = 0, resamples: int = 200, networks: Codes | None = None
) -> dict[str, dict[str, float]] | None:
    """Return the 95 % interval of ``seed_agreement`` over cells, by coefficient; ``None`` where there is none.

    Args:
        runs: As for ``seed_agreement``.
        seed: Seed of the bootstrap.
        resamples: Number of bootstrap resamples; beyond 1,000 cells the mean over pairs of their standard errors.
        networks: A number for each cell's network, where it is known: networks are resampled, not cells.
    """
    if seed_agreement(runs) is None or not resamples:
        return None
    if len(runs) > LARGE:
        return _large_interval(runs, networks)
    draws = draw_any(len(runs), resamples, seed, repeated(networks))
    agreements = [seed_agreement(runs[rows]) for rows in rows_of(draws)]
    values = {name: [a[name] for a in agreements if a and np.isfinite(a[name])] for name in COEFFICIENTS}
    if any(len(finite) < 0.95 * resamples for finite in values.values()):
        return None
    ends = {name: np.quantile(finite, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) for name, finite in values.items()}
    return {name: {"low": float(low), "high": float(high)} for name, (low, high) in ends.items()}


def seed_agreement_with_interval(
    runs: Array, seed: int = 0, resamples: int = 200, networks: Codes | None = None
) -> dict[str, Estimate] | None:
    """Return ``seed_agreement`` with its interval, where it has one.

    Args:
        runs: As for ``seed_agreement``.
        seed: Seed of the bootstrap.
        resamples: Number of bootstrap resamples.
        networks: A number for each cell's network, where it is known.
    """
    agreement = seed_agreement(runs)
    if agreement is None:
        return None
    intervals = seed_agreement_interval(runs, seed, resamples, networks) or {}
    return {name: Estimate(value, **intervals.get(name, {})) for name, value in agreement.items()}


def _large_interval(runs: Array, networks: Codes | None) -> dict[str, dict[str, float]] | None:
    """Return the mean over pairs of seeds of their intervals' ends; pairs share their cells, so that it is as wide.

    ``None`` where a pair has too few cells for one of its intervals.
    """
    result = {}
    for name in COEFFICIENTS:
        intervals = []
        for a, b in combinations(runs.T, 2):
            both = np.isfinite(a) & np.isfinite(b)
            if both.sum() >= MIN_CELLS:
                same = None if networks is None else repeated(networks[both])
                draws = draw_any(int(both.sum()), MIN_RESAMPLES, 0, same)
                intervals.append(bootstrap.estimate(name, a[both], b[both], draws).interval)
        ends = [interval for interval in intervals if interval is not None]
        if len(ends) < len(intervals):
            return None
        low, high = np.mean(ends, axis=0)
        result[name] = {"low": float(low), "high": float(high)}
    return result
