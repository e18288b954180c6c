"""A store's scores held against accuracies, each space against its own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias, TypedDict, TypeVar, Unpack

import pandas as pd

from ntknas.benchmarks.table import AccuracyTable
from ntknas.core.errors import NtknasError
from ntknas.correlation.export import as_json, comparisons_as_json, one_frame
from ntknas.correlation.join import Meter, correlate
from ntknas.correlation.many_targets import TargetMeter, over_targets
from ntknas.correlation.order import sorted_by
from ntknas.correlation.overview import Overview
from ntknas.correlation.result import Correlation
from ntknas.correlation.row import Row
from ntknas.correlation.sources import AccuracySource
from ntknas.data.datasets import tables_of

R = TypeVar("R")
Targets: TypeAlias = pd.Series | Mapping[str, AccuracyTable]
"""As from ``AccuracySource.of``."""


class PopulationOptions(TypedDict, total=False):
    """Which cells are correlated, what partial correlations hold fixed, and what is combined; as of ``correlate``."""

    population: str
    cells: Collection[int] | None
    given: Collection[str] | None
    combine: Collection[str]
    unscored: str


@dataclass(frozen=True)
class SpaceResults:
    """The results of one space or several.

    Attributes:
        results: By space.
        not_shown: Why there is none, by space.
    """

    results: Mapping[str, Correlation]
    not_shown: Mapping[str, str]

    @property
    def are_several(self) -> bool:
        """Whether scores of several spaces were asked for."""
        return len(self.results) + len(self.not_shown) > 1

    @property
    def notes(self) -> list[str]:
        """What is to be said beside the rows."""
        return [note for result in self.results.values() for note in result.notes]

    def frame(self) -> pd.DataFrame:
        """Return all rows; with a column ``space`` where there are several."""
        return one_frame(self.results) if self.are_several else next(iter(self.results.values())).frame()

    def as_json(self, left_out: int = 0, comparison_seed: int | None = None) -> dict[str, object]:
        """Return the answer of one space, or those of several by name, as plain data.

        Args:
            left_out: Number of lines of the store that could not be read.
            comparison_seed: Seed of the tests between measures; without one there are none.
        """
        answers: dict[str, dict[str, object]] = {}
        for space, result in self.results.items():
            answers[space] = {**as_json(result), "left_out": left_out}
            if comparison_seed is not None:
                answers[space]["comparisons"] = comparisons_as_json(result, comparison_seed)
        if self.are_several:
            return {"spaces": answers, "not_shown": dict(self.not_shown)}
        return next(iter(answers.values()))


@dataclass(frozen=True)
class SpaceOverviews:
    """The results of one space or several over all their targets.

    Attributes:
        results: By space.
        not_shown: Why there is none, by space.
    """

    results: Mapping[str, Overview]
    not_shown: Mapping[str, str]

    @property
    def are_several(self) -> bool:
        """Whether scores of several spaces were asked for."""
        return len(self.results) + len(self.not_shown) > 1

    @property
    def notes(self) -> list[str]:
        """What is to be said beside the rows."""
        return [note for result in self.results.values() for note in result.notes]

    def frame(self) -> pd.DataFrame:
        """Return all rows; with a column ``space`` where there are several."""
        if not self.are_several:
            return next(iter(self.results.values())).frame()
        frames = [result.frame().assign(space=space) for space, result in self.results.items()]
        return pd.concat(frames, ignore_index=True)

    def as_json(self, left_out: int = 0) -> dict[str, object]:
        """Return the answer of one space, or those of several by name, as plain data.

        Args:
            left_out: Number of lines of the store that could not be read.
        """
        answers = {space: {**result.as_json(), "left_out": left_out} for space, result in self.results.items()}
        if self.are_several:
            return {"spaces": answers, "not_shown": dict(self.not_shown)}
        return next(iter(answers.values()))


def correlate_by_space(
    scores: pd.DataFrame,
    source: AccuracySource,
    *,
    resamples: int = 1000,
    seed: int = 0,
    sort: str | None = None,
    measures: Collection[str] = (),
    progress: Meter = iter,
    **options: Unpack[PopulationOptions],
) -> SpaceResults:
    """Correlate the scores of each space with its own accuracies.

    Args:
        scores: As from ``ntknas.load_store``.
        source: Where the accuracies come from.
        resamples: Number of bootstrap resamples; fewer than 200 give no intervals.
        seed: Seed of the bootstrap and of the noise simulation.
        sort: What rows are sorted by; see ``order.SORTS``.
        measures: Measures to show, derived ones included; all without it.
        progress: Wraps the list of what rows are computed from, to show how far it is.
        **options: ``population``, ``cells``, ``given``, ``combine`` and ``unscored``, as of ``correlate``.

    Returns:
        The results, and why there is none of the other spaces.

    Raises:
        NtknasError: If there is none of any space.
    """

    def result_of(of_space: pd.DataFrame, accuracies: Targets) -> Correlation:
        result = correlate(
            of_space, accuracies, resamples=resamples, seed=seed, measures=measures, progress=progress, **options
        )
        result = result if source.is_named else _of_own_data_sets(result)
        return sorted_by(result, sort) if sort else result

    return SpaceResults(*_by_space(scores, source, result_of))


def over_targets_by_space(
    scores: pd.DataFrame,
    source: AccuracySource,
    *,
    intervals: bool = False,
    resamples: int = 1000,
    seed: int = 0,
    measures: Collection[str] = (),
    progress: TargetMeter = iter,
    **options: Unpack[PopulationOptions],
) -> SpaceOverviews:
    """Correlate the scores of each space with all targets of its own.

    Args:
        scores: As from ``ntknas.load_store``.
        source: Where the targets come from.
        intervals: As of ``over_targets``.
        resamples: As of ``over_targets``.
        seed: As of ``over_targets``.
        measures: Measures to show, derived ones included; all without it.
        progress: Wraps the list of targets, to show how far it is.
        **options: ``population``, ``cells``, ``given``, ``combine`` and ``unscored``, as of ``correlate``.

    Returns:
        The results, and why there is none of the other spaces.

    Raises:
        NtknasError: If there is none of any space.
    """

    def result_of(of_space: pd.DataFrame, accuracies: Targets) -> Overview:
        return over_targets(
            of_space,
            accuracies,
            intervals=intervals,
            resamples=resamples,
            seed=seed,
            measures=measures,
            progress=progress,
            **options,
        )

    return SpaceOverviews(*_by_space(scores, source, result_of))


def _by_space(
    scores: pd.DataFrame, source: AccuracySource, result_of: Callable[[pd.DataFrame, Targets], R]
) -> tuple[dict[str, R], dict[str, str]]:
    """Return the results of each space, and why there is none of the others.

    Raises:
        NtknasError: If there is none of any space.
    """
    spaces = source.spaces(scores)
    results: dict[str, R] = {}
    not_shown: dict[str, str] = {}
    for space in spaces:
        of_space = scores[scores["space"] == space]
        try:
            results[space] = result_of(of_space, source.of(space, of_space))
        except NtknasError as error:
            if len(spaces) == 1:
                raise
            not_shown[space] = f"{space} is not shown: {error}"
    if not results:
        raise NtknasError("\n".join(not_shown.values()))
    return results, not_shown


def _of_own_data_sets(result: Correlation) -> Correlation:
    """Keep the rows whose networks were built for the data set of the target, and the baselines."""
    # On data sets that no network was built for all rows stay: they are there to see what transfers.
    own = {table for setting in result.settings.values() for table in tables_of(setting.dataset)}

    def fits(row: Row) -> bool:
        dataset = row.target.split("/")[0]
        return row.is_baseline or dataset not in own or dataset in tables_of(result.settings[row.setting].dataset)

    return replace(result, rows=[row for row in result.rows if fits(row)])
