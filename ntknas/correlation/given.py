"""Scores in whatever form they are given: those of a store, or a plain series or table of one's own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol, TypeAlias

import numpy as np
import pandas as pd

from ntknas.benchmarks.cell_columns import CELL_COLUMNS
from ntknas.core.errors import ChoiceError, DataError, check_known
from ntknas.core.score import Status
from ntknas.correlation.cell_names import by_cell, cells_of, of_all_cells
from ntknas.correlation.row import SETTING
from ntknas.spaces import Space

_OF_A_STORE = ("setting", "measure", "cell", "seed", "value", "status")
_PLAIN = ("cell", "measure", "seed", "value", "status")


class Held(Protocol):
    """What holds a table of scores, as what ``ntknas.score`` gives does."""

    @property
    def frame(self) -> pd.DataFrame:
        """The table."""
        ...


Scores: TypeAlias = pd.DataFrame | pd.Series | Mapping[str, object] | Mapping[int, float] | np.ndarray | Held
"""Scores in every form that is taken."""
_EXPECTED = (
    "Expected scores as from ntknas.load_store; or columns cell and value (and measure, seed); or a series or table "
    "with cells as its index and one column of scores per measure."
)


def as_scores(
    scores: Scores, lower_is_better: Collection[str] | None = None, space: Space | None = None
) -> pd.DataFrame:
    """Return scores as a table with the columns of a store's.

    Args:
        scores: As from ``ntknas.load_store``, or what ``ntknas.score`` gives; a table with columns ``cell`` and
            ``value``, perhaps ``measure`` and ``seed``; a table with cells as its index, or in a column, and one column
            per measure; a series by cell, named as its measure; a dictionary of values by cell, or of series or arrays
            by measure; or an array of all cells. Missing values are scores without one.
        space: The space that reads names of cells, if it is known.
        lower_is_better: Plain scores of which lower ones are better; of all others higher ones are, whatever their
            names. Without it a name that is a measure's has that one's direction.

    Returns:
        The table.

    Raises:
        DataError: If columns are missing, cells are none of the space, values no numbers, or a cell stands there twice.
        ChoiceError: If there is no score of a name in ``lower_is_better``, or cells have names and no space is known.
    """
    scores = _as_table(scores, space)
    if not scores.columns.is_unique:
        name = scores.columns[scores.columns.duplicated()][0]
        raise DataError(f"These scores have several columns {name}: expected names that tell them apart.")
    if "setting" in scores:
        absent = [name for name in _OF_A_STORE if name not in scores]
        if absent:
            raise DataError(f"These scores have no column {' and no '.join(absent)}. {_EXPECTED}")
        if lower_is_better:
            raise ChoiceError("`lower_is_better` is of scores of your own: a store's have the directions of measures.")
        return scores
    long = _long(scores, space)
    long["value"] = _numbers(long["value"])
    twice = long.duplicated(["measure", "cell", "seed"])
    if twice.any():
        first = long[twice].iloc[0]
        raise DataError(f"Cell {first['cell']} has several scores of {first['measure']}: expected one per seed.")
    return _completed(_with_sign(long, lower_is_better))


def own_scores(table: pd.DataFrame, lower_is_better: Collection[str], space: str, dataset: str) -> pd.DataFrame:
    """Return a user's own scores as those of a store's, with the space and the data set of their networks.

    Args:
        table: As from ``benchmarks.read_scores``.
        lower_is_better: Columns of which lower is better.
        space: Name of the space.
        dataset: Name of the data set.

    Returns:
        The scores.

    Raises:
        ChoiceError: If there is no column of a name in ``lower_is_better``.
    """
    columns = [
        pd.DataFrame({"cell": table.index, "measure": str(name), "seed": 0, "value": table[name].to_numpy(float)})
        for name in table
    ]  # not as_scores: a column may be called value, seed or status
    scores = _completed(_with_sign(pd.concat(columns), lower_is_better)).assign(space=space, dataset=dataset)
    scores.attrs = {"settings": {SETTING: {"space": space, "dataset": dataset}}}
    return scores


def beside(stored: pd.DataFrame, own: pd.DataFrame) -> pd.DataFrame:
    """Return a store's scores and a user's own as one table, with the ``attrs`` of both."""
    both = pd.concat([stored, own], ignore_index=True)
    both.attrs = {**own.attrs, **stored.attrs, "settings": stored.attrs.get("settings", {}) | own.attrs["settings"]}
    return both


def _with_sign(long: pd.DataFrame, lower_is_better: Collection[str] | None) -> pd.DataFrame:
    if lower_is_better is None:
        return long
    names = long["measure"].unique()
    lower_is_better = [lower_is_better] if isinstance(lower_is_better, str) else lower_is_better
    for name in lower_is_better:
        check_known("`lower_is_better` score", name, names)
    return long.assign(sign=np.where(long["measure"].isin(list(lower_is_better)), -1, 1))


def _as_table(scores: Scores, space: Space | None) -> pd.DataFrame:
    """Return scores as a table, whatever holds them."""
    held = getattr(scores, "frame", None)  # what ntknas.score gives
    if isinstance(held, pd.DataFrame):
        return held
    if isinstance(scores, np.ndarray):
        scores = of_all_cells(scores, "scores", space)
    elif isinstance(scores, Mapping):
        scores = _of_mapping(scores, space)
    if isinstance(scores, pd.Series):
        return scores.rename(scores.name or "score").to_frame()
    if not isinstance(scores, pd.DataFrame):
        raise DataError(f"These are no scores: got {type(scores).__name__}. {_EXPECTED}")
    return scores


def _of_mapping(scores: Mapping[Any, object], space: Space | None) -> pd.DataFrame | pd.Series:
    """Return values by cell as a series, and several such by measure as a table."""
    if not any(isinstance(values, pd.Series | Mapping | np.ndarray) for values in scores.values()):
        return pd.Series(dict(scores), dtype=object)
    columns = {}
    for name, values in scores.items():
        whose = f"score {name}"
        if isinstance(values, np.ndarray):
            values = of_all_cells(values, whose, space)
        elif not isinstance(values, pd.Series | Mapping):
            raise DataError(f"{whose}: expected a series, a dictionary or an array, got {type(values).__name__}.")
        series = pd.Series(values)
        columns[str(name)] = series.set_axis(cells_of(series.index, whose, space))
    return pd.concat(columns, axis=1).rename_axis(index="cell")


def _long(scores: pd.DataFrame, space: Space | None) -> pd.DataFrame:
    """Return one row per score: columns ``cell``, ``measure``, ``seed`` and ``value``."""
    is_named = any(name in scores for name in CELL_COLUMNS)
    if not is_named and "value" in scores and isinstance(scores.index, pd.RangeIndex) and scores.index.name is None:
        raise DataError(f"These scores have no column cell: got {', '.join(map(str, scores))}. {_EXPECTED}")
    scores = by_cell(scores, "scores", space).reset_index()
    keys = {"cell": scores["cell"], "seed": scores.get("seed", 0)}
    if "value" in scores:
        measures = scores["measure"].astype(str) if "measure" in scores else "score"
        return pd.DataFrame({**keys, "measure": measures, "value": scores["value"]})
    measured = [name for name in scores if name not in _PLAIN]
    if not measured:
        raise DataError(f"These scores have no column of values: got {', '.join(map(str, scores))}. {_EXPECTED}")
    return pd.concat([pd.DataFrame({**keys, "measure": str(name), "value": scores[name]}) for name in measured])


def _numbers(values: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(values, errors="coerce")
    refused = values if pd.api.types.is_complex_dtype(numbers) else values[numbers.isna() & values.notna()]
    if len(refused):
        raise DataError(f"Scores are real numbers: got {refused.iloc[0]}. {_EXPECTED}")
    return numbers.astype(float)


def _completed(long: pd.DataFrame) -> pd.DataFrame:
    """Add what a store knows besides: a status each, and one setting for all."""
    values = long["value"]
    status = pd.Series(Status.OK.value, index=values.index)
    status[values.isna()] = Status.UNDEFINED.value
    status[np.isinf(values)] = Status.NON_FINITE.value
    completed = long.assign(
        value=values.where(np.isfinite(values)), status=status, setting=SETTING, recipe=SETTING, seconds=np.nan
    )
    return completed.reset_index(drop=True)
