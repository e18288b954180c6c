"""A user's own accuracies, from a CSV, JSON or Parquet file or a numpy archive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ntknas.benchmarks.cell_columns import CELL_COLUMNS, cell_columns, rows_of
from ntknas.benchmarks.column_files import in_file, number_in, read_columns
from ntknas.benchmarks.columns import Columns, Value
from ntknas.core.errors import DataError
from ntknas.core.quoting import quoted
from ntknas.spaces import Space

VALUE_COLUMNS = ("value", "accuracy")
MAX_ACCURACY = 1e150
"""Larger numbers have squares that are none."""


def read_accuracies(
    path: Path | str, space: Space, column: str | None = None, cell_column: str | None = None
) -> pd.Series:
    """Read accuracies by cell.

    Args:
        path: CSV file, plain or compressed (gzip, bzip2, xz, or zip of one file), with a header: the accuracies, and
            columns that name the cells: ``index`` (place in the published order), or ``cell``, ``arch``, ``arch_str``,
            ``architecture``, ``hash``, ``net``, ``net_str``, ``arch_idx`` or ``arch_index`` (in any way that the space
            reads, one for all rows); without them any other in which every row names a cell by text, or none, with as
            many rows as the space has cells, in their order. Or ``.json`` or ``.parquet`` of such columns, or an
            ``.npz`` of arrays; hashes may be rows of bytes. Where several columns name the cells they must agree on
            every row.
        space: The space of the cells.
        column: Column of the accuracies; by default ``value`` or ``accuracy``, or the only other column.
        cell_column: The column that names the cells, where it is not one of these or others are not to count.

    Returns:
        Accuracy by index of the cell, named after its column; rows without a value are dropped. ``attrs["notes"]`` says
        how cells were found where no column is known to name them.

    Raises:
        DataError: If the file cannot be read, lacks a column, holds a cell twice, unknown or without a number, or its
            columns name different cells in a row.
    """
    path = Path(path)
    naming: list[str] = []
    values: list[str] = []

    def choose(names: Sequence[str]) -> Sequence[str]:
        naming[:] = cell_columns(names, cell_column)
        values[:] = _value_columns(names, naming, column)
        return [*naming, *values] if naming else names

    table = read_columns(path, len(space), choose)
    try:
        rows = rows_of(table, naming, space, values if len(values) == 1 else ())
        value = _only([name for name in values if name not in rows.naming])
        accuracies = numbers(table, value)
    except DataError as error:
        raise DataError(in_file(path, error)) from error
    series = pd.Series(accuracies, index=pd.Index(rows.cells, name="cell"), name=value).dropna()
    series.attrs["notes"] = [] if rows.note is None else [f"{path}: {rows.note}"]
    return series


def _value_columns(names: Sequence[str], naming: Sequence[str], column: str | None) -> list[str]:
    """Return the columns that could be the accuracies."""
    candidates = [name for name in names if name not in CELL_COLUMNS and name not in naming]
    if column is not None:
        if column not in names or column in naming:
            raise DataError(f"it has no column {column!r} of accuracies: it has {', '.join(candidates) or 'none'}")
        return [column]
    candidates = [name for name in candidates if name in VALUE_COLUMNS] or candidates
    return candidates if not naming else [_only(candidates)]


def _only(candidates: Sequence[str]) -> str:
    if len(candidates) != 1:
        raise DataError(
            f"it has {len(candidates)} columns that could be the accuracies ({', '.join(candidates)}): "
            "name one with `column`"
        )
    return candidates[0]


def numbers(table: Columns, name: str) -> np.ndarray:
    """Return the numbers of a column, NaN where one is missing.

    Raises:
        DataError: If one is no number, or too large, or all are missing.
    """
    column = table.values[name]
    values = np.array([_number(value, table.row_names[row], name) for row, value in enumerate(column)], dtype=float)
    if np.isnan(values).all():
        raise DataError(f"column {name!r} holds no number: all of its {len(values):,} values are missing")
    return values


def _number(value: Value, row_name: str, name: str) -> float:
    number = number_in(value)
    if number is None or abs(number) > MAX_ACCURACY:
        raise DataError(
            f"{row_name}: expected a number from -{MAX_ACCURACY:g} to {MAX_ACCURACY:g} in column {name!r}, got "
            f"{quoted(value)}"
        )
    return number
