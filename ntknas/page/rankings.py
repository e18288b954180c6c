"""What ranks the cells of a result, and what is said of each: measures, combinations and counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ntknas.correlation import Correlation, Row, row_name
from ntknas.correlation.targets import Accuracies
from ntknas.measures import find_measure
from ntknas.spaces.structure import COUNTS

Key = tuple[str, str]
"""A measure and the digest of its setting: what tells rankings of one result apart."""


@dataclass(frozen=True)
class Ranking:
    """One ranking of a result's cells.

    Attributes:
        key: What tells it apart.
        name: Its name, with what is particular about its setting.
        row: Its first row.
    """

    key: Key
    name: str
    row: Row

    def as_data(self) -> dict[str, object]:
        """Return what a page says of it."""
        known = COUNTS.get(self.row.measure) if self.row.is_baseline else find_measure(self.row.measure)
        return {
            "name": self.name,
            "kernel": self.row.kernel,
            "recipe": self.row.recipe,
            "is_count": self.row.is_baseline,
            "higher": self.row.higher_is_better,
            "formula": known.formula if known else "",
            "source": known.source if known else "",
            "seconds": self.row.seconds_per_cell,
            "epoch": self.row.epoch,
            "fitted": self.row.fitted,
        }


def rankings_of(result: Correlation) -> list[Ranking]:
    """Return the rankings of a result in the order of its rows, measures before counts."""
    first: dict[Key, Row] = {}
    for row in result.rows:
        first.setdefault((row.measure, row.setting), row)
    rankings = [Ranking(key, row_name(result, row), row) for key, row in first.items()]
    return sorted(rankings, key=lambda ranking: ranking.row.is_baseline)


def signed_scores(result: Correlation) -> dict[Key, pd.Series]:
    """Return the scores of each ranking by cell, signed so that higher is better."""
    parts: dict[Key, list[pd.Series]] = {}
    for row in result.rows:
        parts.setdefault((row.measure, row.setting), []).append(result.points[row.key]["score"])
    return {key: _joined(of_key) for key, of_key in parts.items()}


def _joined(scores: list[pd.Series]) -> pd.Series:
    """Return the scores of cells that have an accuracy of any target; those of one ranking agree."""
    joined = pd.concat(scores)
    return joined[~joined.index.duplicated()].sort_index()


def plain_values(target: Accuracies, cells: pd.Index) -> np.ndarray:
    """Return the values of a target as they were measured, NaN where there are none."""
    values: np.ndarray = target.quantity.sign * target.means.reindex(cells).to_numpy(np.float64)
    return values


def plain_scores(scores: Mapping[Key, pd.Series], ranking: Ranking, cells: pd.Index) -> np.ndarray | None:
    """Return the scores of a ranking as they were measured, NaN where there are none; ``None`` without the ranking."""
    if ranking.key not in scores:
        return None
    sign = 1 if ranking.row.higher_is_better else -1
    values: np.ndarray = sign * scores[ranking.key].reindex(cells).to_numpy(np.float64)
    return values
