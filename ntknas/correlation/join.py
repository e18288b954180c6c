"""Rank correlations of scores with trained accuracies, and all that is needed to judge them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

import pandas as pd

from ntknas.benchmarks.quantity import Quantity
from ntknas.core.errors import check_known
from ntknas.correlation.arguments import names_of, whole_number
from ntknas.correlation.combination import Combination, combinations
from ntknas.correlation.covariates import Covariates
from ntknas.correlation.given import Scores
from ntknas.correlation.meant import Meant, absent
from ntknas.correlation.result import Correlation
from ntknas.correlation.row import BASELINE, LEFT_OUT, UNSCORED, Row, RowKey
from ntknas.correlation.rows import Setup, make_row, points_of
from ntknas.correlation.scored import Scored
from ntknas.correlation.shared import Sharing
from ntknas.correlation.targets import Accuracies, Given
from ntknas.spaces import Space
from ntknas.spaces.populations import ALL

Pair = tuple[Accuracies, Scored]
"""What one row is computed from."""
Meter = Callable[[list[Pair]], Iterable[Pair]]
"""Shows how far a list is that is gone through."""


def correlate(
    scores: Scores,
    accuracies: Given,
    *,
    resamples: int = 1000,
    seed: int = 0,
    measures: Collection[str] = (),
    population: str = ALL,
    cells: Collection[int] | None = None,
    given: Collection[str] | None = None,
    space: Space | str | None = None,
    dataset: str = "cifar10",
    combine: Collection[str] = (),
    unscored: str = LEFT_OUT,
    lower_is_better: Collection[str] | None = None,
    progress: Meter = iter,
) -> Correlation:
    """Correlate scores with accuracies.

    Scores are signed so that higher is better, and combined over seeds to one score per cell by their measure's rule.
    The counts of ``spaces.structure`` stand beside them as baselines, where the space is known. Cells that are one
    network are resampled together.

    Args:
        scores: As from ``ntknas.load_store``, or what ``ntknas.score`` gives; or plain ones: a series by cell, a table
            with cells as its index or in a column and one column per measure, a table with columns ``cell`` and
            ``value`` (and ``measure``, ``seed``), a dictionary of values by cell or of series by measure, an array of
            all cells. Cells are indices, or names that the space reads. Of a name that is no measure's higher is
            better.
        accuracies: A benchmark (validation and test at its largest budget), a series of accuracies by cell, a
            dictionary or an array as of scores, or several by name.
        resamples: Number of bootstrap resamples; fewer than 200 give no intervals.
        seed: Seed of the bootstrap and of the noise simulation.
        measures: Measures to show, derived ones included; all without it. The counts are shown in any case.
        population: Cells to take: ``all``, ``connected``, ``reachable``, ``isomorphic`` or ``distinct``. Ranks, derived
            measures and all statistics are of these alone; of ``distinct`` a network counts once, with the score of its
            first scored cell and the mean accuracy of all its cells.
        cells: Indices of the only cells to take of these.
        given: What partial correlations hold fixed: names of counts, or of measures that rank these cells in one way;
            effective parameters and live layers without any.
        space: The cells' space, where the scores are not a store's, which says it; without it a benchmark's reads names
            of cells.
        dataset: Data set that networks of ``space`` are counted for.
        combine: Combinations to show beside the measures, such as ``rank(a) + rank(b)`` of names of measures, counts or
            scores of your own: each signed so that higher is better, ranks from 1 for the worst, among the cells that
            have all of them and an accuracy.
        unscored: ``left-out``, or ``last``: cells without a score are placed below all that have one.
        lower_is_better: Plain scores of which lower ones are better; of all others higher ones are, whatever their
            names. Without it a name that is a measure's has that one's direction.
        progress: Wraps the list of what rows are computed from, to show how far it is.

    Returns:
        The rows and what belongs to them.

    Raises:
        NtknasError: If there are no scores, none of them has an accuracy, either is not of a form that is read, or
            fewer than ten cells are left of those that were scored; the message says what is missing.
        ChoiceError: If a name or number is none that may be chosen.
    """
    check_known("way with cells without a score (`unscored`)", unscored, UNSCORED)
    resamples, seed = whole_number("resamples", resamples), whole_number("seed", seed)
    measures, combine = names_of(measures), names_of(combine)
    given = None if given is None else names_of(given)
    meant = Meant.of(
        scores,
        accuracies,
        population=population,
        cells=cells,
        space=space,
        dataset=dataset,
        lower_is_better=lower_is_better,
    )
    combined = combinations(combine, meant.ranked, meant.settings)
    scored, missing = meant.of_measures(measures)
    targets, networks = meant.targets, meant.networks
    summaries = {target.name: target.summary(meant.cells, seed, networks) for target in targets}
    covariates = Covariates(given, meant.ranked, meant.counts)
    setup = Setup(meant.restriction, meant.counts, covariates, Sharing(networks), resamples, seed)
    rows: list[Row] = []
    points: dict[RowKey, pd.DataFrame] = {}
    pairs = [(target, item) for target in targets for item in with_combined(scored, combined, target)]
    for target, item in progress(pairs):
        shared = points_of(item, target, unscored)
        rows.append(make_row(item, target, shared, setup))
        points[rows[-1].key] = shared
    notes = [*_of_file(accuracies), *absent(missing), *(note for combination in combined for note in combination.notes)]
    by_name = {target.name: target for target in targets}
    said = (_rankless(row, points[row.key], by_name[row.target].quantity) for row in rows)
    notes += dict.fromkeys(note for of_row in said for note in of_row)
    return Correlation(
        rows, summaries, points, meant.settings, resamples, tuple(notes), networks, by_name, seeds=meant.seeds
    )


def _of_file(accuracies: object) -> Iterable[str]:
    """Return what a user should know of how a file of accuracies was read."""
    notes: Iterable[str] = accuracies.attrs.get("notes", ()) if isinstance(accuracies, pd.Series) else ()
    return notes


def _rankless(row: Row, points: pd.DataFrame, quantity: Quantity) -> Iterator[str]:
    """Say which score, or which accuracies, are the same for all cells and so rank nothing."""
    accuracies = points["accuracy"]
    if len(points) > 1 and accuracies.min() == accuracies.max():
        value = quantity.sign * accuracies.iloc[0]
        yield f"{row.target}: its {len(points):,} {quantity.values} are all {value:g}, and rank nothing."
    if row.is_baseline:
        return
    scores = points["score"]
    if len(points) > 1 and scores.min() == scores.max():
        yield f"{row.measure} ranks nothing: its {len(points):,} scores are all {scores.iloc[0]:g}."
    elif not len(points) and row.left_out:
        yield f"{row.measure} ranks nothing: none of its {sum(row.left_out.values()):,} cells has a value."


def with_combined(scored: Iterable[Scored], combined: Iterable[Combination], target: Accuracies) -> list[Scored]:
    """Return what is shown, combinations after measures and before counts.

    Args:
        scored: Measures and counts.
        combined: Combinations.
        target: What they are held against.
    """
    counts = [item for item in scored if item.recipe == BASELINE]
    made = [combination.on(target.means.index) for combination in combined]
    return [*(item for item in scored if item.recipe != BASELINE), *made, *counts]
