"""Rank correlations of scores with many targets at once: what one row needs is taken once for all that share it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import NamedTuple, TypedDict, Unpack

import numpy as np
import pandas as pd

from ntknas.benchmarks.table import AccuracyTable, Benchmark
from ntknas.core.errors import NtknasError, check_known
from ntknas.correlation.arguments import names_of, whole_number
from ntknas.correlation.combination import Combination, combinations
from ntknas.correlation.covariates import Covariates
from ntknas.correlation.estimate import Estimate
from ntknas.correlation.intervals import jackknifed_scores, over_all, over_seeds
from ntknas.correlation.join import with_combined
from ntknas.correlation.meant import Meant, absent
from ntknas.correlation.overview import Agreement, Overview
from ntknas.correlation.row import LEFT_OUT, UNSCORED
from ntknas.correlation.rows import Setup, partial_of, points_of
from ntknas.correlation.scored import Scored
from ntknas.correlation.seeds import BOTH
from ntknas.correlation.shared import Shared, Sharing
from ntknas.correlation.targets import Accuracies
from ntknas.correlation.variable import Variable
from ntknas.spaces import Space

TargetMeter = Callable[[list[Accuracies]], Iterable[Accuracies]]
"""Shows how far a list of targets is that is gone through."""


class OverTargetsOptions(TypedDict, total=False):
    """Options of ``over_targets`` that are those of ``correlate``."""

    measures: Collection[str]
    population: str
    cells: Collection[int] | None
    given: Collection[str] | None
    space: Space | str | None
    dataset: str
    combine: Collection[str]
    unscored: str
    lower_is_better: Collection[str] | None


def over_targets(
    scores: pd.DataFrame | pd.Series,
    accuracies: Benchmark | pd.Series | pd.DataFrame | Mapping[str, pd.Series | AccuracyTable],
    *,
    intervals: bool = False,
    resamples: int = 1000,
    seed: int = 0,
    progress: TargetMeter = iter,
    **options: Unpack[OverTargetsOptions],
) -> Overview:
    """Correlate scores with many targets: τ-b, ρ and partial τ-b of each with each, as ``correlate`` has them.

    Args:
        scores: As for ``correlate``.
        accuracies: As for ``correlate``: a benchmark, or targets by name. A target that has fewer than ten of the cells
            is left out.
        intervals: Whether each has its interval, which takes some ten times as long.
        resamples: Number of bootstrap resamples; fewer than 200 give no intervals.
        seed: Seed of the bootstrap.
        progress: Wraps the list of the targets, to show how far it is.
        **options: ``measures``, ``population``, ``cells``, ``given``, ``space``, ``dataset``, ``combine``, ``unscored``
            and ``lower_is_better``, as of ``correlate``.

    Returns:
        The rows and what belongs to them.

    Raises:
        NtknasError: If there are no scores, or no target has ten of the cells.
        ChoiceError: If a name or number is none that may be chosen.
    """
    unscored, given = options.get("unscored", LEFT_OUT), options.get("given")
    check_known("way with cells without a score (`unscored`)", unscored, UNSCORED)
    resamples, seed = whole_number("resamples", resamples), whole_number("seed", seed)
    meant = _meant(scores, accuracies, options)
    combined = combinations(names_of(options.get("combine", ())), meant.ranked, meant.settings)
    scored, missing = meant.of_measures(names_of(options.get("measures", ())))
    covariates = Covariates(None if given is None else names_of(given), meant.ranked, meant.counts)
    drawn = resamples if intervals else 0
    setup = Setup(meant.restriction, meant.counts, covariates, Sharing(meant.networks), drawn, seed)
    rankings = _Rankings(scored, combined, unscored)
    by_target: dict[str, list[Agreement]] = {}
    for target in progress(sorted(meant.targets, key=_cells)):
        by_target[target.name] = _agreements(rankings.of(target), target, setup)
    rows = [row for target in meant.targets for row in by_target[target.name]]
    return Overview(
        rows,
        {target.name: target.known_of(meant.cells) for target in meant.targets},
        meant.settings,
        meant.cells,
        {target.name: target for target in meant.targets},
        drawn,
        (*absent(missing), *_few(meant), *_rankless(meant.targets, meant.cells)),
        meant.restriction.population,
        None if meant.networks is None else int(meant.networks.nunique()),
        meant.seeds,
    )


def _meant(
    scores: pd.DataFrame | pd.Series,
    accuracies: Benchmark | pd.Series | pd.DataFrame | Mapping[str, pd.Series | AccuracyTable],
    options: OverTargetsOptions,
) -> Meant:
    meant = Meant.of(
        scores,
        accuracies,
        population=options.get("population", "all"),
        cells=options.get("cells"),
        space=options.get("space"),
        dataset=options.get("dataset", "cifar10"),
        lower_is_better=options.get("lower_is_better"),
        with_few=False,
    )
    if not meant.targets:
        raise NtknasError(
            f"None of the {len(meant.few)} targets has ten of the {len(meant.cells):,} scored cells: there is nothing "
            "to correlate with."
        )
    return meant


class _Ranking(NamedTuple):
    """A ranking of the cells that a target has.

    Attributes:
        item: What was scored.
        cells: The cells.
        scores: Their signed scores.
    """

    item: Scored
    cells: pd.Index
    scores: Variable


class _Rankings:
    """All rankings of the cells that a target has; targets of the same cells have the same ones.

    Args:
        scored: Measures and counts.
        combined: Combinations.
        unscored: What is done with cells without a score.
    """

    def __init__(self, scored: Iterable[Scored], combined: Iterable[Combination], unscored: str):
        self._scored, self._combined, self._unscored = list(scored), list(combined), unscored
        self._cells, self._kept = b"", list[_Ranking]()

    def of(self, target: Accuracies) -> list[_Ranking]:
        """Return the rankings of a target's cells: those of the last one, if it has the same."""
        if _cells(target) != self._cells or not self._kept:
            self._cells, self._kept = _cells(target), list(self._make(target))
        return self._kept

    def _make(self, target: Accuracies) -> Iterator[_Ranking]:
        for item in with_combined(self._scored, self._combined, target):
            points = points_of(item, target, self._unscored)
            yield _Ranking(item, points.index, Variable(points["score"].to_numpy(np.float64)))


