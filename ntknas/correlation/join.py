"""Rank correlations of scores with trained accuracies, and all that is needed to judge them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

import pandas as pd

from ntknas.benchmarks.table import AccuracyTable, Benchmark
from ntknas.core.errors import DataError, NtknasError
from ntknas.correlation.counts import counts_by_setting
from ntknas.correlation.given import as_scores
from ntknas.correlation.rankings import rankings
from ntknas.correlation.result import Correlation
from ntknas.correlation.row import BASELINE, Row, RowKey
from ntknas.correlation.rows import make_row, points_of
from ntknas.correlation.scored import Scored
from ntknas.correlation.targets import Accuracies, as_accuracies
from ntknas.measures import inputs_of
from ntknas.store.frame import settings_of
from ntknas.store.setting import Setting

Pair = tuple[Accuracies, Scored]
"""What one row is computed from."""
Meter = Callable[[list[Pair]], Iterable[Pair]]
"""Shows how far a list is that is gone through."""


def correlate(
    scores: pd.DataFrame | pd.Series,
    accuracies: Benchmark | pd.Series | pd.DataFrame | Mapping[str, pd.Series | AccuracyTable],
    *,
    resamples: int = 1000,
    seed: int = 0,
    measures: Collection[str] = (),
    progress: Meter = iter,
) -> Correlation:
    """Correlate scores with accuracies.

    Scores are signed so that higher is better, and combined over seeds to one score per cell by their measure's rule.
    The counts of parameters and FLOPs stand beside them as baselines, where the scores are a store's.

    Args:
        scores: As from ``ntknas.load_store``; or plain ones: a series by cell index, a table with cells as its index
            and one column per measure, or a table with columns ``cell`` and ``value`` (and ``measure``, ``seed``). Of a
            name that is no measure's higher is better.
        accuracies: A benchmark (validation and test at its largest budget), a series of accuracies by cell index, or
            several by name.
        resamples: Number of bootstrap resamples; fewer than 200 give no intervals.
        seed: Seed of the bootstrap and of the noise simulation.
        measures: Measures to show, derived ones included; all without it. The counts are shown in any case.
        progress: Wraps the list of what rows are computed from, to show how far it is.

    Returns:
        The rows and what belongs to them.

    Raises:
        NtknasError: If there are no scores, none of them has an accuracy, or either is not of a form that is read; the
            message says what is missing.
    """
    if isinstance(scores, pd.DataFrame | pd.Series) and scores.empty:
        raise NtknasError("There are no scores to correlate: run ntknas score first.")
    table = as_scores(scores)
    settings = _settings(table)
    scored_settings = {str(digest): settings[digest] for digest in table["setting"].unique() if digest in settings}
    counts = counts_by_setting(scored_settings)
    scored = _of_measures(rankings(table, scored_settings, counts), measures)
    targets = as_accuracies(accuracies)
    cells = pd.Index(sorted(table["cell"].unique()), name="cell")
    summaries = {target.name: target.summary(cells, seed) for target in targets}
    rows: list[Row] = []
    points: dict[RowKey, pd.DataFrame] = {}
    for target, item in progress([(target, item) for target in targets for item in scored]):
        shared = points_of(item, target)
        rows.append(make_row(item, target, shared, counts.get(item.setting), resamples, seed))
        points[rows[-1].key] = shared
    return Correlation(rows, summaries, points, settings, resamples)


def _of_measures(scored: list[Scored], measures: Collection[str]) -> list[Scored]:
    """Return what is to be shown; derived measures need more than what is shown."""
    if not measures:
        return scored
    if not any(item.measure in measures for item in scored):
        needs = "; ".join(f"{name} takes {' and '.join(inputs_of([name]))} of one recipe" for name in measures)
        raise NtknasError(f"These scores have none of the measures: {needs}.")
    return [item for item in scored if item.measure in measures or item.recipe == BASELINE]


def _settings(scores: pd.DataFrame) -> dict[str, Setting]:
    """Return the settings of a store, those without scores among these included, and of scores without a store's."""
    try:
        stored = {digest: Setting.from_fields(fields) for digest, fields in scores.attrs.get("settings", {}).items()}
        return stored | settings_of(scores)
    except ValueError as error:
        raise DataError(f"These scores have settings that no store has: {error}.") from error
