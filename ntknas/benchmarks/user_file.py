"""A user's own accuracies, from a CSV file or a numpy archive."""

from __future__ import annotations

import lzma
import tarfile
import tokenize
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ntknas.core.errors import DataError

INDEX_COLUMNS = ("index",)
CELL_COLUMNS = ("cell", "arch", "arch_str", "architecture", "hash")
VALUE_COLUMNS = ("value", "accuracy")


def read_accuracies(path: Path, space: Any, column: str | None = None) -> pd.Series:
    """Read accuracies by cell.

    Args:
        path: CSV file, plain or compressed, with a header: a column ``index`` (place in the published order) or
            ``cell`` (architecture string; also ``arch``, ``arch_str``, ``hash``), and the accuracies. Or an ``.npz``
            of such columns as arrays; hashes may be rows of bytes.
        space: The space of the cells.
        column: Column of the accuracies; by default ``value`` or ``accuracy``, or the only other column.

    Returns:
        Accuracy by index of the cell, named after its column; rows without a value are dropped.

    Raises:
        DataError: If the file cannot be read, lacks a column, or holds a cell twice, unknown or without a number.
    """
    table = _read(path)
    _check_names_cells(path, table)
    value = _value_column(path, table, column)
    indices = _indices(path, table, space)
    values = pd.to_numeric(table[value], errors="coerce")
    wrong = table[value][(values.isna() & table[value].notna()) | np.isinf(values)]
    if len(wrong):
        raise DataError(
            f"{path}, line {wrong.index[0] + 2}: expected a number in column {value!r}, got {wrong.iloc[0]!r}."
        )
    series = pd.Series(values.to_numpy(float), index=pd.Index(indices, name="cell"), name=value)
    twice = series.index[series.index.duplicated()]
    if len(twice):
        raise DataError(f"{path} holds cell {twice[0]} more than once: expected one accuracy a cell.")
    return series.dropna()


def _read(path: Path) -> pd.DataFrame:
    try:
        table = _read_archive(path) if path.suffix == ".npz" else _read_csv(path)
    except FileNotFoundError as error:
        raise DataError(
            f"No such file: {path}. --accuracies takes a CSV file (or .npz) with columns index (or cell) and value."
        ) from error
    except (
        OSError,
        ValueError,
        EOFError,
        TypeError,
        AttributeError,
        MemoryError,
        OverflowError,
        ImportError,
        RuntimeError,
        tokenize.TokenError,
        tarfile.TarError,
        pd.errors.ParserWarning,
        zlib.error,
        lzma.LZMAError,
        zipfile.BadZipFile,
    ) as error:
        kind = "numpy archive" if path.suffix == ".npz" else "CSV file"
        raise DataError(
            f"{path} is not a {kind} that can be read: {(str(error).strip().splitlines() or [type(error).__name__])[0]}"
        ) from error
    if table.empty:
        raise DataError(f"{path} holds no rows.")
    return table


def _read_csv(path: Path) -> pd.DataFrame:
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        return pd.read_csv(path, index_col=False, dtype=dict.fromkeys(CELL_COLUMNS, str))


def _read_archive(path: Path) -> pd.DataFrame:
    with np.load(path, allow_pickle=False) as archive:
        return pd.DataFrame({name: _as_column(name, archive[name]) for name in archive.files})


def _as_column(name: str, values: np.ndarray) -> Any:
    """Return a one-dimensional array of numbers or texts as it is, and rows of bytes that name cells in hexadecimal."""
    if name in CELL_COLUMNS and values.ndim == 2 and values.dtype == np.uint8:
        return [row.tobytes().hex() for row in values]
    if values.ndim != 1 or values.dtype.kind not in "iufUS":
        raise ValueError(f"{name!r} is an array of {values.dtype} {values.shape}, expected one row of numbers or texts")
    return values


def _value_column(path: Path, table: pd.DataFrame, column: str | None) -> str:
    taken = {*INDEX_COLUMNS, *CELL_COLUMNS}
    others = [str(name) for name in table.columns if name not in taken]
    if column is not None:
        if column not in others:
            raise DataError(f"{path} has no column {column!r} of accuracies: it has {', '.join(others) or 'none'}.")
        return column
    named = [name for name in others if name in VALUE_COLUMNS]
    if len(named or others) != 1:
        raise DataError(
            f"{path} has {len(others)} columns that could be the accuracies ({', '.join(others)}): "
            "name one with --column."
        )
    return (named or others)[0]


def _indices(path: Path, table: pd.DataFrame, space: Any) -> list[int]:
    for name in INDEX_COLUMNS:
        if name in table:
            return [_index(path, line, value, len(space)) for line, value in enumerate(table[name], start=2)]
    name = next(name for name in CELL_COLUMNS if name in table)
    return [_cell(path, line, value, space) for line, value in enumerate(table[name], start=2)]


def _check_names_cells(path: Path, table: pd.DataFrame) -> None:
    if not any(name in table for name in (*INDEX_COLUMNS, *CELL_COLUMNS)):
        columns = ", ".join(map(str, table.columns))
        raise DataError(f"{path} names no cells: expected a column 'index' or 'cell', got {columns}.")


def _index(path: Path, line: int, value: Any, cells: int) -> int:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or value != value
        or not 0 <= value < cells
        or int(value) != value
    ):
        raise DataError(f"{path}, line {line}: expected a cell index from 0 to {cells - 1}, got {value!r}.")
    return int(value)


def _cell(path: Path, line: int, value: Any, space: Any) -> int:
    try:
        return int(space.index(str(value)))
    except ValueError as error:
        raise DataError(f"{path}, line {line}: {error}") from error
