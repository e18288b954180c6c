"""The paired tests between the measures of a result."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ntknas.core.errors import ChoiceError, check_known
from ntknas.correlation.compare import Comparison, Difference, compare, difference
from ntknas.correlation.names import row_name
from ntknas.correlation.result import Correlation
from ntknas.correlation.row import Row, RowKey


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
    points = _compared(result, target)
    if not points:
        return []
    cells = shared_cells(result, target)
    scores = {names[key]: frame.loc[cells, "score"].to_numpy(np.float64) for key, frame in points.items()}
    accuracies = next(iter(points.values())).loc[cells, "accuracy"].to_numpy(np.float64)
    return compare(scores, accuracies, result.resamples, seed, result.units_of(target, pd.Index(cells)))


def shared_cells(result: Correlation, target: str) -> list[int]:
    """Return the cells that all rows of a target have, on which ``comparisons`` tests.

    Args:
        result: The result.
        target: The target.

    Returns:
        Their indices.
    """
    frames = _compared(result, target).values()
    return sorted(set.intersection(*(set(frame.index) for frame in frames))) if frames else []


def _compared(result: Correlation, target: str) -> dict[RowKey, pd.DataFrame]:
    """Return the points of all rows of a target that have any."""
    keys = [row.key for row in result.of_target(target)]
    return {key: result.points[key] for key in keys if len(result.points[key])}


def difference_to(result: Correlation, row: Row, measure: str, seed: int = 0) -> Difference | None:
    """Return the paired test of a row against one other ranking of its target, such as a count.

    Args:
        result: The result.
        row: One of its rows.
        measure: The other measure or count, which has one row of the target; where a score of one's own has the name
            of a count, the count is meant.
        seed: Seed of the bootstrap.

    Returns:
        τ-b of the row less that of the other on the cells that both have, not corrected for other tests; ``None`` for
        fewer than ten cells or networks, without enough resamples, or where one is constant.

    Raises:
        ChoiceError: If the target has no other row of the measure, or several.
    """
    rivals = [rival for rival in result.of_target(row.target) if rival.key != row.key]
    check_known("row to compare with", measure, dict.fromkeys(rival.measure for rival in rivals))
    named = [rival for rival in rivals if rival.measure == measure]
    named = [rival for rival in named if rival.is_baseline] or named
    if len(named) > 1:
        raise ChoiceError(f"{measure} has {len(named)} rows of {row.target}: choose one by its setting or recipe.")
    (rival,) = named
    first, second = result.points[row.key], result.points[rival.key]
    cells = first.index.intersection(second.index)
    scores, rival_scores = (frame.loc[cells, "score"].to_numpy(np.float64) for frame in (first, second))
    accuracies = first.loc[cells, "accuracy"].to_numpy(np.float64)
    return difference(scores, rival_scores, accuracies, result.resamples, seed, result.units_of(row.target, cells))
