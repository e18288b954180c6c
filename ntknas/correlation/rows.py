"""One row: a ranking of cells held against the accuracies of a target."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from ntknas.correlation.coefficients import Array, kendall, weighted_kendall
from ntknas.correlation.counts import BASELINES, Counts
from ntknas.correlation.intervals import with_intervals
from ntknas.correlation.partial import partial_kendall
from ntknas.correlation.retrieval import retrieval
from ntknas.correlation.row import BASELINE, Row
from ntknas.correlation.scored import Scored
from ntknas.correlation.selection import best_cells
from ntknas.correlation.targets import Accuracies


def points_of(item: Scored, target: Accuracies) -> pd.DataFrame:
    """Return signed scores and accuracies of the cells that have both."""
    cells = item.scored_cells.intersection(target.means.index)
    x = item.sign * item.cells.loc[cells, "value"].to_numpy(np.float64)
    return pd.DataFrame({"score": x, "accuracy": target.means.loc[cells].to_numpy(np.float64)}, index=cells)


def make_row(
    item: Scored, target: Accuracies, points: pd.DataFrame, counts: Counts | None, resamples: int, seed: int
) -> Row:
    """Return the row of a ranking.

    Args:
        item: What was scored.
        target: The accuracies.
        points: As from ``points_of``.
        counts: Counts of the cells, where they are known.
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.
    """
    cells, x, y = points.index, points["score"].to_numpy(np.float64), points["accuracy"].to_numpy(np.float64)
    covariates = {name: counts.of(name, cells) for name in BASELINES} if counts else {}
    partial, covariate_names = (
        (None, []) if item.recipe == BASELINE or not counts else partial_kendall(x, y, covariates)
    )
    coefficients, coverage = with_intervals(item, cells, x, y, resamples, seed)
    best = best_cells(x, y, cells)
    row = Row(
        measure=item.measure,
        recipe=item.recipe,
        target=target.name,
        setting=item.setting,
        kernel=item.kernel,
        epoch=item.epoch,
        n=len(x),
        left_out=_left_out(item.cells, target.means),
        ties=_tied_pairs(x),
        tied_accuracies=_tied_pairs(y),
        kendall=coefficients["kendall"],
        spearman=coefficients["spearman"],
        pearson=coefficients["pearson"],
        kendall_top10=coefficients["kendall_top10"],
        kendall_top25=coefficients["kendall_top25"],
        interval_covers=coverage,
        best_cell=best.cell,
        regret=best.regret,
        regret_best_of_5=best.regret_of_5,
        regret_best_of_10=best.regret_of_10,
        partial_kendall=partial,
        partial_given=tuple(covariate_names),
        baseline_kendall={n: _or_none(kendall(v, y)) for n, v in covariates.items()} if len(x) > 2 else {},
        seed_kendall=item.seed_kendall,
        seed_variance=item.seed_variance,
        seconds_per_cell=item.seconds,
    )
    return _with_first_cells(row, x, y)


def _with_first_cells(row: Row, x: Array, y: Array) -> Row:
    """Return the row with what its score puts first."""
    first = retrieval(x, y)
    return replace(
        row,
        weighted_kendall=_or_none(weighted_kendall(x, y)) if len(x) > 2 else None,
        ndcg=first.ndcg,
        precision=first.precision,
        precision_top10=first.precision_top10,
        best_of=first.best_of,
    )


def _left_out(cells: pd.DataFrame, means: pd.Series) -> dict[str, int]:
    reasons = cells["status"].where(cells["status"] != "ok")
    reasons = reasons.fillna(pd.Series("no accuracy", index=cells.index.difference(means.index)))
    return {str(status): int(count) for status, count in reasons.dropna().value_counts().items()}


def _tied_pairs(values: Array) -> int:
    counts = np.unique(values, return_counts=True)[1]
    return int((counts * (counts - 1) // 2).sum())


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
