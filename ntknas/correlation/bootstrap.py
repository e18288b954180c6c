"""Intervals over cells, or over networks where cells are one: bootstrap, or a standard error of very many cells.

Rank correlations have percentile intervals. Pearson's r has bootstrap-t intervals on Fisher's scale, since percentile
intervals of r are too narrow for samples of some dozen cells (docs/results/coverage.md).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ntknas.correlation import coefficients
from ntknas.correlation.asymptotic import pearson_influence, standard_error
from ntknas.correlation.coefficients import Array
from ntknas.correlation.drawn import AT_ONCE, Codes, Draws, drawn, places, repeated, standardised, summed
from ntknas.correlation.estimate import Estimate
from ntknas.correlation.variable import Values, variable

Resamples = NDArray[np.int64] | Draws
"""Places of cells, resamples × cells; or draws of networks."""
Interval = tuple[float | None, float | None]

LEVEL = 0.95
LARGE = 1_000
"""Beyond this number of cells an interval is the coefficient ± 1.96 standard errors: each resample would take long, and
the normal approximation is as good."""
MIN_RESAMPLES = 200
"""With fewer resamples there is no interval: its ends would be those of a handful of them."""
MIN_CELLS = 10
"""With fewer cells there is no interval; with fewer than three no coefficient either."""
MIN_CELLS_OF_R = 300
"""With fewer cells Pearson's r has no interval: a sample without the few cells that do not train at all, which decide
r, cannot know of them, and intervals held the truth in 72 of 100 samples of 20 real cells (``scripts/coverage.py``)."""


def draw_resamples(cells: int, resamples: int, seed: int) -> NDArray[np.int64]:
    """Return resamples of ``cells`` places with replacement, shape resamples × cells.

    Beyond ``LARGE`` cells a single empty row stands for them, since they are not used.
    """
    if cells > LARGE and resamples:
        return np.empty((1, 0), dtype=np.int64)
    return np.random.default_rng(seed).integers(0, cells, size=(resamples, cells))


def draw_any(cells: int, resamples: int, seed: int, networks: Codes | None) -> Resamples:
    """Return resamples of cells, or of networks where cells are one.

    Args:
        cells: Number of cells.
        resamples: Number of resamples.
        seed: Seed of the draws.
        networks: As from ``drawn.repeated``.
    """
    if networks is None:
        return draw_resamples(cells, resamples, seed)
    if cells > LARGE and resamples:
        return Draws(networks, np.empty((1, 0)))  # not used
    return Draws.of(networks, resamples, seed)


def rows_of(resamples: Resamples) -> Iterator[NDArray[np.int64]]:
    """Yield the places of the cells of every resample, those of a network as often as it was drawn."""
    yield from places(resamples.weights) if isinstance(resamples, Draws) else resamples


def in_chunks(resamples: Resamples, size: int) -> list[Resamples]:
    """Return resamples in parts of about a number of them."""
    parts = max(1, len(resamples) // size)
    if isinstance(resamples, Draws):
        return [Draws(resamples.networks, weights) for weights in np.array_split(resamples.weights, parts)]
    return list(np.array_split(resamples, parts))


def estimate(name: str, x: Values, y: Values, resamples: Resamples) -> Estimate:
    """Return a coefficient with its interval: bootstrap, or standard error beyond ``LARGE`` cells.

    Args:
        name: ``kendall``, ``spearman`` or ``pearson``.
        x: Scores, shape n.
        y: Accuracies, shape n.
        resamples: As from ``draw_any``.

    Returns:
        No value for fewer than three cells or a constant; no interval for fewer than ten cells or networks (300 for r)
        or 200 resamples, or where more than one resample in twenty is constant.
    """
    a, b = variable(x), variable(y)
    value = a.coefficient(name, b) if len(x) >= 3 else float("nan")
    if not np.isfinite(value):
        return Estimate(None)
    minimum = MIN_CELLS_OF_R if name == "pearson" else MIN_CELLS
    networks = resamples.networks if isinstance(resamples, Draws) else None
    number = resamples.number if isinstance(resamples, Draws) else len(x)
    if number < minimum or not len(resamples) or (len(resamples) < MIN_RESAMPLES and len(x) <= LARGE):
        return Estimate(value)
    if len(x) > LARGE:
        half = float(stats.norm.ppf((1 + LEVEL) / 2)) * standard_error(name, a, b, networks)
        return Estimate(value, max(-1.0, value - half), min(1.0, value + half))
    find = studentised_pearson if name == "pearson" else partial(percentile, name)
    return Estimate(value, *find(a.values, b.values, resamples))


def percentile(name: str, x: Array, y: Array, resamples: Resamples) -> Interval:
    """Return the middle 95 % of the resampled coefficients."""
    return middle(resampled(name, x, y, resamples))


def resampled(name: str, x: Array, y: Array, resamples: Resamples) -> Array:
    """Return a coefficient on every resample, of cells or of networks; NaN where one is constant."""
    if isinstance(resamples, Draws):
        return drawn(name, x, y, resamples.weights)
    return coefficients.resampled(name, x, y, resamples)


def studentised_pearson(x: Array, y: Array, resamples: Resamples) -> Interval:
    """Return the bootstrap-t interval of Pearson's r on Fisher's scale z = artanh r.

    A resample gives t = (z* − z) / se* with a standard error of its own (``pearson_influence``); the interval is
    tanh(z − t_high·se) to tanh(z − t_low·se). A perfect correlation has none.
    """
    if isinstance(resamples, Draws):
        (z,), (error,) = _fisher_drawn(x, y, Draws(resamples.networks, np.ones((1, len(x)))))
        parts = [_fisher_drawn(x, y, part) for part in in_chunks(resamples, AT_ONCE)]
        zs, errors = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    else:
        (z,), (error,) = _fisher(x[None], y[None])
        zs, errors = _fisher(x[resamples], y[resamples])
    with np.errstate(invalid="ignore", divide="ignore"):
        low, high = middle((zs - z) / errors)
    if low is None or high is None or not np.isfinite(z):
        return None, None
    return float(np.tanh(z - high * error)), float(np.tanh(z - low * error))


def _fisher(x: Array, y: Array) -> tuple[Array, Array]:
    """Return artanh r of every row and its standard error by the delta method."""
    r = coefficients.pearson_rows(x, y)
    r[1 - np.abs(r) < 1e-12] = np.nan  # rounding leaves a perfect r just inside, where artanh is finite
    errors = pearson_influence(x, y).std(axis=-1) / np.sqrt(x.shape[-1])
    return np.arctanh(r), errors / (1 - r**2)


def _fisher_drawn(x: Array, y: Array, draws: Resamples) -> tuple[Array, Array]:
    """Return the same of every resample of networks, whose influences are the sums of their cells'."""
    assert isinstance(draws, Draws)
    weights = draws.weights
    a, b = (standardised(np.broadcast_to(v, weights.shape), weights) for v in (x, y))
    total = weights.sum(axis=1, keepdims=True)
    r = (weights * a * b).sum(axis=1, keepdims=True) / total
    r[1 - np.abs(r) < 1e-12] = np.nan
    sums = summed(a * b - r / 2 * (a**2 + b**2), draws.networks)
    _, first = np.unique(draws.networks, return_index=True)
    errors = np.sqrt((weights[:, first] * sums**2).sum(axis=1)) / total[:, 0]
    return np.arctanh(r[:, 0]), errors / (1 - r[:, 0] ** 2)


