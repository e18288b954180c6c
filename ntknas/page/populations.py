"""The cells of each population with their scores, their values of the targets, and what was made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ntknas.correlation import Correlation, Estimate, Row
from ntknas.correlation.likeness import leaves, likeness, tree
from ntknas.correlation.targets import Accuracies
from ntknas.page.rankings import Key, Ranking, plain_scores, plain_values, signed_scores
from ntknas.spaces.populations import POPULATIONS

STATISTICS = {
    "kendall": ("Kendall’s τ", "τ"),
    "spearman": ("Spearman’s ρ", "ρ"),
    "partial": ("Kendall’s τ given structure", "τ given structure"),
    "kendall_top25": ("Kendall’s τ among the most accurate quarter", "τ, top 25 %"),
    "kendall_top10": ("Kendall’s τ among the most accurate tenth", "τ, top 10 %"),
}
"""The coefficients that a page shows, each with its name and a shorter one."""


@dataclass(frozen=True)
class Columns:
    """What is known of some cells, a number for each.

    Attributes:
        cells: The cells.
        scores: Scores by ranking; ``None`` for a ranking that these cells lack.
        values: Values by target.
    """

    cells: pd.Index
    scores: list[np.ndarray | None]
    values: list[np.ndarray]

    @classmethod
    def of(cls, result: Correlation, rankings: Sequence[Ranking], targets: Sequence[str]) -> Columns:
        """Return the columns of a result."""
        signed = signed_scores(result)
        cells = pd.Index(sorted({cell for series in signed.values() for cell in series.index}), dtype=np.int64)
        scores = [plain_scores(signed, ranking, cells) for ranking in rankings]
        return cls(cells, scores, [plain_values(result.accuracies[name], cells) for name in targets])

    def beside(self, whole: Columns | None) -> dict[str, object]:
        """Return these columns, but for those that are the ones of the same cells in a larger set."""
        if whole is None:
            return {"places": np.arange(len(self.cells)), "scores": self.scores, "values": self.values}
        places = whole.cells.get_indexer(self.cells)
        return {
            "places": places,
            "scores": _beside(self.scores, whole.scores, places),
            "values": _beside(self.values, whole.values, places),
        }


def _beside(own: Sequence[np.ndarray | None], whole: Sequence[np.ndarray | None], places: np.ndarray) -> list[object]:
    """Return columns, ``"same"`` for one that the larger set has and nothing for one that is not there."""
    pairs = zip(own, whole, strict=True)
    return [
        "same" if a is not None and b is not None and np.array_equal(a, b[places], equal_nan=True) else a
        for a, b in pairs
    ]


def population_data(
    name: str, result: Correlation, rankings: Sequence[Ranking], targets: Sequence[str], whole: Columns | None
) -> dict[str, object]:
    """Return what a page shows of one population.

    Args:
        name: Its name.
        result: What was correlated of it.
        rankings: The rankings of the page.
        targets: The targets of the page.
        whole: The columns of the page's first population, which has every cell; ``None`` for this one itself.

    Returns:
        Plain data and arrays.
    """
    numbers = {ranking.key: number for number, ranking in enumerate(rankings)}
    rows = [_row(row, numbers, targets) for row in result.rows if (row.measure, row.setting) in numbers]
    return {
        "name": name,
        "text": POPULATIONS[name],
        "rows": rows,
        "targets": [_target(result, target) for target in targets],
        "agreement": _agreement(signed_scores(result), rankings),
        **Columns.of(result, rankings, targets).beside(whole),
    }


def _row(row: Row, numbers: dict[Key, int], targets: Sequence[str]) -> dict[str, object]:
    left_out = [[reason, count] for reason, count in row.left_out.items()]
    return {
        "ranking": numbers[row.measure, row.setting],
        "target": list(targets).index(row.target),
        "cells": row.n,
        "left_out": left_out,
        "best_cell": row.best_cell,
        "regret": row.regret,
        "covers": row.interval_covers,
        "given": list(row.partial_given),
        **{name: _ends(getattr(row, name)) for name in STATISTICS},
    }


def _ends(estimate: Estimate) -> list[float | None]:
    return [estimate.value, estimate.low, estimate.high]


def _target(result: Correlation, name: str) -> dict[str, object]:
    summary = result.targets[name]
    ceiling = (summary.ceiling or {}).get("kendall")
    agreement = (summary.seed_agreement or {}).get("kendall")
    return {
        "ceiling": ceiling and _ends(ceiling),
        "seeds": agreement and _ends(agreement),
        "cells": summary.cells_with_accuracy,
        "scored": summary.cells_scored,
        "measurements": summary.measurements,
    }


def _agreement(scores: dict[Key, pd.Series], rankings: Sequence[Ranking]) -> dict[str, object]:
    """Return τ of every two rankings, and the order in which like ones stand together."""
    there = [ranking for ranking in rankings if ranking.key in scores]
    numbers = {ranking.key: number for number, ranking in enumerate(rankings)}
    named = [Accuracies(str(numbers[ranking.key]), scores[ranking.key]) for ranking in there]
    cells = pd.Index(sorted({cell for ranking in there for cell in scores[ranking.key].index}))
    taus = likeness(named, cells).to_numpy(np.float64)
    order = leaves(tree(taus), len(there))
    ordered = taus[np.ix_(order, order)] if order else taus
    return {"rankings": [numbers[there[place].key] for place in order], "taus": ordered.ravel()}
