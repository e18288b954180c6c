"""How alike targets are, and an order in which like ones stand together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from ntknas.correlation.bootstrap import MIN_CELLS
from ntknas.correlation.coefficients import Array
from ntknas.correlation.targets import Accuracies
from ntknas.correlation.variable import Variable


def likeness(targets: Sequence[Accuracies], cells: pd.Index) -> pd.DataFrame:
    """Return τ-b of every two targets on the cells that have both; NaN where they are fewer than ten.

    Args:
        targets: The targets.
        cells: The only cells to take.
    """
    values = pd.DataFrame({target.name: target.means.reindex(cells) for target in targets})
    known = values.notna().to_numpy()
    whole = [Variable(values[name].to_numpy(np.float64)) for name in values]
    taus = np.eye(len(whole))
    for i, j in combinations(range(len(whole)), 2):
        both = known[:, i] & known[:, j]
        if both.all():
            taus[i, j] = taus[j, i] = whole[i].kendall(whole[j])
        elif both.sum() < MIN_CELLS:
            taus[i, j] = taus[j, i] = np.nan
        else:
            taus[i, j] = taus[j, i] = Variable(whole[i].values[both]).kendall(Variable(whole[j].values[both]))
    return pd.DataFrame(taus, index=values.columns, columns=values.columns)


def tree(taus: Array) -> Array | None:
    """Return the tree of the hierarchical clustering of things by 1 − τ, average linkage, leaves in optimal order.

    Args:
        taus: τ between every two of them; NaN, where none is known, counts as 0.

    Returns:
        As from ``scipy.cluster.hierarchy.linkage``; ``None`` for fewer than two.
    """
    if len(taus) < 2:
        return None
    distances = 1 - np.nan_to_num(taus)
    np.fill_diagonal(distances, 0.0)
    condensed = np.maximum(squareform((distances + distances.T) / 2, checks=False), 0.0)
    linkage: Array = hierarchy.linkage(condensed, method="average", optimal_ordering=True)
    return linkage


def leaves(tree: Array | None, number: int) -> list[int]:
    """Return the order of the leaves of a tree; the given one without a tree.

    Args:
        tree: As from ``tree``.
        number: Number of leaves.
    """
    return list(range(number)) if tree is None else [int(leaf) for leaf in hierarchy.leaves_list(tree)]
