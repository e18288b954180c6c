"""What is held against targets: all that ranks the cells that are meant, and their targets."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from ntknas.benchmarks.table import Benchmark
from ntknas.core.errors import DataError, NtknasError
from ntknas.correlation.counts import Counts, NetworkSize, counts_by_setting
from ntknas.correlation.given import Scores, as_scores
from ntknas.correlation.populations import Restriction
from ntknas.correlation.rankings import rankings
from ntknas.correlation.row import BASELINE, OFFICIAL, SETTING
from ntknas.correlation.scored import Scored
from ntknas.correlation.targets import Accuracies, Given, as_accuracies
from ntknas.measures import inputs_of
from ntknas.spaces import Space, load_space, space_names
from ntknas.spaces.known_counts import KnownCounts
from ntknas.spaces.populations import ALL
from ntknas.store.frame import settings_of
from ntknas.store.setting import Setting

_NAMED = 10
"""Measures that a note names: a group has dozens."""


@dataclass(frozen=True)
class Meant:
    """The cells that are meant, with all that is known of them.

    Attributes:
        restriction: Which cells they are.
        cells: Those that were scored.
        ranked: All that ranks them: measures, derived ones, then counts.
        targets: Their accuracies, or values of other quantities.
        networks: A number for each cell's network; ``None`` where the space is not known.
        counts: Counts of cells by setting, where the space is known.
        settings: Settings by digest, those without scores among these included.
        few: Names of the targets that are left out, for they have fewer than ten of the cells.
        seeds: Seeds of the weights that scores are of; none of scores that are not of a store.
    """

    restriction: Restriction
    cells: pd.Index
    ranked: list[Scored]
    targets: list[Accuracies]
    networks: pd.Series | None
    counts: Mapping[str, Counts]
    settings: Mapping[str, Setting]
    few: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()

    @classmethod
    def of(
        cls,
        scores: Scores,
        accuracies: Given,
        *,
        population: str = ALL,
        cells: Collection[int] | None = None,
        space: Space | str | None = None,
        dataset: str = "cifar10",
        lower_is_better: Collection[str] | None = None,
        with_few: bool = True,
    ) -> Meant:
        """Return what is meant by arguments of ``correlate``.

        Args:
            scores: As for ``correlate``.
            accuracies: As for ``correlate``.
            population: As for ``correlate``.
            cells: As for ``correlate``.
            space: As for ``correlate``.
            dataset: As for ``correlate``.
            lower_is_better: As for ``correlate``.
            with_few: Whether every target must have some of the cells; else those that have fewer than ten are left
                out.

        Returns:
            It.

        Raises:
            NtknasError: If there are no scores, either is not of a form that is read, or too few cells are left.
            ChoiceError: If a name is none that may be chosen.
        """
        named_space = _named(space, accuracies)
        if isinstance(scores, pd.DataFrame | pd.Series) and scores.empty:
            raise NtknasError("There are no scores to correlate: run ntknas score first.")
        table = as_scores(scores, lower_is_better, named_space)
        settings = _settings(table)
        counted = KnownCounts.carried_by(table)
        table = table.copy(deep=False)
        table.attrs = {}  # every table that is made of one copies them
        digests = [str(digest) for digest in table["setting"].unique()]
        scored_settings = {digest: settings[digest] for digest in digests if digest in settings}
        known = _space_of(space, scored_settings)
        restriction = Restriction.of(population, known, cells)
        table = restriction.scores(table)
        counts = counts_by_setting(scored_settings, counted)
        if known is not None and SETTING in digests:
            own_dataset = settings[SETTING].dataset if SETTING in settings else dataset
            counts |= dict.fromkeys(
                (SETTING, OFFICIAL), Counts(NetworkSize.official(known, own_dataset), known, counted)
            )
        ranked = rankings(table, scored_settings, counts)
        shown = pd.Index(sorted(table["cell"].unique()), name="cell")
        named = as_accuracies(accuracies, known or named_space)
        targets = restriction.accuracies(named, shown, with_few=with_few)
        there = {target.name for target in targets}
        few = tuple(target.name for target in named if target.name not in there)
        seeds = tuple(sorted(map(int, table["seed"].unique()))) if scored_settings else ()
        networks = restriction.networks(shown)
        return cls(restriction, shown, ranked, targets, networks, counts, settings, few, seeds)

    def of_measures(self, measures: Collection[str]) -> tuple[list[Scored], list[str]]:
        """Return what is to be shown, for which derived measures need more, and the names that nothing has.

        Args:
            measures: Names of measures; all without any. Counts are shown in any case.

        Returns:
            Both.

        Raises:
            NtknasError: If nothing has any of the names.
        """
        if not measures:
            return self.ranked, []
        there = {item.measure for item in self.ranked}
        if there.isdisjoint(measures):
            needs = "; ".join(f"{name} takes {' and '.join(inputs_of([name]))} of one recipe" for name in measures)
            raise NtknasError(f"These scores have none of the measures: {needs}.")
        shown = [item for item in self.ranked if item.measure in measures or item.recipe == BASELINE]
        return shown, [name for name in dict.fromkeys(measures) if name not in there]


def absent(names: Sequence[str]) -> Iterator[str]:
    """Say which measures that were asked for are not there."""
    if names:
        others = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        yield f"Not shown, for these scores have none of it: {', '.join(names[:_NAMED])}{others}."


def _named(space: Space | str | None, accuracies: Given) -> Space | None:
    """Return the space that reads names of cells: that which is named, or else that of the benchmark."""
    if space is None and isinstance(accuracies, Benchmark):
        space = accuracies.space or accuracies.name
        return load_space(space) if space in space_names() else None
    return load_space(space) if isinstance(space, str) else space


def _space_of(space: Space | str | None, settings: Mapping[str, Setting]) -> Space | None:
    """Return the space that is named, or else that of all settings, if it is installed."""
    names = {setting.space for setting in settings.values()}
    if space is None and len(names) == 1 and names <= set(space_names()):
        space = names.pop()
    return load_space(space) if isinstance(space, str) else space


def _settings(scores: pd.DataFrame) -> dict[str, Setting]:
    """Return the settings of a store, those without scores among these included, and of scores without a store's."""
    try:
        stored = {digest: Setting.from_fields(fields) for digest, fields in scores.attrs.get("settings", {}).items()}
        return stored | settings_of(scores)
    except ValueError as error:
        raise DataError(f"These scores have settings that no store has: {error}.") from error
