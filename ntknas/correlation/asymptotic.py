"""Standard errors of rank correlations without resampling, for samples where each resample would take long.

A coefficient's influence function ψ says what one cell adds to it; its standard error is sd(ψ)/√n. For Kendall's τ-b
that is the U-statistic of pairs with the delta method for ties, for Spearman's ρ the U-statistic of ranks, for
Pearson's r the delta method. All in O(n log n).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ntknas.correlation.coefficients import Array, scaled
from ntknas.correlation.drawn import Codes, summed
from ntknas.correlation.variable import Integers, Values, Variable, variable

_BLOCK = 32
"""Up to so many cells pairs are looked at one by one, which takes less than merging."""


def standard_error(name: str, x: Values, y: Values, networks: Codes | None = None) -> float:
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


def kendall_influence(x: Values, y: Values) -> Array:
    """Return the influence of each cell on τ-b; of two variables it is taken once."""
    a, b = variable(x), variable(y)
    if b not in a.influences:
        a.influences[b] = _kendall_influence(a, b)
    return a.influences[b]


def _kendall_influence(x: Variable, y: Variable) -> Array:
    n, both = len(x), (x, y)
    agreement = concordance(*both) / (n - 1)
    untied = [1 - (v.same - 1) / (n - 1) for v in both]
    scale = np.sqrt(untied[0].mean() * untied[1].mean())
    tau = agreement.mean() / scale
    ties = sum((share - share.mean()) / share.mean() for share in untied)
    influence: Array = 2 * (agreement - agreement.mean()) / scale - tau * ties
    return influence


def spearman_influence(x: Values, y: Values) -> Array:
    """Return the influence of each cell on ρ; the spread of mid-ranks counts as fixed."""
    n, a, b = len(x), variable(x), variable(y)
    u, v = ((ranked.mid_ranks - 0.5) / n - 0.5 for ranked in (a, b))
    scale = np.sqrt(u.var() * v.var())
    influence: Array = (u * v + _through_ranks(a, v) + _through_ranks(b, u)) / scale
    return influence


def _through_ranks(x: Variable, weights: Array) -> Array:
    """Return for each cell i the mean over j of 1(x_i < x_j) w_j + ½ 1(x_i = x_j) w_j: its effect on others' ranks."""
    sums = np.concatenate([[0.0], np.cumsum(weights[x.order])])
    upper = x.below + x.same
    above, equal = sums[-1] - sums[upper], sums[upper] - sums[x.below]
    moved: Array = (above + equal / 2) / len(x)
    return moved


def pearson_influence(x: Values, y: Values) -> Array:
    """Return the influence of each cell on r; of each row for arrays of two dimensions, NaN where it is constant."""
    columns = [scaled(v.values if isinstance(v, Variable) else v) for v in (x, y)]
    with np.errstate(invalid="ignore", divide="ignore"):
        a, b = ((v - v.mean(-1, keepdims=True)) / v.std(-1, keepdims=True) for v in columns)
    influence: Array = a * b - np.mean(a * b, axis=-1, keepdims=True) / 2 * (a**2 + b**2)
    return influence


INFLUENCES: dict[str, Callable[[Values, Values], Array]] = {
    "kendall": kendall_influence,
    "spearman": spearman_influence,
    "pearson": pearson_influence,
}


def concordance(x: Values, y: Values) -> Integers:
    """Return for each cell the number of concordant less the number of discordant cells."""
    n, a, b = len(x), variable(x), variable(y)
    both_below, same_both = dominated(a, b), _same_in_both(a, b)
    x_below_y_same, y_below_x_same = _rank_within(b, a), _rank_within(a, b)
    x_below_y_above = a.below - both_below - x_below_y_same
    y_below_x_above = b.below - both_below - y_below_x_same
    x_above_y_same = b.same - same_both - x_below_y_same
    both_above = n - a.below - a.same - y_below_x_above - x_above_y_same
    balance: Integers = both_below + both_above - x_below_y_above - y_below_x_above
    return balance


def dominated(x: Values, y: Values) -> Integers:
    """Return for each cell the number of cells that lie below it in both x and y.

    Cells in the order of x (of one x, those with larger y first, so that none of them counts for another): what is
    counted is the smaller y before each. Pair by pair in small blocks, then by merging: at every width the right half
    of a block looks up its place in the sorted left half, all blocks at once.
    """
    a, b = variable(x), variable(y)
    order = np.lexsort((-b.dense, a.dense))
    ranks = b.dense[order]
    n, span = len(ranks), int(ranks.max(initial=0)) + 1
    indices, counts = np.arange(n), _within_blocks(ranks, span)
    width = _BLOCK
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


def _within_blocks(ranks: Integers, above: int) -> Integers:
    """Return for each place the number of smaller ranks before it in its block."""
    n = len(ranks)
    blocks = np.full((-(-n // _BLOCK), _BLOCK), above, dtype=np.int64)
    blocks.flat[:n] = ranks
    is_smaller = (blocks[:, None, :] < blocks[:, :, None]) & np.tri(_BLOCK, k=-1, dtype=bool)
    counts: Integers = is_smaller.sum(axis=2).ravel()[:n]
    return counts


def _same_in_both(x: Variable, y: Variable) -> Integers:
    """Return for each cell the number of cells with the same values of both, itself included."""
    return Variable(_key(x, y)).same


def _rank_within(group: Variable, values: Variable) -> Integers:
    """Return for each cell the number of cells of its group with a smaller value."""
    return Variable(_key(group, values)).below - group.below


def _key(first: Variable, second: Variable) -> Array:
    """Return a number for each cell that orders by the first variable, and where it ties by the second."""
    key = first.dense * (int(second.dense.max(initial=0)) + 1) + second.dense
    return key.astype(np.float64)  # exact: below the square of the number of cells
