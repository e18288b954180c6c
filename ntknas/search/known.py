"""Scores that are known before a search: stored, published or a user's own ones, counts, combinations of these."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain

import numpy as np
import pandas as pd

from ntknas.core.errors import ChoiceError, DataError, unknown
from ntknas.correlation.combination import Combination
from ntknas.correlation.counts import Counts, NetworkSize, counts_by_setting
from ntknas.correlation.derived import derived_scores
from ntknas.correlation.expression import Expression
from ntknas.correlation.given import as_scores
from ntknas.correlation.names import kernel_names
from ntknas.correlation.row import SETTING
from ntknas.correlation.scored import Scored, baseline, scored_measures
from ntknas.measures import all_derived, find_measure, inputs_of
from ntknas.search.score import KnownScore
from ntknas.search.spread import spread
from ntknas.spaces import Space
from ntknas.spaces.known_counts import KnownCounts
from ntknas.spaces.structure import COUNTS
from ntknas.store.frame import settings_of
from ntknas.store.setting import Setting

_OPERATORS = "+-*/("


def known_scores(
    names: Sequence[str],
    space: Space,
    scores: pd.DataFrame | pd.Series | None = None,
    *,
    dataset: str = "cifar10",
    lower_is_better: Collection[str] | None = None,
) -> list[KnownScore]:
    """Return scores by name, each of all cells that have it.

    A measure's value is the one over all seeds of a cell, as ``correlate`` has it. Cells that were not scored have the
    score of a cell that is the same network, if the measure is one of kernels.

    Args:
        names: Measures, derived ones, counts, scores of one's own, or combinations such as ``rank(a) + rank(b)``.
        space: The space of the cells.
        scores: As for ``ntknas.correlate``; counts need none.
        dataset: Data set that networks are counted for.
        lower_is_better: As for ``ntknas.correlate``.

    Returns:
        The scores, signed so that higher is better.

    Raises:
        ChoiceError: If there is no score of a name, or it was taken in several ways.
        DataError: If ``scores`` are not of a form that is read.
    """
    ranked = [] if scores is None else _ranked(scores, needed_for(names), space, lower_is_better)
    counts = Counts(NetworkSize.official(space, dataset), space, KnownCounts.carried_by(scores))
    return [_known(_found(name, ranked, counts, space), name, len(space)) for name in dict.fromkeys(names)]


def needed_for(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of all that some scores are made of, themselves included.

    Args:
        names: As of ``known_scores``.

    Returns:
        The names.

    Raises:
        ChoiceError: If one looks like a combination and is none.
    """
    named = (Expression.parse(name).names if is_combination(name) else (name,) for name in names)
    parts = tuple(dict.fromkeys(chain.from_iterable(named)))
    derived = inputs_of([name for name in parts if name in all_derived()])
    return tuple(dict.fromkeys((*parts, *derived)))


def is_combination(name: str) -> bool:
    """Return whether a score's name is an expression rather than a measure's or a count's."""
    is_name = name in COUNTS or name in all_derived() or find_measure(name) is not None
    return not is_name and any(sign in name for sign in _OPERATORS)


def _ranked(
    scores: pd.DataFrame | pd.Series, names: Collection[str], space: Space, lower_is_better: Collection[str] | None
) -> list[Scored]:
    """Return all measures by setting that some names need."""
    table = as_scores(scores, lower_is_better, space)
    try:
        settings = settings_of(table)
    except ValueError as error:
        raise DataError(f"These scores have settings that no store has: {error}.") from error
    table = table[table["measure"].isin(list(names))]
    outside = table["cell"][(table["cell"] < 0) | (table["cell"] >= len(space))]
    if len(outside):
        raise DataError(f"These scores have a cell {outside.iloc[0]}: {space.name} has cells 0 to {len(space) - 1}.")
    table = spread(table, settings, space)
    stored = {digest: setting for digest, setting in settings.items() if digest != SETTING}
    scored = scored_measures(table, settings, kernel_names(stored))
    return [*scored, *derived_scores(scored, settings, _counts(scored, settings))]


def _counts(scored: Sequence[Scored], settings: Mapping[str, Setting]) -> dict[str, Counts]:
    return counts_by_setting({item.setting: settings[item.setting] for item in scored if item.setting in settings})


def _found(name: str, ranked: Sequence[Scored], counts: Counts, space: Space) -> Scored:
    """Return what a name stands for: a score, else a count, else a combination of these."""
    named = [item for item in ranked if item.measure == name]
    if len(named) == 1:
        return named[0]
    if named:
        ways = "; ".join(f"{item.recipe} {item.kernel} epoch {item.epoch}, setting {item.setting}" for item in named)
        raise ChoiceError(
            f"{name} was scored in {len(named)} ways: {ways}. Choose one by `setting`, `recipe` or `way`."
        )
    if name in counts.names:
        return _count(name, counts, space)
    if is_combination(name):
        of_counts = [_count(part, counts, space) for part in Expression.parse(name).names if part in counts.names]
        return Combination.of(name, [*ranked, *of_counts]).on(pd.RangeIndex(len(space)))
    error = unknown("score", name, dict.fromkeys((*(item.measure for item in ranked), *counts.names)))
    raise error


def _count(name: str, counts: Counts, space: Space) -> Scored:
    cells = range(len(space))
    return baseline(name, SETTING, cells, counts.of(name, cells))


def _known(item: Scored, name: str, size: int) -> KnownScore:
    cells = item.scored_cells
    values = np.full(size, np.nan)
    values[cells] = item.sign * item.cells.loc[cells, "value"].to_numpy(np.float64)
    return KnownScore(name, values, item.seconds or 0.0)
