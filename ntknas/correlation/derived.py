"""Derived measures of a set of cells, made where all the measures that they take were scored alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from ntknas.core.score import Status
from ntknas.correlation import seeds
from ntknas.correlation.counts import Counts
from ntknas.correlation.scored import Scored, baseline
from ntknas.measures import DerivedMeasure, all_derived, sign_of
from ntknas.store.setting import Setting


def derived_scores(
    scored: Sequence[Scored], settings: Mapping[str, Setting], counts: Mapping[str, Counts]
) -> list[Scored]:
    """Return every derived measure for each recipe and epoch that has all its inputs.

    An input may be a count, which is that of the networks of the first input; the first one is a measure.

    Args:
        scored: The measures that were scored.
        settings: Settings by digest.
        counts: Counts of cells by setting, where the space is known.
    """
    derived = []
    for measure in all_derived().values():
        for first in scored:
            if first.measure == measure.inputs[0]:
                inputs = _inputs(measure, first, scored, settings, counts.get(first.setting))
                derived += [_derive(measure, inputs)] if inputs else []
    return derived


def _inputs(
    measure: DerivedMeasure,
    first: Scored,
    scored: Sequence[Scored],
    settings: Mapping[str, Setting],
    counts: Counts | None,
) -> list[Scored]:
    """Return the first input with the others of its recipe and epoch; none where one is missing.

    Of several settings the one that agrees most with the first input's is meant: of the same networks and training.
    """
    inputs = [first]
    for name in measure.inputs[1:]:
        partners = [s for s in scored if (s.measure, s.recipe, s.epoch) == (name, first.recipe, first.epoch)]
        if not partners and counts and name in counts.names:
            partners = [_count(name, first, counts)]
        if not partners:
            return []
        inputs.append(max(partners, key=lambda partner: _agreement(first, partner, settings)))
    return inputs


def _count(name: str, first: Scored, counts: Counts) -> Scored:
    """Return a count of the first input's cells; with it what is made of both covers what the first one does."""
    cells = first.cells.index
    item = baseline(name, first.setting, cells, counts.of(name, cells))
    return replace(item, coverage=first.coverage, jackknifed=[item.cells] * len(first.jackknifed))


def _agreement(a: Scored, b: Scored, settings: Mapping[str, Setting]) -> int:
    """Number of fields in which two settings agree."""
    first, second = (settings[item.setting].fields if item.setting in settings else {} for item in (a, b))
    return sum(name in second and second[name] == value for name, value in first.items())


def _derive(measure: DerivedMeasure, inputs: Sequence[Scored]) -> Scored:
    first = inputs[0]
    jackknifed = zip(*(item.jackknifed for item in inputs), strict=True) if _alike(inputs) else ()
    return Scored(
        measure.name,
        first.recipe,
        first.setting,
        combine(measure, [item.cells for item in inputs]),
        measure.sign,
        sum(item.seconds or 0.0 for item in inputs),
        first.kernel,
        epoch=first.epoch,
        coverage=first.coverage if len({item.coverage for item in inputs}) == 1 else seeds.CELLS,
        jackknifed=[combine(measure, cells) for cells in jackknifed],
        fitted=measure.fitted,
    )


def _alike(inputs: Sequence[Scored]) -> bool:
    return len({len(item.jackknifed) for item in inputs}) == 1


def combine(measure: DerivedMeasure, inputs: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return a derived measure of the cells that all inputs have; one without a value has the first such status.

    Args:
        measure: The measure.
        inputs: For each input columns ``value`` and ``status`` by cell, as from ``over_seeds``.
    """
    cells = inputs[0].index
    for frame in inputs[1:]:
        cells = cells.intersection(frame.index)
    frames = [
        _with_lowest(frame.loc[cells], sign_of(name)) if name in measure.lowest_if_undefined else frame.loc[cells]
        for name, frame in zip(measure.inputs, inputs, strict=True)
    ]
    status = frames[0]["status"]
    for frame in frames[1:]:
        status = status.where(status != Status.OK.value, frame["status"])
    usable = status == Status.OK.value
    values = measure.compute(*(frame["value"][usable].to_numpy(np.float64) for frame in frames))
    return pd.DataFrame({"value": pd.Series(values, cells[usable]).reindex(cells), "status": status})


def _with_lowest(frame: pd.DataFrame, sign: int) -> pd.DataFrame:
    """Give the worst of all scores to the cells whose score is undefined."""
    is_undefined = frame["status"] == Status.UNDEFINED.value
    return pd.DataFrame(
        {
            "value": frame["value"].mask(is_undefined, -sign * np.inf),
            "status": frame["status"].mask(is_undefined, Status.OK.value),
        }
    )
