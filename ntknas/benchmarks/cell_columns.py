"""Which cells the rows of a user's table are of: every column that names them must say the same."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ntknas.benchmarks.column_files import number_in
from ntknas.benchmarks.columns import Columns, Value
from ntknas.core.errors import DataError
from ntknas.core.quoting import quoted
from ntknas.spaces import Space
from ntknas.spaces.naming import find_all, is_named

INDEX_COLUMN = "index"
CELL_COLUMNS = (
    *(INDEX_COLUMN, "cell", "arch", "arch_str", "architecture", "hash", "net", "net_str"),
    *("arch_idx", "arch_index"),
)
"""Columns that name cells, by index or text; ``index`` by index alone."""
_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs"}


def cell_columns(names: Sequence[str], chosen: str | None) -> list[str]:
    """Return the columns that say which cells the rows are of, as far as names tell.

    Args:
        names: All columns.
        chosen: The one that counts, if the user says so.

    Returns:
        Names of columns; none where no name tells, and ``rows_of`` looks at what they hold.

    Raises:
        DataError: If the chosen one is not there.
    """
    if chosen is not None and chosen not in names:
        raise DataError(f"it has no column {chosen!r}, which `cell_column` asks for: it has {', '.join(names)}")
    naming = [chosen] if chosen is not None else [name for name in names if name in CELL_COLUMNS]
    for mark, others in _OTHER_SEPARATORS.items():
        if not naming and len(names) == 1 and mark in names[0]:
            raise DataError(f"it has one column, {quoted(names[0])}: expected commas between columns, not {others}")
    return naming


@dataclass(frozen=True)
class Rows:
    """Which cells the rows of a table are of.

    Attributes:
        cells: The cell of each row.
        naming: The columns that say so; none where it is the order of the rows.
        note: What a user should know of how they were found, if anything.
    """

    cells: list[int]
    naming: Sequence[str]
    note: str | None = None


def rows_of(table: Columns, naming: Sequence[str], space: Space, values: Collection[str] = ()) -> Rows:
    """Return which cells the rows are of: by the columns that name them, or by the order of as many rows as cells.

    Args:
        table: The table; all of its columns where none is known to name cells.
        naming: Its columns that name cells.
        space: The space of the cells.
        values: Columns that are known to hold something else.

    Returns:
        The cells.

    Raises:
        DataError: If a row names no cell, two columns name different ones, two rows the same, or nothing names them.
    """
    if naming:
        return Rows(cells_of(table, naming, space), naming)
    others = [name for name in table.values if name not in values]
    found = [name for name in others if is_named(space, table.values[name])]
    if found:
        return Rows(cells_of(table, found, space), found, f"its cells are named by {' and '.join(map(repr, found))}.")
    if len(table.row_names) != len(space):
        raise DataError(
            f"it names no cells: expected a column 'index' or 'cell', got {', '.join(table.values)}. Name the column "
            f"of the cells with `cell_column`; {len(space):,} rows without names would be taken in the published "
            f"order, and it has {len(table.row_names):,}"
        )
    _check_no_order(table, others, space)
    return Rows(
        list(range(len(space))),
        [],
        f"no column names its cells: its {len(space):,} rows are taken for the cells of {space.name} in their "
        "published order.",
    )


def _check_no_order(table: Columns, names: Sequence[str], space: Space) -> None:
    """Check that no column is an order of all indices, other than that of the rows."""
    for name in names:
        numbers = [number_in(value) for value in table.values[name]]
        if sorted(map(_or_nan, numbers)) == list(range(len(space))) and numbers != list(range(len(space))):
            raise DataError(
                f"column {name!r} holds every index of {space.name} once, and not in the order of the rows: if it "
                "names the cells, say so with `cell_column`; if not, leave it out of the file"
            )


def _or_nan(number: float | None) -> float:
    return float("nan") if number is None else number


def cells_of(table: Columns, names: Sequence[str], space: Space) -> list[int]:
    """Return the cell of each row.

    Args:
        table: The table.
        names: Its columns that name cells.
        space: The space of the cells.

    Raises:
        DataError: If a row names no cell, two columns name different ones, or two rows the same.
    """
    by_column = {name: _indices(table, name, space) for name in names}
    first = names[0]
    for name in names[1:]:
        _check_agreement(table, first, by_column[first], name, by_column[name], space)
    _check_once(table, by_column[first])
    return by_column[first]


def _indices(table: Columns, name: str, space: Space) -> list[int]:
    values = table.values[name]
    if name == INDEX_COLUMN:
        _check_numbers(table, values, space)
    return find_all(space, values, lambda row: f"{table.row_names[row]}, column {name!r}")


def _check_numbers(table: Columns, values: Sequence[Value], space: Space) -> None:
    """Check that a column named ``index`` holds nothing else."""
    for row, value in enumerate(values):
        try:
            is_whole = float(value) == int(float(value))
        except (ValueError, OverflowError):
            is_whole = False
        if not is_whole:
            raise DataError(
                f"{table.row_names[row]}: expected a cell index from 0 to {len(space) - 1} in column 'index', got "
                f"{quoted(value)}"
            )


def _check_agreement(
    table: Columns, first: str, cells: list[int], second: str, others: list[int], space: Space
) -> None:
    row = next((row for row, (a, b) in enumerate(zip(cells, others, strict=True)) if a != b), None)
    if row is None:
        return
    counters = [name for name, column in ((first, cells), (second, others)) if _counts_rows(column)]
    numbered = f" {counters[0]!r} looks like a row number." if len(counters) == 1 else ""
    advice = second if counters == [first] else first
    raise DataError(
        f"{table.row_names[row]}: its columns name different cells: {first!r} cell {cells[row]} ({space[cells[row]]}), "
        f"{second!r} cell {others[row]} ({space[others[row]]}).{numbered} Name the column that counts, such as "
        f"`cell_column` {advice}"
    )


def _counts_rows(cells: list[int]) -> bool:
    """Return whether a column only counts its rows, from 0 or from 1."""
    return cells[0] in (0, 1) and cells == list(range(cells[0], cells[0] + len(cells)))


def _check_once(table: Columns, cells: list[int]) -> None:
    seen: dict[int, int] = {}
    for row, cell in enumerate(cells):
        first = seen.setdefault(cell, row)
        if first != row:
            raise DataError(
                f"it holds cell {cell} more than once, in {table.row_names[first]} and {table.row_names[row]}: "
                "expected one row per cell"
            )