def middle(values: Array) -> Interval:
    """Return the middle 95 % of what is finite; nothing where more than one value in twenty is not."""
    finite = values[np.isfinite(values)]
    if len(finite) < 0.95 * len(values):
        return None, None
    low, high = np.quantile(finite, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def estimate_of_top(
    x: Array, y: Array, share: float, resamples: int, seed: int, networks: Codes | None = None
) -> Estimate:
    """Return τ-b among the share of cells with the highest accuracies, and those tied with the last of them.

    The interval is that of the chosen cells, resampled among themselves: choosing the top anew in every resample gives
    intervals that are too wide (they cover 99 % where 95 % are promised).

    Args:
        x: Scores, shape n.
        y: Accuracies, shape n.
        share: The share.
        resamples: Number of resamples.
        seed: Seed of the resamples.
        networks: A number for each cell's network, where it is known.

    Returns:
        No value where fewer than ten cells are in the top; no interval as in ``estimate``.
    """
    if math.ceil(share * len(y)) < MIN_CELLS:
        return Estimate(None)
    top = top_of(y, share)
    same = None if networks is None else repeated(networks[top])
    return estimate("kendall", x[top], y[top], draw_any(int(top.sum()), resamples, seed, same))


def top_of(y: Array, share: float) -> NDArray[np.bool_]:
    """Return which cells are in the share with the highest accuracies, or tied with the last; y is not empty."""
    top: NDArray[np.bool_] = y >= np.sort(y)[-max(1, math.ceil(share * len(y)))]
    return top
