"""Tables with a row for each cell: which cells the rows are of, and the numbers of a column in the order of cells."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from ntknas.benchmarks.column_files import number_in
from ntknas.benchmarks.columns import Columns, Value, read_csv
from ntknas.core.errors import DataError
from ntknas.core.quoting import quoted
from ntknas.core.unpacking import UNPACKING_ERRORS, open_unpacked

MAX_VALUE = 1e150
"""Larger numbers have squares that are none."""
_MAX_HEADER = 1 << 16
_MAX_BYTES = 1 << 32  # of which no more than a header is read
_MAX_LISTED = 5


def csv_header(path: Path) -> tuple[str, ...]:
    """Return the names in the first line of a CSV file, plain or compressed, of which no more is read.

    Returns:
        The names; none where it is no text, or nothing that can be read.
    """
    if not path.is_file():
        return ()
    try:
        with open_unpacked(path, _MAX_BYTES) as stream:
            line = stream.readline(_MAX_HEADER)
        text = line.decode("utf-8-sig")
        names = next(csv.reader(io.StringIO(text, newline=""), strict=True), [])
    except (DataError, csv.Error, *UNPACKING_ERRORS):
        return ()
    return tuple(name.strip() for name in names) if text.strip().isprintable() else ()


def read_rows(path: Path, rows: int, names: Sequence[str] | None = None) -> Columns:
    """Read columns of an official CSV file, plain or compressed.

    Args:
        path: The file.
        rows: How many rows it can have.
        names: The columns; all without them.

    Returns:
        The columns; a row at least.

    Raises:
        DataError: If it is not such a file, damaged, without a column or without rows; without the path.
        OSError: If it cannot be read.
    """

    def choose(held: Sequence[str]) -> Sequence[str]:
        absent = [name for name in names or () if name not in held]
        if absent:
            raise DataError(f"it has no column {_listed(map(quoted, absent))}: it has {_listed(held)}")
        return held if names is None else names

    try:
        table = read_csv(path, rows, choose)
    except OSError:
        raise
    except UNPACKING_ERRORS as error:
        raise DataError(f"it is damaged or cut off ({error or type(error).__name__})") from error
    if not table.row_names:
        raise DataError("it holds no rows")
    return table


def check_complete(cells: Sequence[int], expected: Iterable[int]) -> None:
    """Check that there is a row of every cell that is expected and of no other; ``cells_of`` finds doubled ones.

    Args:
        cells: The cell of each row.
        expected: The cells that such a table has.

    Raises:
        DataError: If there is not.
    """
    held, all_of_it = set(cells), set(expected)
    absent, others = sorted(all_of_it - held), sorted(held - all_of_it)
    if others:
        raise DataError(
            f"it has rows of {len(others):,} cells that such a table does not have: {_listed(map(str, others))}"
        )
    if absent:
        raise DataError(f"it has no row of {len(absent):,} of {len(all_of_it):,} cells: {_listed(map(str, absent))}")


def numbers_by_cell(
    table: Columns, cells: Sequence[int], names: Sequence[str], size: int, sentinels: Mapping[str, float] | None = None
) -> dict[str, np.ndarray]:
    """Return the numbers of columns in the order of cells.

    Args:
        table: The table.
        cells: The cell of each row.
        names: The columns.
        size: Number of cells of the space.
        sentinels: What stands in place of a missing value, of the columns that have such.

    Returns:
        By column an array of all cells; NaN for those without a row or value.

    Raises:
        DataError: If an entry is no number, or a column says nothing: all its values are equal.
    """
    known = sentinels or {}
    columns = {name: np.full(size, np.nan) for name in names}
    for name, column in columns.items():
        values = table.values[name]
        column[list(cells)] = [_number(value, table.row_names[row], name) for row, value in enumerate(values)]
        if name in known:
            column[column == known[name]] = np.nan
        check_tells_apart(column, f"column {name!r}")
    return columns


def check_tells_apart(values: np.ndarray, name: str) -> None:
    """Check that a target has two values at least.

    Args:
        values: Its values; NaN where there is none.
        name: What it is called in messages.

    Raises:
        DataError: If all are equal, or there are none.
    """
    held = values[np.isfinite(values)]
    if not held.size:
        raise DataError(f"{name} holds no value")
    if held.min() == held.max():
        raise DataError(f"{name} has one value, {held[0]:g}, in all {held.size:,} rows: it tells no cells apart")


def check_shared(values: np.ndarray, measurements: np.ndarray, name: str) -> None:
    """Check that cells of one measurement have one value.

    Args:
        values: The values by cell; NaN where there is none.
        measurements: A number for each cell's measurement.
        name: What the target is called in messages.

    Raises:
        DataError: If two of them differ.
    """
    _, first, group = np.unique(measurements, return_index=True, return_inverse=True)
    leader = first[group]
    differs = (values != values[leader]) & ~(np.isnan(values) & np.isnan(values[leader]))
    if differs.any():
        cell = int(np.argmax(differs))
        raise DataError(
            f"{name}: cells {leader[cell]} and {cell} are one network that was measured once, and have "
            f"{values[leader[cell]]:g} and {values[cell]:g}"
        )


def _number(value: Value, row_name: str, name: str) -> float:
    number = number_in(value)
    if number is None or not abs(number) <= MAX_VALUE:  # NaN is no number of an official table
        raise DataError(f"{row_name}: expected a number in column {name!r}, got {quoted(value)}")
    return number


def _listed(names: Iterable[str]) -> str:
    texts = list(names)
    more = f" and {len(texts) - _MAX_LISTED:,} more" if len(texts) > _MAX_LISTED else ""
    return ", ".join(texts[:_MAX_LISTED]) + more
