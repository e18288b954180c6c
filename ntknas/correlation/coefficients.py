"""Kendall's τ-b, Spearman's ρ and Pearson's r, plain and for many bootstrap resamples at once."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]
FEW_CELLS = 200
"""Up to this many cells τ-b comes from the signs of all pairs, which takes less than calling scipy."""
PAIRWISE_LIMIT = 1500
"""Up to this many cells τ-b of resamples comes from one matrix of pairs; beyond it from one call per resample."""


def kendall(x: Array, y: Array) -> float:
    """Kendall's τ-b: (concordant − discordant) / √(pairs untied in x · pairs untied in y); NaN for a constant."""
    if len(x) > FEW_CELLS:
        return _without_warning(lambda: float(stats.kendalltau(x, y).statistic))
    sign_x, sign_y = _pair_signs(x), _pair_signs(y)
    untied = np.count_nonzero(sign_x) * np.count_nonzero(sign_y)
    return float((sign_x * sign_y).sum() / math.sqrt(untied)) if untied else float("nan")


def spearman(x: Array, y: Array) -> float:
    """Spearman's ρ: Pearson's r of the mid-ranks; NaN for a constant."""
    return pearson(stats.rankdata(x), stats.rankdata(y))


def pearson(x: Array, y: Array) -> float:
    """Pearson's r; NaN for a constant, also where only rounding tells its values apart."""
    return float(pearson_rows(x[None], y[None])[0])


def weighted_kendall(x: Array, y: Array) -> float:
    """Return Vigna's weighted τ: a pair counts 1/(1 + r) + 1/(1 + s), with r, s the places of its cells from the top.

    By scipy. The mean of two (``rank=True``): places by x, those tied in it by y, and places by y, those tied in it by
    x. As in τ-b a tied pair is neither concordant nor discordant, and the weight of untied pairs is divided by. NaN for
    a constant.
    """
    return _without_warning(lambda: float(stats.weightedtau(x, y, rank=True).statistic))


COEFFICIENTS: dict[str, Callable[[Array, Array], float]] = {
    "kendall": kendall,
    "spearman": spearman,
    "pearson": pearson,
}


def resampled(name: str, x: Array, y: Array, indices: NDArray[np.int64]) -> Array:
    """Return a coefficient on every resample.

    Args:
        name: A key of ``COEFFICIENTS``.
        x: First variable, shape n.
        y: Second variable, shape n.
        indices: Resamples, shape B×n.

    Returns:
        Shape B; NaN where a resample is constant.
    """
    if name == "kendall":
        return _kendall_pairs(x, y, indices) if len(x) <= PAIRWISE_LIMIT else _kendall_loop(x, y, indices)
    columns = (x[indices], y[indices])
    if name == "spearman":
        columns = (stats.rankdata(columns[0], axis=1), stats.rankdata(columns[1], axis=1))
    return pearson_rows(*columns)


def _pair_signs(values: Array) -> Array:
    with np.errstate(over="ignore"):  # an infinite difference has the right sign
        signs: Array = np.sign(values[:, None] - values[None, :])
    return signs


def _draws(indices: NDArray[np.int64]) -> Array:
    """Return how often each cell was drawn in each resample, shape B×n."""
    draws: Array = np.zeros(indices.shape)
    np.add.at(draws, (np.arange(len(indices))[:, None], indices), 1.0)
    return draws


def _kendall_pairs(x: Array, y: Array, indices: NDArray[np.int64]) -> Array:
    return kendall_drawn(x, y, _draws(indices))


def kendall_drawn(x: Array, y: Array, weights: Array) -> Array:
    """Return τ-b of resamples by pair signs: one weighs pair (i, j) by the product of how often i and j are in it.

    Args:
        x: First variable, shape n.
        y: Second variable, shape n.
        weights: How often each cell is in each resample, shape B×n.

    Returns:
        Shape B; NaN where a resample is constant.
    """
    sign_x, sign_y = _pair_signs(x), _pair_signs(y)

    def weighted(pairs: Array) -> Array:
        # As a product of matrices: the weights of all pairs would be resamples × cells × cells.
        sums: Array = np.einsum("bi,bi->b", weights @ pairs, weights)
        return sums

    untied = weighted(np.abs(sign_x)) * weighted(np.abs(sign_y))
    with np.errstate(invalid="ignore", divide="ignore"):
        taus: Array = weighted(sign_x * sign_y) / np.sqrt(untied)
    return taus


def _kendall_loop(x: Array, y: Array, indices: NDArray[np.int64]) -> Array:
    return np.array([kendall(x[rows], y[rows]) for rows in indices])


def pearson_rows(x: Array, y: Array) -> Array:
    """Return Pearson's r of each row; NaN for a constant."""
    x, y = scaled(x), scaled(y)
    centred = [v - v.mean(axis=1, keepdims=True) for v in (x, y)]
    norms = [np.linalg.norm(v, axis=1) for v in centred]
    for norm, v in zip(norms, (x, y), strict=True):
        # The mean of a constant rounds, and leaves more than 0.
        norm[norm <= 1e-13 * np.linalg.norm(v, axis=1)] = np.nan
    r: Array = np.einsum("bn,bn->b", *centred) / (norms[0] * norms[1])
    return r


def scaled(values: Array) -> Array:
    """Return values over the largest magnitude in their row: r is the same, and the largest numbers have squares."""
    largest = np.abs(values).max(axis=-1, keepdims=True, initial=0.0)
    fractions: Array = np.divide(values, largest, out=np.zeros_like(values), where=largest > 0)
    return fractions


def _without_warning(compute: Callable[[], float]) -> float:
    with np.errstate(all="ignore"):
        return compute()
