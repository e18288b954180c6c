"""How noisy the accuracies themselves are: the agreement of their seeds, and the ceiling it sets."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from ntknas.correlation.bootstrap import LARGE, LEVEL, Estimate, draw_resamples, estimate
from ntknas.correlation.coefficients import COEFFICIENTS, Array

FEWEST_CELLS = 10
MANY_CELLS_DRAWS = 10


def seed_agreement(runs: Array) -> dict[str, float] | None:
    """Return the correlation of the benchmark's own seeds with one another, the mean over pairs of seeds.

    Args:
        runs: Accuracies, cells × runs, NaN where a cell has fewer runs.

    Returns:
        By coefficient; ``None`` if no two runs share ten cells.
    """
    pairs = []
    for a, b in combinations(runs.T, 2):
        both = np.isfinite(a) & np.isfinite(b)
        if both.sum() >= FEWEST_CELLS:
            pairs.append({name: compute(a[both], b[both]) for name, compute in COEFFICIENTS.items()})
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


def _large_interval(runs: Array) -> dict[str, dict[str, float]]:
    """Mean over pairs of seeds of their intervals' ends: the pairs share their cells, so the mean is as wide."""
    result = {}
    for name in COEFFICIENTS:
        found = []
        for a, b in combinations(runs.T, 2):
            both = np.isfinite(a) & np.isfinite(b)
            if both.sum() >= FEWEST_CELLS:
                found.append(estimate(name, a[both], b[both], draw_resamples(int(both.sum()), 200, 0)))
        low, high = (float(np.mean([getattr(each, end) for each in found])) for end in ("low", "high"))
        result[name] = {"low": low, "high": high}
    return result


def pooled_variance(runs: Array) -> float:
    """Return the variance within cells, pooled: Σ over cells and runs of (a − mean of cell)² / Σ (runs − 1)."""
    count = np.isfinite(runs).sum(axis=1)
    mean = np.nansum(runs, axis=1) / np.maximum(count, 1)
    squares = np.nansum((runs - mean[:, None]) ** 2)
    freedom = np.maximum(count - 1, 0).sum()
    return float(squares / freedom) if freedom else float("nan")


def ceiling(runs: Array, seed: int = 0, draws: int = 200) -> dict[str, Estimate] | None:
    """Return the correlation that the true accuracies would reach with the noisy table.

    By simulation: the seed means, shrunk to the mean so that their variance is the true accuracies' (theirs less the
    noise), stand for the truth; a table is that truth plus normal noise of variance σ²/(runs of the cell), σ² pooled
    over cells.

    Args:
        runs: Accuracies, cells × runs, NaN where a cell has fewer runs.
        seed: Seed of the simulation.
        draws: Number of simulated tables; ten beyond 20,000 cells, where each takes long and all agree.

    Returns:
        By coefficient the mean and the middle 95 % of the draws; ``None`` without repeated runs, under ten cells, or
        where the noise explains all differences between cells.
    """
    runs = runs[np.isfinite(runs).any(axis=1)]
    variance = pooled_variance(runs)
    if not np.isfinite(variance) or len(runs) < FEWEST_CELLS:
        return None
    noise = variance / np.isfinite(runs).sum(axis=1)
    mean = np.nanmean(runs, axis=1)
    spread = float(mean.var())
    shrink = np.sqrt(max(0.0, 1 - noise.mean() / spread)) if spread > 0 else 0.0
    if shrink == 0:
        return None
    truth = mean.mean() + shrink * (mean - mean.mean())
    draws = draws if len(runs) <= LARGE else MANY_CELLS_DRAWS
    generator = np.random.default_rng(seed)
    tables = truth + np.sqrt(noise) * generator.standard_normal((draws, len(truth)))
    result = {}
    for name, compute in COEFFICIENTS.items():
        values = np.array([compute(truth, table) for table in tables])
        low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        result[name] = Estimate(float(values.mean()), float(low), float(high))
    return result
