"""The noise ceiling: how well the true accuracies would rank the cells of a noisy table.

The noise of a training run depends on the accuracy that it is near: on CIFAR-10 its standard deviation falls from about
one point among the worst cells to 0.2 among the best, and one figure for all cells gives a ceiling that a single
held-out run beats. So the noise is measured locally, on a scale on which it is equal everywhere the true accuracies'
distribution is freed of it, and true accuracies are drawn from what remains possible given each cell's own runs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ntknas.correlation.bootstrap import LEVEL, MIN_CELLS, top_of
from ntknas.correlation.coefficients import COEFFICIENTS, Array, kendall
from ntknas.correlation.estimate import TOP_SHARES, Estimate

DRAWS = {2_000: 100, 20_000: 40}
"""Number of draws up to so many cells; ten beyond, where each takes long and all agree."""
MANY_CELLS_DRAWS = 10
MIN_WINDOW = 40
WINDOWS = 20
"""The noise at an accuracy is that of the nearest twentieth of the cells, or of 40 of them."""
FEW_CELLS, REFITS = 2_000, 20
"""In a table of fewer cells noise and distribution are fitted to 20 resamples, so that the interval has their error."""
STEP = 0.1
"""Width of the grid, in standard deviations of the noise of one run."""
NARROWEST = 1 / 20_000
"""Least noise, as a share of the range of the table: bounds the grid where runs of a cell are equal."""
ITERATIONS = 3
"""More of them follow the sample rather than the distribution (simulated tables of 30 to 8,000 cells)."""


def ceiling(
    runs: Array, seed: int = 0, draws: int | None = None, cells: NDArray[np.int64] | None = None
) -> dict[str, Estimate] | None:
    """Return the correlation that the true accuracies would reach with the noisy table.

    Args:
        runs: Accuracies, cells × runs, NaN where a cell has fewer runs.
        seed: Seed of the draws.
        draws: Number of draws of the true accuracies.  [default: 100, of many cells fewer]
        cells: Rows to take the ceiling of, noise and distribution being those of all rows; all without it.

    Returns:
        By coefficient, and for τ-b among the best (``kendall_top10``, ``kendall_top25``; from ten cells on), the mean
        and the middle 95 % of the draws; ``None`` without repeated runs, under ten cells, or where the noise explains
        all differences between cells.
    """
    is_chosen = np.zeros(len(runs), dtype=bool)
    is_chosen[slice(None) if cells is None else cells] = True
    has_runs = np.isfinite(runs).any(axis=1)
    runs, is_chosen = runs[has_runs], is_chosen[has_runs]
    if is_chosen.sum() < MIN_CELLS:
        return None
    generator = np.random.default_rng(seed)
    fits = _fits(runs, generator)
    if not fits:
        return None
    draws = draws or next((number for limit, number in DRAWS.items() if is_chosen.sum() <= limit), MANY_CELLS_DRAWS)
    table, counts = runs_mean(runs)[is_chosen], np.isfinite(runs).sum(axis=1)[is_chosen]
    shares = [len(share) for share in np.array_split(np.arange(draws), len(fits))]
    truths = [fit.draw(table, counts, share, generator) for fit, share in zip(fits, shares, strict=True) if share]
    return _estimates(np.concatenate(truths), table)


def _fits(runs: Array, generator: np.random.Generator) -> list[_Truth]:
    """Fit the table, or resamples of a small one; none where all differences may be noise."""
    fit = _Truth.fit(runs)
    if fit is None or len(runs) >= FEW_CELLS:
        return [fit] if fit else []
    resamples = generator.integers(0, len(runs), (REFITS, len(runs)))
    return [refit for refit in (_Truth.fit(runs[rows]) for rows in resamples) if refit] or [fit]


def _estimates(truths: Array, table: Array) -> dict[str, Estimate]:
    """Correlate every draw of the true accuracies with the table, on all cells and among the table's best."""
    values = {name: [compute(truth, table) for truth in truths] for name, compute in COEFFICIENTS.items()}
    for name, share in TOP_SHARES.items():
        if math.ceil(share * len(table)) >= MIN_CELLS:
            top = top_of(table, share)
            values[name] = [kendall(truth[top], table[top]) for truth in truths]
    estimates = {}
    for name, draws in values.items():
        low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        estimates[name] = Estimate(float(np.mean(draws)), float(low), float(high))
    return estimates


def runs_mean(runs: Array) -> Array:
    """Return the mean over the runs of each cell, which has one at least."""
    mean: Array = np.nansum(runs, axis=1) / np.isfinite(runs).sum(axis=1)
    return mean


