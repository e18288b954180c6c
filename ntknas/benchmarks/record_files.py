"""Columns of files with types: JSON in the shapes that people write, and Parquet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ntknas.benchmarks.columns import Choose, Columns, Value, check_names, max_bytes
from ntknas.benchmarks.formats.json_file import read_json
from ntknas.core.errors import DataError
from ntknas.core.extras import is_installed, require
from ntknas.core.quoting import quoted
from ntknas.core.regular_file import open_regular

if TYPE_CHECKING:
    import pyarrow as pa

CELL, VALUE = "cell", "value"
"""What the columns of a file are called that has no names for them."""
_SHAPES = (
    "a list of records, an object of columns, an object of values or of records by cell, or a list of [cell, value]"
)
_EXTRA, _MAGIC = "parquet", b"PAR1"
_DAMAGE = (OSError, ValueError, OverflowError)  # ValueError: also names that are no text
_ROWS_AT_ONCE = 256  # a text that stands in many rows is unpacked in each of them
_MAX_TEXT = 1 << 12


def read_json_columns(path: Path, rows: int, choose: Choose) -> Columns:
    """Read columns of a JSON file.

    Args:
        path: The file: a list of records, an object of columns, an object of values or of records by cell, or a list of
            ``[cell, value]``. The columns that have no name there are ``cell`` and ``value``.
        rows: How many rows it can have.
        choose: Chooses the columns.

    Returns:
        The columns.

    Raises:
        DataError: If it is not such a file, has too many rows, or rows of other columns.
        OSError: If it cannot be read.
    """
    columns = _columns_of(read_json(path, max_bytes(rows)))
    counts = {len(values) for values in columns.values()}
    if len(counts) > 1:
        lengths = ", ".join(f"{name} {len(values)}" for name, values in columns.items())
        raise DataError(f"its columns have different lengths: {lengths}")
    count = counts.pop() if counts else 0
    if count > rows:
        raise DataError(f"it has {count:,} rows, more than there are cells, {rows:,}")
    values = {name: [_value(value) for value in columns[name]] for name in check_names(list(columns), choose)}
    return Columns(values, [f"row {number}" for number in range(count)])


def _columns_of(content: object) -> Mapping[str, Sequence[object]]:
    if isinstance(content, list) and content:
        if all(isinstance(row, dict) for row in content):
            return _of_records(content)
        if all(isinstance(row, list) and len(row) == 2 for row in content):
            return {CELL: [row[0] for row in content], VALUE: [row[1] for row in content]}
        if all(isinstance(row, int | float) for row in content):
            return {VALUE: content}
    if isinstance(content, dict) and content:
        values = list(content.values())
        if all(isinstance(value, list) for value in values):
            return content
        if all(isinstance(value, dict) for value in values):
            return _of_records_by_cell(content)
        if not any(isinstance(value, list | dict) for value in values):
            return {CELL: list(content), VALUE: values}
    raise DataError(f"it holds no table: expected {_SHAPES}")


def _of_records(records: Sequence[Mapping[str, object]]) -> Mapping[str, Sequence[object]]:
    names = list(records[0])
    for number, record in enumerate(records):
        if record.keys() != set(names):
            raise DataError(
                f"row {number}: expected the names {', '.join(names)} as in row 0, got {', '.join(record) or 'none'}"
            )
    return {name: [record[name] for record in records] for name in names}


def _of_records_by_cell(records: Mapping[str, Mapping[str, object]]) -> Mapping[str, Sequence[object]]:
    columns = _of_records(list(records.values()))
    if CELL in columns:
        raise DataError(f"its records hold {CELL!r}, and stand under names of cells: expected these in one place")
    return {CELL: list(records), **columns}


def _value(value: object) -> Value:
    """Return what stands in a table: lists, which may name a cell, as text; truth values, which are no numbers, too."""
    if value is None:
        return ""
    if isinstance(value, str | bytes) or (isinstance(value, int | float) and type(value) is not bool):
        return value
    return str(value)[:_MAX_TEXT]


def read_parquet_columns(path: Path, rows: int, choose: Choose) -> Columns:
    """Read columns of a Parquet file.

    Args:
        path: The file.
        rows: How many rows it can have.
        choose: Chooses the columns.

    Returns:
        The columns.

    Raises:
        DataError: If it is not such a file, or has too many rows.
        NtknasError: If the package that reads it is not installed.
        OSError: If it cannot be read.
    """
    arrow, parquet = require("pyarrow", _EXTRA), require("pyarrow.parquet", _EXTRA)
    with open_regular(path) as stream:
        try:
            file = parquet.ParquetFile(stream)
            names = check_names(file.schema_arrow.names, choose)
            count = file.metadata.num_rows
            if count > rows:
                raise DataError(f"it has {count:,} rows, more than there are cells, {rows:,}")
            values = _unpacked(file, names, max_bytes(rows))
        except (arrow.ArrowException, *_DAMAGE) as error:
            raise DataError(f"it is no Parquet file that can be read ({quoted(str(error))})") from error
    return Columns(values, [f"row {number}" for number in range(count)])


def parquet_header(path: Path) -> Sequence[str] | None:
    """Return the names of a Parquet file's columns.

    Returns:
        The names, none where it is no such file; ``None`` where the package that reads them is not installed.
    """
    if not path.is_file():
        return ()
    if not is_installed("pyarrow"):
        return None
    arrow, parquet = require("pyarrow", _EXTRA), require("pyarrow.parquet", _EXTRA)
    with open_regular(path) as stream:
        if stream.read(len(_MAGIC)) != _MAGIC:
            return ()
        try:
            names: list[str] = parquet.ParquetFile(stream).schema_arrow.names
        except (arrow.ArrowException, *_DAMAGE):
            return ()
    return names


def _unpacked(file: pa.parquet.ParquetFile, names: Sequence[str], most: int) -> dict[str, list[Value]]:
    values: dict[str, list[Value]] = {name: [] for name in names}
    unpacked = 0
    for batch in file.iter_batches(_ROWS_AT_ONCE, columns=list(names)):
        unpacked += batch.nbytes
        if unpacked > most:
            raise DataError(f"it holds more than {most:,} bytes unpacked, and such a file has fewer")
        for name in names:
            values[name] += map(_value, batch.column(name).to_pylist())
    return values
