"""The paired tests between the measures of a result."""

from __future__ import annotations

import numpy as np

from ntknas.correlation.compare import Comparison, compare
from ntknas.correlation.names import row_name
from ntknas.correlation.result import Correlation


def comparisons(result: Correlation, target: str, seed: int = 0) -> list[Comparison]:
    """Return the paired tests between all measures and baselines on the cells that all of them have.

    Args:
        result: The result.
        target: The target.
        seed: Seed of the bootstrap.

    Returns:
        The pairs, the smallest p-value first.
    """
    names = {row.key: row_name(result, row) for row in result.of_target(target)}
    points = {key: frame for key, frame in result.points.items() if key in names and len(frame)}
    if not points:
        return []
    cells = sorted(set.intersection(*(set(frame.index) for frame in points.values())))
    scores = {names[key]: frame.loc[cells, "score"].to_numpy(np.float64) for key, frame in points.items()}
    accuracies = next(iter(points.values())).loc[cells, "accuracy"].to_numpy(np.float64)
    return compare(scores, accuracies, result.resamples, seed)
