"""One row: a ranking of cells held against the accuracies of a target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from ntknas.benchmarks.quantity import Quantity
from ntknas.core.score import Status
from ntknas.correlation.coefficients import Array, weighted_kendall
from ntknas.correlation.counts import Counts
from ntknas.correlation.covariates import Covariates
from ntknas.correlation.estimate import Estimate
from ntknas.correlation.intervals import jackknifed_scores, with_intervals
from ntknas.correlation.partial import Partial
from ntknas.correlation.partial_interval import interval_given
from ntknas.correlation.populations import Restriction
from ntknas.correlation.retrieval import retrieval
from ntknas.correlation.row import BASELINE, LAST, LEFT_OUT, Row
from ntknas.correlation.scored import Scored
from ntknas.correlation.seeds import with_seeds
from ntknas.correlation.selection import best_cells
from ntknas.correlation.shared import Held, Shared, Sharing
from ntknas.correlation.targets import Accuracies
from ntknas.correlation.variable import Variable


def points_of(item: Scored, target: Accuracies, unscored: str = LEFT_OUT) -> pd.DataFrame:
    """Return signed scores and accuracies of the cells that have both.

    Args:
        item: What was scored.
        target: The accuracies.
        unscored: ``left-out``, or ``last``: cells without a score have the next number below all scores.

    Returns:
        Columns ``score`` and ``accuracy`` by cell, both signed so that higher is better.
    """
    cells = item.scored_cells.intersection(target.means.index)
    scores = item.sign * item.cells.loc[cells, "value"].astype(np.float64)
    if unscored == LAST and len(cells):
        others = item.failed_cells.intersection(target.means.index)
        below = max(np.nextafter(scores.min(), -np.inf), np.finfo(np.float64).min)
        last = pd.Series(below, others, dtype=np.float64)
        scores = pd.concat([scores, last]).sort_index() if len(others) else scores
    accuracies = target.means.loc[scores.index].to_numpy(np.float64)
    return pd.DataFrame({"score": scores.to_numpy(np.float64), "accuracy": accuracies}, index=scores.index)


@dataclass(frozen=True)
class Setup:
    """What rows are made with.

    Attributes:
        restriction: Which cells are correlated.
        counts: Counts of cells by setting, where the space is known.
        covariates: What partial correlations hold fixed.
        sharing: What rows on the same cells share.
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.
    """

    restriction: Restriction
    counts: Mapping[str, Counts]
    covariates: Covariates
    sharing: Sharing
    resamples: int
    seed: int


def make_row(item: Scored, target: Accuracies, points: pd.DataFrame, setup: Setup) -> Row:
    """Return the row of a ranking.

    Args:
        item: What was scored.
        target: The accuracies.
        points: As from ``points_of``.
        setup: What rows are made with.
    """
    scores, shared = Variable(points["score"].to_numpy(np.float64)), setup.sharing.of(target, points)
    cells, x, y = points.index, scores.values, shared.accuracies.values
    coefficients, coverage = with_intervals(item, scores, shared, setup.resamples, setup.seed)
    left_out, placed = _without_score(item.cells, target.means, cells)
    best = best_cells(x, y, cells)
    row = Row(
        measure=item.measure,
        recipe=item.recipe,
        target=target.name,
        setting=item.setting,
        kernel=item.kernel,
        epoch=item.epoch,
        n=len(x),
        left_out=left_out,
        ties=scores.tied_pairs,
        tied_accuracies=shared.accuracies.tied_pairs,
        kendall=coefficients["kendall"],
        spearman=coefficients["spearman"],
        pearson=Estimate(None) if placed else coefficients["pearson"],  # last is a rank, and no number
        kendall_top10=coefficients["kendall_top10"],
        kendall_top25=coefficients["kendall_top25"],
        interval_covers=coverage,
        best_cell=best.cell,
        regret=best.regret,
        regret_best_of_5=best.regret_of_5,
        regret_best_of_10=best.regret_of_10,
        partial_kendall=None,
        partial_given=(),
        baseline_kendall=shared.kendall_of(setup.counts.get(item.setting)),
        seed_kendall=item.seed_kendall,
        seed_variance=item.seed_variance,
        seconds_per_cell=item.seconds,
        higher_is_better=item.sign > 0,
        placed_last=placed,
        fitted=item.fitted,
    )
    row = _with_first_cells(row, x, y, target.quantity)
    return _with_population(_with_partial(row, item, scores, shared, setup), shared, setup)


def _with_partial(row: Row, item: Scored, scores: Variable, shared: Shared, setup: Setup) -> Row:
    """Return the row with its partial correlation, on the cells that have all covariates."""
    given = partial_of(item, scores, shared, setup)
    if given is None:
        return row
    return replace(
        row,
        partial_kendall=given.partial.value,
        partial_given=given.partial.given,
        partial_n=given.n,
        partial_dropped=given.partial.dropped,
        partial=given.estimate,
    )


class Given(NamedTuple):
    """A partial correlation.

    Attributes:
        partial: Its value, and what it holds fixed.
        estimate: The value with its interval.
        n: Number of the cells that have all covariates.
    """

    partial: Partial
    estimate: Estimate
    n: int


def partial_of(item: Scored, scores: Variable, shared: Shared, setup: Setup) -> Given | None:
    """Return the partial correlation of scores, on the cells that have all covariates; ``None`` where there are none.

    Args:
        item: What was scored.
        scores: Its signed scores of the cells.
        shared: The cells and their accuracies.
        setup: What rows are made with.
    """
    held = shared.held(item.setting, lambda cells: setup.covariates.of(item, cells))
    if held is None or (item.recipe == BASELINE and item.measure in held.covariates.names):
        return None
    x = held.covariates.of(scores)
    partial = held.fixed.partial(x)
    return Given(partial, _with_ends(partial.value, item, x, held, setup), len(x))


def _with_ends(value: float | None, item: Scored, x: Variable, held: Held, setup: Setup) -> Estimate:
    """Return a partial correlation with its interval: over cells or networks, and over seeds where several are."""
    if value is None:
        return Estimate(None)
    ends = interval_given(x, held.fixed.others, setup.resamples, setup.seed, held.units)
    estimate = Estimate(value, *ends)
    if estimate.interval is None:
        return estimate
    jackknifed = jackknifed_scores(item, held.covariates.cells)
    if jackknifed is None:
        return estimate
    without = [held.fixed.partial(scores).value for scores in jackknifed]
    return with_seeds(estimate, [np.nan if one is None else one for one in without])


def _with_population(row: Row, shared: Shared, setup: Setup) -> Row:
    """Return the row with what its cells are."""
    chosen = setup.restriction.cells
    return replace(
        row,
        population=setup.restriction.population,
        chosen_cells=None if chosen is None else len(chosen),
        networks=shared.number_of_networks,
        resampled=shared.resampled,
        measurements=shared.number_of_measurements,
    )


def _with_first_cells(row: Row, x: Array, y: Array, quantity: Quantity) -> Row:
    """Return the row with what its score puts first; the best of k in the target's own sign."""
    first = retrieval(x, y)
    best = {k: None if value is None else quantity.sign * value for k, value in first.best_of.items()}
    return replace(
        row,
        weighted_kendall=_or_none(weighted_kendall(x, y)) if len(x) > 2 else None,
        ndcg=first.ndcg if quantity.is_percentage else dict.fromkeys(first.ndcg),
        precision=first.precision,
        precision_top10=first.precision_top10,
        best_of=best,
    )


def _without_score(cells: pd.DataFrame, means: pd.Series, used: pd.Index) -> tuple[dict[str, int], dict[str, int]]:
    """Return the number of cells that are left out, and of those that were placed last, both by reason."""
    reasons = cells["status"].where(cells["status"] != Status.OK.value)
    reasons = reasons.fillna(pd.Series("no accuracy", index=cells.index.difference(means.index))).dropna()
    is_placed = reasons.index.isin(used)
    return _counted(reasons[~is_placed]), _counted(reasons[is_placed])


def _counted(reasons: pd.Series) -> dict[str, int]:
    return {str(reason): int(count) for reason, count in reasons.value_counts().items()}


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
