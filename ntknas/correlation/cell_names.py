"""The cells that rows of a table or a series are of: by index, or by any name that their space reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from ntknas.benchmarks.cell_columns import CELL_COLUMNS
from ntknas.core.errors import ChoiceError, DataError
from ntknas.core.quoting import quoted
from ntknas.spaces import Keyed, Space
from ntknas.spaces.naming import find, find_all


def by_cell(table: pd.DataFrame, whose: str, space: Space | None) -> pd.DataFrame:
    """Return a table by the index of the cell of each row, without the columns that name cells.

    The columns of the usual names say which cells they are, such as ``cell``, ``arch_str`` or ``hash``, or an index of
    such a name; all must say the same. Without any the index does, whatever its name.

    Args:
        table: The table.
        whose: What it holds, for messages, such as ``scores``.
        space: The space whose cells they are, if it is known.

    Returns:
        The table, its index named ``cell``; a cell may stand there several times.

    Raises:
        DataError: If a row names no cell, or two columns name different ones.
        ChoiceError: If cells are named otherwise than by index, and no space is known.
    """
    naming = [name for name in CELL_COLUMNS if name in table]
    ways = {f"column {name!r}": table[name] for name in naming}
    if not ways or table.index.name in CELL_COLUMNS:
        ways["the index"] = pd.Series(table.index)
    found = {way: cells_of(names, f"{whose}, {way}", space) for way, names in ways.items()}
    (first, cells), *others = found.items()
    for way, other in others:
        _check_agreement(whose, first, cells, way, other)
    return table.drop(columns=naming).set_axis(pd.Index(cells, name="cell"))


def _check_agreement(whose: str, first: str, cells: np.ndarray, second: str, others: np.ndarray) -> None:
    different = np.flatnonzero(cells != others)
    if len(different):
        row = different[0]
        raise DataError(
            f"{whose}, row {row}: {first} names cell {cells[row]}, {second} cell {others[row]}, and {len(different):,} "
            "rows disagree so. Leave out what does not count, such as a number of rows."
        )


def cells_of(names: pd.Series | pd.Index, whose: str, space: Space | None) -> np.ndarray:
    """Return the index of the cell that each entry names.

    Args:
        names: Indices, or names that the space reads, all written in one way.
        whose: What they are of, for messages.
        space: The space, if it is known.

    Returns:
        The indices, int64.

    Raises:
        DataError: If an entry is no index and names no cell, or they are written in several ways.
        ChoiceError: If they are no indices, and no space is known.
    """
    entries = pd.Series(names).reset_index(drop=True)
    numbers = pd.to_numeric(entries, errors="coerce")
    if numbers.notna().all() and not _may_be_keys(numbers, space):
        return _indices(entries, numbers)
    missing = int(entries.isna().sum())
    if missing:
        raise DataError(
            f"{whose}: {missing:,} of {len(entries):,} rows name no cell, the first is {entries.isna().argmax()}."
        )
    if space is None:
        refused = entries[numbers.isna()].iloc[0]
        raise ChoiceError(
            f"Cells are indices, 0 and above: got {_short(refused)} ({whose}). Names of cells, such as architecture "
            "strings or hashes, are read by their space: name it with `space`, such as nb201."
        )
    distinct = list(dict.fromkeys(entries))
    found = dict(zip(distinct, _found(space, distinct, whose), strict=True))
    return np.array([found[entry] for entry in entries], np.int64)


def _may_be_keys(numbers: pd.Series, space: Space | None) -> bool:
    """Return whether digits may be architecture strings: where a space has such, and they are longer than indices."""
    return isinstance(space, Keyed) and bool((numbers >= len(space)).any())


def _indices(entries: pd.Series, numbers: pd.Series) -> np.ndarray:
    refused = entries[(numbers % 1 != 0) | (numbers < 0)]
    if len(refused):
        raise DataError(
            f"Cells are indices, 0 and above: got {refused.iloc[0]}. space.index(architecture) gives that of one."
        )
    return np.asarray(numbers, np.int64)


def _found(space: Space, names: Sequence[object], whose: str) -> list[int]:
    texts = [name if isinstance(name, str | int | float | bytes) else str(name) for name in names]
    try:
        return find_all(space, texts, lambda place: f"{whose}, {_short(texts[place])}")
    except DataError as error:
        count = sum(_is_unknown(space, text) for text in texts)
        others = f" Of {len(texts):,} names {count:,} are of no cell of {space.name}." if count else ""
        raise DataError(f"{error}{others} Nothing is left out unsaid: correct them, or drop their rows.") from error


def _is_unknown(space: Space, text: object) -> bool:
    try:
        find(space, str(text).strip())
    except ValueError:
        return True
    return False


def _short(value: object) -> str:
    return quoted(value, 60) if isinstance(value, str) else str(value)[:60]


def of_all_cells(values: Iterable[float], whose: str, space: Space | None) -> pd.Series:
    """Return values of all cells of a space, in their published order, as a series.

    Args:
        values: The values.
        whose: What they are, for messages.
        space: The space, if it is known.

    Returns:
        The series, by index of the cell.

    Raises:
        DataError: If they are not as many as there are cells.
        ChoiceError: If no space is known, to say whose cells they are.
    """
    array = np.asarray(values)
    if space is None:
        raise ChoiceError(
            f"{whose}: an array does not name its cells. Say with `space` whose cells they are, or pass a series."
        )
    if array.shape != (len(space),):
        raise DataError(
            f"{whose}: an array is taken for all {len(space):,} cells of {space.name} in their published order, and it "
            f"has shape {array.shape}. Pass a series by cell for some of them."
        )
    return pd.Series(array, pd.RangeIndex(len(space), name="cell"))
