"""Importing a table of one's own, in any of the files and encodings that are read, as a benchmark of its own name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ntknas.benchmarks import FOLDER, benchmark_names
from ntknas.benchmarks.cell_columns import CELL_COLUMNS, cell_columns, rows_of
from ntknas.benchmarks.column_files import in_file, number_in, read_columns
from ntknas.benchmarks.columns import Columns
from ntknas.benchmarks.formats.cell_table import check_tells_apart
from ntknas.benchmarks.formats.collection import Collection
from ntknas.benchmarks.importing import Imported, Part, size_of, write_parts
from ntknas.benchmarks.quantity import ACCURACY, PERCENT, Quantity
from ntknas.benchmarks.sentinels import suspicions
from ntknas.benchmarks.source import BenchmarkSource
from ntknas.benchmarks.table import Target
from ntknas.benchmarks.user_file import numbers
from ntknas.core.errors import ChoiceError, DataError
from ntknas.core.quoting import quoted
from ntknas.spaces import Space, load_space, space_names

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_RESERVED = ("all", "published")
_KEPT = ("present", "seconds", "measurements", ".", "..")
"""What a table keeps beside its targets, and what would be no name in it."""


@dataclass(frozen=True)
class OwnTable:
    """What a user says of a table.

    Attributes:
        name: The benchmark that it becomes.
        space: Name of the space of its cells.
        dataset: Data set of its targets.
        columns: Its targets; every other column of numbers without them.
        cell_column: The column that names the cells, where it is not one of the usual ones or others are not to count.
        quantity: What its values are.
        missing: Numbers that stand for no value.
    """

    name: str
    space: str
    dataset: str = "cifar10"
    columns: tuple[str, ...] = ()
    cell_column: str | None = None
    quantity: Quantity = ACCURACY
    missing: tuple[float, ...] = ()


def import_own(
    paths: Sequence[Path],
    own: OwnTable,
    folder: Path = FOLDER,
    *,
    overwrite: bool = False,
    open_space: Callable[[str], Space] = load_space,
) -> tuple[Imported, list[str]]:
    """Import tables of one's own as a benchmark, or add their targets to one that is there.

    Args:
        paths: The files: CSV (plain or compressed), JSON, Parquet or ``.npz``; see ``read_accuracies``.
        own: What they are.
        folder: Where tables are kept.
        overwrite: Whether targets that are there may be replaced.
        open_space: Returns a space by name.

    Returns:
        What was made, and what a user should know of how the files were read.

    Raises:
        ChoiceError: If the name is no name, or a benchmark's or a space's.
        DataError: If a file cannot be read, is not such a table, or its targets are there already. Nothing is written
            then.
    """
    check_name(own.name)
    _check_part("`dataset`", own.dataset)
    space, notes, parts = open_space(own.space), list[str](), []
    source = BenchmarkSource(own.name, own.space, "a table of your own")
    for path in paths:
        collection, remarks = read_own(path, own, space)
        notes += remarks
        parts.append(Part(path, source, collection, size_of(path)))
    return write_parts(parts, folder, overwrite), notes


def check_name(name: str) -> None:
    """Check that a table of one's own can have a name.

    Raises:
        ChoiceError: If it cannot.
    """
    if not _NAME.fullmatch(name):
        raise ChoiceError(
            f"Not a name of a table: {quoted(name)}. Expected letters, digits, dots, dashes and underscores, the first "
            "a letter or digit."
        )
    taken = {**dict.fromkeys(space_names(), "a space"), **dict.fromkeys(benchmark_names(), "a benchmark")}
    if name in taken or name in _RESERVED:
        raise ChoiceError(f"{name} is the name of {taken.get(name, 'something else')}: choose another for your table.")


def read_own(path: Path, own: OwnTable, space: Space) -> tuple[Collection, list[str]]:
    """Read a table of one's own.

    Args:
        path: The file.
        own: What it is.
        space: The space of its cells.

    Returns:
        Its targets, and what a user should know of how it was read.

    Raises:
        DataError: If it cannot be read, or is not such a table.
    """
    naming: list[str] = []

    def choose(names: Sequence[str]) -> Sequence[str]:
        naming[:] = cell_columns(names, own.cell_column)
        return [*naming, *_targets(names, naming, own.columns)] if naming else names

    table = read_columns(path, len(space), choose)
    try:
        rows = rows_of(table, naming, space, own.columns)
        notes = [] if rows.note is None else [rows.note]
        columns = dict(_values(table, _targets(list(table.values), rows.naming, own.columns), own, notes))
        notes += [*suspicions(columns), *_fractions(columns, own.quantity)]
        collection = _collected(columns, rows.cells, own, space)
    except DataError as error:
        raise DataError(in_file(path, error)) from error
    return collection, [f"{path}: {note}" for note in notes]


def _targets(names: Sequence[str], naming: Sequence[str], columns: Sequence[str]) -> Sequence[str]:
    candidates = [name for name in names if name not in CELL_COLUMNS and name not in naming]
    for name in columns:
        if name not in names or name in naming:
            raise DataError(f"it has no column {name!r} of values: it has {', '.join(candidates) or 'none'}")
    if not candidates:
        raise DataError(f"it has no column of values beside {' and '.join(naming)}")
    return columns or candidates


def _values(table: Columns, names: Sequence[str], own: OwnTable, notes: list[str]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield every column of numbers that tells cells apart; of those that were not asked for others are left out."""
    left_out = []
    for name in names:
        if name not in own.columns and (not name or _is_text(table, name)):
            left_out.append(repr(name) if name else "the one without a name")
            continue
        values = numbers(table, name)
        values[np.isin(values, own.missing)] = np.nan
        check_tells_apart(values, f"column {name!r}")
        _check_part("column", name)
        yield name, values
    if left_out:
        notes.append(f"columns that hold no numbers were not taken: {', '.join(left_out)}.")
    if len(left_out) == len(names):
        raise DataError(f"it has no column of numbers: {notes[-1]}")


def _is_text(table: Columns, name: str) -> bool:
    values = [number_in(value) for value in table.values[name]]
    return None in values and all(value is None or np.isnan(value) for value in values)


def _fractions(columns: Mapping[str, np.ndarray], quantity: Quantity) -> Iterator[str]:
    """Yield which percentages look like fractions."""
    names = [name for name, values in columns.items() if np.nanmin(values) >= 0 and np.nanmax(values) <= 1]
    if quantity.unit == PERCENT and names:
        yield f"{', '.join(names)} in {PERCENT} is at most 1: if these are fractions, say so with `unit` fraction."


def _check_part(kind: str, name: str) -> None:
    """Check that a name can be part of a target, and stand in a table."""
    if not name or "/" in name or name in _KEPT or not name.isprintable():
        raise DataError(
            f"{kind} {name!r} is no name of a target: expected one without slashes, other than {', '.join(_KEPT)}. "
            "Call it something else"
        )


def _collected(columns: Mapping[str, np.ndarray], cells: Sequence[int], own: OwnTable, space: Space) -> Collection:
    collection = Collection(own.name, own.space, len(space), seeds_are_numbers=True)
    quantity = replace(own.quantity, missing=", ".join(f"{number:g}" for number in own.missing))
    for name, values in columns.items():
        by_cell = np.full(len(space), np.nan)
        by_cell[cells] = values
        collection.add_target(Target(own.dataset, name, None), by_cell, quantity)
    return collection
