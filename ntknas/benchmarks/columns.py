"""Columns of a user's file, read in a stream: of those that are asked for, and of no more rows than there can be."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from ntknas.core.errors import DataError
from ntknas.core.npy import member_names, read_member
from ntknas.core.quoting import quoted
from ntknas.core.regular_file import open_regular
from ntknas.core.unpacking import open_unpacked

_MIN_BYTES = 1 << 26
_BYTES_PER_ROW = 1 << 10
_BYTES_PER_VALUE = 1 << 8  # of an archive: a text may be long
_MAX_LINE = 1 << 20
_MAX_LINES_PER_ROW = 1_000
_MAX_COLUMNS = 10_000
_ENCODING = "it is no text in UTF-8: save it as CSV in UTF-8"

Value = str | int | float | bytes
"""What stands in a cell of a table; bytes are a hash."""
Choose = Callable[[Sequence[str]], Sequence[str]]
"""Returns which columns are wanted, by name, of all that there are; raises DataError if one is missing."""


@dataclass(frozen=True)
class Columns:
    """Columns of a file.

    Attributes:
        values: By name; texts, or numbers where the file has a type for them.
        row_names: How each row is called in messages.
    """

    values: Mapping[str, Sequence[Value]]
    row_names: Sequence[str]


class _Reader(Protocol):
    """What ``csv.reader`` returns."""

    @property
    def line_num(self) -> int: ...

    def __iter__(self) -> Iterator[list[str]]: ...


def read_csv(path: Path, rows: int, choose: Choose) -> Columns:
    """Read columns of a CSV file with a header, plain or compressed.

    Args:
        path: The file.
        rows: How many rows it can have.
        choose: Chooses the columns.

    Returns:
        The columns.

    Raises:
        DataError: If it is not such a file, has a name twice, too many rows, or rows of another length.
        OSError: If it cannot be read.
    """
    with open_unpacked(path, max_bytes(rows)) as stream:
        # utf-8-sig: a byte-order mark, as spreadsheets write, would stand in the first column's name.
        lines = _Lines(io.TextIOWrapper(stream, encoding="utf-8-sig", newline=""))
        try:
            table = csv.reader(lines, strict=True)
            header = [name.strip() for name in next(table, [])]
            if any("\0" in name for name in header):  # UTF-16 without its mark
                raise DataError(_ENCODING)
            if not header:
                raise DataError("it is not a CSV file: it begins without a header")
            return _read_rows(table, lines, header, check_names(header, choose), rows)
        except UnicodeDecodeError as error:
            raise DataError(_ENCODING) from error
        except csv.Error as error:
            raise DataError(f"line {lines.count}: {error}") from error


def _read_rows(table: _Reader, lines: _Lines, header: list[str], names: Sequence[str], rows: int) -> Columns:
    positions = {name: header.index(name) for name in names}
    values: dict[str, list[str]] = {name: [] for name in names}
    numbers: list[int] = []
    for row in table:
        if not row:
            continue
        lines.row_ends()
        if len(row) != len(header):
            raise DataError(f"line {table.line_num}: expected {len(header)} fields as in its header, got {len(row)}")
        if len(numbers) == rows:
            raise DataError(f"line {table.line_num}: it has more rows than there are cells, {rows:,}")
        numbers.append(table.line_num)
        for name, position in positions.items():
            values[name].append(row[position])
    return Columns(values, [f"line {number}" for number in numbers])


class _Lines:
    """The lines of a text, none of them too long and not too many of them per row."""

    def __init__(self, text: io.TextIOBase):
        self._text, self.count, self._of_this_row = text, 0, 0

    def __iter__(self) -> Iterator[str]:
        while line := self._text.readline(_MAX_LINE):
            self.count += 1
            self._of_this_row += 1
            if len(line) == _MAX_LINE or self._of_this_row > _MAX_LINES_PER_ROW:
                raise csv.Error("a row without an end, or too many empty lines")
            yield line

    def row_ends(self) -> None:
        """Count the lines of the next row from here."""
        self._of_this_row = 0


def read_archive(path: Path, rows: int, choose: Choose) -> Columns:
    """Read columns of a numpy archive ``.npz``: arrays of one length, numbers or texts, or rows of bytes.

    Args:
        path: The file.
        rows: How many rows it can have.
        choose: Chooses the columns.

    Returns:
        The columns.

    Raises:
        DataError: If an array is no column, there are two of one name, or they do not go together.
        OSError: If it cannot be read; a damaged one raises what ``zipfile`` and ``numpy`` raise.
    """
    most = max(_BYTES_PER_VALUE * rows, _MIN_BYTES)
    with open_regular(path) as file, zipfile.ZipFile(file) as archive:
        members = member_names(archive)
        names = check_names(list(members), choose)
        values = {name: _as_column(name, read_member(archive, members[name], most)) for name in names}
    lengths = {name: len(column) for name, column in values.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"its arrays have different lengths: {_listed(lengths)}")
    count = next(iter(lengths.values()))
    if count > rows:
        raise DataError(f"it has {count:,} rows, more than there are cells, {rows:,}")
    return Columns(values, [f"row {number}" for number in range(count)])


def _as_column(name: str, values: np.ndarray) -> Sequence[Value]:
    """Return an array of numbers or texts as a list, and rows of bytes, as hashes are kept, as bytes."""
    if values.ndim == 2 and values.dtype == np.uint8 and values.shape[1] > 1:
        return [row.tobytes() for row in values]
    if values.ndim != 1 or values.dtype.kind not in "iufUS":
        raise DataError(f"{name!r} is an array of {values.dtype} {values.shape}, expected one row of numbers or texts")
    if values.dtype.kind == "S":
        return [text.decode("utf-8") for text in values.tolist()]
    column: list[Value] = values.tolist()
    return column


def check_names(names: Sequence[str], choose: Choose) -> Sequence[str]:
    """Return the chosen columns of a file, whose names are checked.

    Args:
        names: All that there are.
        choose: Chooses.

    Returns:
        Names of columns.

    Raises:
        DataError: If there are too many of them, or two of one name.
    """
    if len(names) > _MAX_COLUMNS:
        raise DataError(f"it has {len(names):,} columns, expected at most {_MAX_COLUMNS:,}")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(
            f"it has {names.count(twice[0])} columns named {quoted(twice[0])}: which one counts is not said"
        )
    return choose(names)


def max_bytes(rows: int) -> int:
    """Return how many bytes a file of so many rows may have, unpacked."""
    return max(rows * _BYTES_PER_ROW, _MIN_BYTES)


def _listed(lengths: dict[str, int]) -> str:
    return ", ".join(f"{name} {length}" for name, length in lengths.items())