def _cells(target: Accuracies) -> bytes:
    return bytes(target.means.index.to_numpy(np.int64).tobytes())


def _agreements(rankings: list[_Ranking], target: Accuracies, setup: Setup) -> list[Agreement]:
    """Return how every ranking agrees with a target, those of the same cells one after the other."""
    in_turn = sorted(range(len(rankings)), key=lambda place: bytes(rankings[place].cells.to_numpy().tobytes()))
    made = {place: _agreement(rankings[place], target, setup) for place in in_turn}
    return [made[place] for place in range(len(rankings))]


def _agreement(ranking: _Ranking, target: Accuracies, setup: Setup) -> Agreement:
    item, cells, scores = ranking
    points = pd.DataFrame({"accuracy": target.means.loc[cells].to_numpy(np.float64)}, index=cells)
    shared = setup.sharing.of(target, points)
    estimates, coverage = _estimates(item, scores, shared, setup)
    given = partial_of(item, scores, shared, setup)
    return Agreement(
        measure=item.measure,
        recipe=item.recipe,
        setting=item.setting,
        kernel=item.kernel,
        epoch=item.epoch,
        target=target.name,
        n=len(cells),
        kendall=estimates["kendall"],
        spearman=estimates["spearman"],
        partial=Estimate(None) if given is None else given.estimate,
        partial_given=() if given is None else given.partial.given,
        partial_n=0 if given is None else given.n,
        resampled=shared.resampled,
        interval_covers=coverage,
    )


def _estimates(item: Scored, scores: Variable, shared: Shared, setup: Setup) -> tuple[dict[str, Estimate], str]:
    """Return both coefficients, with their intervals where they are asked for, and what these cover."""
    over_cells = over_all(("kendall", "spearman"), scores, shared, setup.resamples, setup.seed)
    jackknifed = jackknifed_scores(item, shared.cells) if setup.resamples else None
    if jackknifed is None:
        return over_cells, item.coverage
    return over_seeds(over_cells, jackknifed, shared), BOTH


def _few(meant: Meant) -> Iterator[str]:
    """Say which targets are left out."""
    if meant.few:
        names = ", ".join(meant.few)
        yield f"Left out, with fewer than ten of the {len(meant.cells):,} scored cells: {names}."


def _rankless(targets: Iterable[Accuracies], cells: pd.Index) -> Iterator[str]:
    """Say which targets are the same for all cells."""
    for target in targets:
        values = target.means.loc[cells.intersection(target.means.index)]
        if len(values) > 1 and values.min() == values.max():
            value = target.quantity.sign * values.iloc[0]
            yield f"{target.name}: its {len(values):,} {target.quantity.values} are all {value:g}, and rank nothing."
