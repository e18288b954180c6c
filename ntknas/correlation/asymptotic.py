"""Standard errors of rank correlations without resampling, for samples where each resample would take long.

A coefficient's influence function ψ says what one cell adds to it; its standard error is sd(ψ)/√n. For Kendall's τ-b
that is the U-statistic of pairs with the delta method for ties, for Spearman's ρ the U-statistic of ranks, for
Pearson's r the delta method. All in O(n log n).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ntknas.correlation.coefficients import Array, scaled
from ntknas.correlation.drawn import Codes, summed

Integers = NDArray[np.int64]


def standard_error(name: str, x: Array, y: Array, networks: Codes | None = None) -> float:
    """Return the standard error of a coefficient.

    Args:
        name: ``kendall``, ``spearman`` or ``pearson``.
        x: Scores, shape n; not constant.
        y: Accuracies, shape n; not constant.
        networks: As from ``drawn.repeated``.
    """
    return error_of(INFLUENCES[name](x, y), networks)


def error_of(influences: Array, networks: Codes | None = None) -> float:
    """Return the standard error that cells' influences make: sd(ψ)/√n, or √(Σ (Σ ψ over a network's cells)²)/n.

    Args:
        influences: One of each cell.
        networks: As from ``drawn.repeated``; cells of one network are not independent.
    """
    if networks is None:
        return float(np.std(influences) / np.sqrt(len(influences)))
    sums = summed(influences - influences.mean(), networks)
    return float(np.sqrt((sums**2).sum()) / len(influences))


def kendall_influence(x: Array, y: Array) -> Array:
    """Return the influence of each cell on τ-b."""
    n = len(x)
    agreement = concordance(x, y) / (n - 1)
    untied = [1 - (_same(v) - 1) / (n - 1) for v in (x, y)]
    scale = np.sqrt(untied[0].mean() * untied[1].mean())
    tau = agreement.mean() / scale
    ties = sum((share - share.mean()) / share.mean() for share in untied)
    influence: Array = 2 * (agreement - agreement.mean()) / scale - tau * ties
    return influence


def spearman_influence(x: Array, y: Array) -> Array:
    """Return the influence of each cell on ρ; the spread of mid-ranks counts as fixed."""
    n = len(x)
    u, v = ((stats.rankdata(values) - 0.5) / n - 0.5 for values in (x, y))
    scale = np.sqrt(u.var() * v.var())
    influence: Array = (u * v + _through_ranks(x, v) + _through_ranks(y, u)) / scale
    return influence


def _through_ranks(x: Array, weights: Array) -> Array:
    """Return for each cell i the mean over j of 1(x_i < x_j) w_j + ½ 1(x_i = x_j) w_j: its effect on others' ranks."""
    order = np.argsort(x, kind="stable")
    sums = np.concatenate([[0.0], np.cumsum(weights[order])])
    lower, upper = (np.searchsorted(x[order], x, side=side) for side in ("left", "right"))
    above, equal = sums[-1] - sums[upper], sums[upper] - sums[lower]
    moved: Array = (above + equal / 2) / len(x)
    return moved


def pearson_influence(x: Array, y: Array) -> Array:
    """Return the influence of each cell on r; of each row for arrays of two dimensions, NaN where it is constant."""
    x, y = scaled(x), scaled(y)
    with np.errstate(invalid="ignore", divide="ignore"):
        a, b = ((v - v.mean(-1, keepdims=True)) / v.std(-1, keepdims=True) for v in (x, y))
    influence: Array = a * b - np.mean(a * b, axis=-1, keepdims=True) / 2 * (a**2 + b**2)
    return influence


INFLUENCES: dict[str, Callable[[Array, Array], Array]] = {
    "kendall": kendall_influence,
    "spearman": spearman_influence,
    "pearson": pearson_influence,
}


def concordance(x: Array, y: Array) -> Integers:
    """Return for each cell the number of concordant less the number of discordant cells."""
    n = len(x)
    below_x, below_y = (_below(v) for v in (x, y))
    same_x, same_y, same_both = _same(x), _same(y), _same(x, y)
    both_below = dominated(x, y)
    x_below_y_same, y_below_x_same = _rank_within(y, x), _rank_within(x, y)
    x_below_y_above = below_x - both_below - x_below_y_same
    y_below_x_above = below_y - both_below - y_below_x_same
    x_above_y_same = same_y - same_both - x_below_y_same
    both_above = n - below_x - same_x - y_below_x_above - x_above_y_same
    balance: Integers = both_below + both_above - x_below_y_above - y_below_x_above
    return balance


def dominated(x: Array, y: Array) -> Integers:
    """Return for each cell the number of cells that lie below it in both x and y.

    Cells in the order of x (of one x, those with larger y first, so that none of them counts for another): what is
    counted is the smaller y before each. By merging: at every width the right half of a block looks up its place in the
    sorted left half, all blocks at once.
    """
    order = np.lexsort((-y, x))
    ranks = stats.rankdata(y, method="dense").astype(np.int64)[order]
    n, span = len(ranks), int(ranks.max(initial=0)) + 1
    indices, counts = np.arange(n), np.zeros(n, dtype=np.int64)
    width = 1
    while width < n:
        block = indices // (2 * width)
        is_left = indices // width % 2 == 0
        left_half = np.sort(block[is_left] * span + ranks[is_left])
        starts = np.searchsorted(left_half, block[~is_left] * span)
        counts[~is_left] += np.searchsorted(left_half, block[~is_left] * span + ranks[~is_left]) - starts
        width *= 2
    result = np.empty(n, dtype=np.int64)
    result[order] = counts
    return result


def _below(values: Array) -> Integers:
    below: Integers = stats.rankdata(values, method="min").astype(np.int64) - 1
    return below


def _same(*columns: Array) -> Integers:
    """Return for each cell the number of cells with the same values, itself included."""
    dense = np.stack([stats.rankdata(column, method="dense").astype(np.int64) for column in columns])
    key = dense[0] if len(dense) == 1 else dense[0] * (int(dense[1].max(initial=0)) + 1) + dense[1]
    _, inverse, counts = np.unique(key, return_inverse=True, return_counts=True)
    same: Integers = counts[inverse]
    return same


def _rank_within(group: Array, values: Array) -> Integers:
    """Return for each cell the number of cells of its group with a smaller value."""
    dense_group, dense = (stats.rankdata(v, method="dense").astype(np.int64) for v in (group, values))
    span = int(dense.max(initial=0)) + 1
    key = np.sort(dense_group * span + dense)
    ranks: Integers = np.searchsorted(key, dense_group * span + dense) - np.searchsorted(key, dense_group * span)
    return ranks