def noise_scale(runs: Array) -> tuple[Array, Array] | None:
    """Return accuracies, ascending, and the standard deviation of one run's noise near each of them.

    From the mean absolute difference of two runs of a cell, as for normal noise: what noise costs a rank correlation
    goes with that, and one training that failed in a hundred does not decide it as it would decide a variance.

    Args:
        runs: Accuracies, cells × runs, NaN where a cell has fewer runs.

    Returns:
        ``None`` without repeated runs.
    """
    gaps = np.stack([np.abs(a - b) for a, b in combinations(runs.T, 2)] or [np.full(len(runs), np.nan)])
    repeated = np.isfinite(gaps).any(axis=0)
    if not repeated.any():
        return None
    mean, gap = runs_mean(runs[repeated]), np.nanmean(gaps[:, repeated], axis=0)
    order = np.argsort(mean, kind="stable")  # numpy's default orders ties by the processor that it runs on
    width = min(len(order), max(MIN_WINDOW, len(order) // WINDOWS))
    starts = np.unique(np.linspace(0, len(order) - width, 1 + 4 * (len(order) // width)).astype(int))
    sums = (np.concatenate([[0.0], np.cumsum(values[order])]) for values in (mean, gap))
    accuracy, scale = ((total[starts + width] - total[starts]) / width for total in sums)
    return accuracy, scale * math.sqrt(math.pi) / 2  # of two normal runs the mean |a − b| is 2σ/√π


@dataclass(frozen=True)
class _Truth:
    """The distribution of the true accuracies of a table, on a scale where one run's noise has standard deviation 1.

    Attributes:
        accuracies: Accuracies, ascending, at which the scale is tabulated.
        scaled: The same on the scale.
        centres: Middles of the intervals of a grid on the scale.
        shares: Share of the cells whose true accuracy is in each.
    """

    accuracies: Array
    scaled: Array
    centres: Array
    shares: Array

    @classmethod
    def fit(cls, runs: Array) -> _Truth | None:
        """Free the distribution of the means of their noise; ``None`` where they differ by no more than noise does."""
        scale, mean, counts = noise_scale(runs), runs_mean(runs), np.isfinite(runs).sum(axis=1)
        spread = float(np.ptp(mean))
        if scale is None or spread * NARROWEST == 0:  # so small a spread underflows
            return None
        margin = 3 * float(scale[1].max())
        accuracies = np.linspace(mean.min() - margin, mean.max() + margin, 20_001)
        noise = np.maximum(np.interp(accuracies, *scale), NARROWEST * spread)
        steps = np.diff(accuracies) * 2 / (noise[1:] + noise[:-1])
        scaled = np.concatenate([[0.0], np.cumsum(steps)])
        observed = np.interp(mean, accuracies, scaled)
        if observed.var() <= np.mean(1 / counts):
            return None
        centres = np.arange(scaled[0], scaled[-1] + STEP, STEP)
        return cls(accuracies, scaled, centres, _without_noise(observed, counts, centres))

    def draw(self, table: Array, counts: NDArray[np.int64], draws: int, generator: np.random.Generator) -> Array:
        """Draw true accuracies given the cells' means and numbers of runs, shape draws × cells."""
        observed = np.interp(table, self.accuracies, self.scaled)
        truth = np.empty((draws, len(table)))
        for step, count, cells in _alike(_grid_steps(observed), counts):
            kernel = _normal(1 / count)
            first = step - len(kernel) // 2
            near = np.arange(max(first, 0), min(first + len(kernel), len(self.centres)))
            cumulated = np.cumsum(self.shares[near] * kernel[near - first])
            # Times the last sum, not over it: no draw then lies beyond the last by rounding.
            picked = np.searchsorted(cumulated, generator.random((draws, len(cells))) * cumulated[-1])
            truth[:, cells] = self.centres[near[picked]] + (observed[cells] - self.centres[step])
        truth += STEP * (generator.random(truth.shape) - 0.5)
        return np.interp(truth, self.scaled, self.accuracies)


def _grid_steps(observed: Array) -> NDArray[np.int64]:
    """Return the interval of the grid that each value is in."""
    return np.round(observed / STEP).astype(np.int64)


def _alike(steps: NDArray[np.int64], counts: NDArray[np.int64]) -> list[tuple[int, int, NDArray[np.int64]]]:
    """Return the cells of each interval of the grid and number of runs."""
    base = int(counts.max()) + 1
    keys, inverse = np.unique(steps * base + counts, return_inverse=True)
    # Stable, so that which cell gets which draw hangs on the seed alone.
    groups = np.split(np.argsort(inverse, kind="stable"), np.cumsum(np.bincount(inverse))[:-1])
    return [(int(key) // base, int(key) % base, cells) for key, cells in zip(keys, groups, strict=True)]


def _without_noise(observed: Array, counts: NDArray[np.int64], centres: Array) -> Array:
    """Return the distribution of the true values, by a few steps of expectation and maximisation.

    They start at the means, shrunk and smoothed so that their variance is the true values'.
    """
    shares = _start(observed, float(np.mean(1 / counts)), len(centres))
    steps = _grid_steps(observed)
    histograms = {
        int(count): np.bincount(steps[counts == count], minlength=len(centres)) for count in np.unique(counts)
    }
    for _ in range(ITERATIONS):
        weights = np.zeros(len(centres))
        for count, number in histograms.items():
            kernel = _normal(1 / count)
            expected = _smoothed(shares, kernel)
            ratio = np.divide(number, expected, out=np.zeros(len(centres)), where=expected > 0)
            weights += _smoothed(ratio, kernel)
        shares = shares * weights / (shares * weights).sum()
    return shares


def _start(observed: Array, noise: float, length: int) -> Array:
    variance = float(observed.var())
    smoothing = min(noise, (variance - noise) / 2)
    shrunk = observed.mean() + math.sqrt((variance - noise - smoothing) / variance) * (observed - observed.mean())
    number = np.bincount(_grid_steps(shrunk), minlength=length).astype(float)
    shares = _smoothed(number, _normal(smoothing)) + 1e-6 * len(observed) / length  # no interval is impossible
    normalised: Array = shares / shares.sum()
    return normalised


def _normal(variance: float) -> Array:
    """Return normal weights on the grid's steps, up to five standard deviations on both sides."""
    reach = math.ceil(5 * math.sqrt(variance) / STEP)
    weights = np.exp(-((STEP * np.arange(-reach, reach + 1)) ** 2) / (2 * max(variance, 1e-12)))
    normalised: Array = weights / weights.sum()
    return normalised


def _smoothed(values: Array, kernel: Array) -> Array:
    middle = len(kernel) // 2
    smoothed: Array = np.convolve(values, kernel)[middle : middle + len(values)]
    return smoothed
