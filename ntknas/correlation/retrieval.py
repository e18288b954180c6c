"""How good the cells are that a score puts first: nDCG, precision and the best of k, in expectation over ties.

Ties are broken at random, and every figure is its expectation over that: none depends on the order of the cells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ntknas.correlation.coefficients import Array

NDCG_AT = (10, 100, 1000)
PRECISION_AT = (10, 100)
TENTH = 10
BEST_OF = (1, 10, 50, 100)
MAX_PERCENT = 100.0


@dataclass(frozen=True)
class Retrieval:
    """What a score puts first; ``None`` where there are fewer cells than that, or no value.

    Attributes:
        ndcg: nDCG by the number of first cells.
        precision: Precision by the number of first cells.
        precision_top10: Precision of a tenth of the cells, rounded up.
        best_of: Expected best accuracy by the number of first cells.
    """

    ndcg: Mapping[int, float | None]
    precision: Mapping[int, float | None]
    precision_top10: float | None
    best_of: Mapping[int, float | None]


def retrieval(x: Array, y: Array) -> Retrieval:
    """Return all figures of what a score puts first.

    Args:
        x: Signed scores.
        y: Accuracies of the same cells.
    """
    n = len(x)
    best = best_of(x, y, [k for k in BEST_OF if k <= n])
    return Retrieval(
        {p: ndcg(x, y, p) for p in NDCG_AT},
        {k: precision(x, y, k) for k in PRECISION_AT},
        precision(x, y, -(-n // TENTH)),
        {k: float(best[number]) if k <= n else None for number, k in enumerate(BEST_OF)},
    )


def ndcg(x: Array, y: Array, p: int) -> float | None:
    """Return the nDCG of the p first cells, as VKDNW's tables have it: Σ_j (2^a_j − 1) / log2(1 + j) over its maximum.

    a_j is the accuracy in percent of the j-th cell; a tied one counts with the mean gain of those that it is tied with.

    Args:
        x: Signed scores.
        y: Accuracies of the same cells.
        p: Number of first cells.

    Returns:
        From 0 to 1; ``None`` for fewer than p cells, or where accuracies are not in percent: one is below 0 or above
        100, or none is above 1, as of fractions, whose gains hardly differ.
    """
    if not 0 < p <= len(x) or not are_percentages(y):
        return None
    gains = np.exp2(y - y.max()) - np.exp2(-y.max())  # over 2^max: the largest gain is about 1
    _, groups, sizes = np.unique(-x, return_inverse=True, return_counts=True)
    expected = np.repeat(np.bincount(groups, gains) / sizes, sizes)[:p]
    discounts = 1 / np.log2(1 + np.arange(1, p + 1))
    return float(expected @ discounts / (np.sort(gains)[::-1][:p] @ discounts))


def are_percentages(y: Array) -> bool:
    """Return whether accuracies can be in percent: all from 0 to 100, and not all of them at most 1."""
    return len(y) > 0 and bool(y.min() >= 0 and 1 < y.max() <= MAX_PERCENT)


def precision(x: Array, y: Array, k: int) -> float | None:
    """Return the share of the k first cells by score that is among the k most accurate ones.

    A cell that is tied at the cut counts with its chance to be among the k, on both sides.

    Args:
        x: Signed scores.
        y: Accuracies of the same cells.
        k: Number of first cells.

    Returns:
        From 0 to 1; ``None`` for fewer than k cells.
    """
    if not 0 < k <= len(x):
        return None
    return float(_chances(x, k) @ _chances(y, k) / k)


def _chances(values: Array, k: int) -> Array:
    """Return each cell's chance to be among the k largest values."""
    cut = np.partition(values, len(values) - k)[len(values) - k]
    above, tied = values > cut, values == cut
    chances: Array = above + tied * ((k - above.sum()) / tied.sum())
    return chances


def best_of(x: Array, y: Array, numbers: Sequence[int]) -> Array:
    """Return the expected best accuracy among the k first cells, for each k.

    Among e tied cells of which m are among the first k, the i-th of their accuracies in ascending order is at least the
    largest of the m with chance C(i, m) / C(e, m).

    Args:
        x: Signed scores.
        y: Accuracies of the same cells.
        numbers: Every k, from 1 to the number of cells.
    """
    order = np.lexsort((y, -x))
    scores, accuracies = x[order], y[order]
    _, starts, sizes = np.unique(-scores, return_index=True, return_counts=True)
    best_before = np.concatenate([[-np.inf], np.maximum.accumulate(accuracies)])[starts]
    best: Array = np.empty(len(numbers))
    for place, k in enumerate(numbers):
        group = int(np.searchsorted(starts, k)) - 1  # the last one that has a cell among the first k
        start, size = int(starts[group]), int(sizes[group])
        largest = np.maximum(accuracies[start : start + size], best_before[group])
        best[place] = largest @ _chances_of_largest(size, k - start)
    return best


def _chances_of_largest(size: int, drawn: int) -> Array:
    """Return, for each place in ascending order, the chance that the largest of some drawn ones stands there."""
    places = np.arange(size, drawn, -1)
    at_most = np.zeros(size + 1)
    at_most[drawn:] = np.concatenate([[1.0], np.cumprod((places - drawn) / places)])[::-1]
    return np.diff(at_most)
