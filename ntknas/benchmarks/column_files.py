"""A user's file of columns: CSV, JSON, Parquet or a numpy archive, read with messages that say where what stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ntknas.benchmarks.columns import Choose, Columns, Value, read_archive, read_csv
from ntknas.benchmarks.record_files import read_json_columns, read_parquet_columns
from ntknas.core.errors import DataError
from ntknas.core.npy import ARCHIVE_ERRORS
from ntknas.core.unpacking import PACKED_SUFFIXES

_MISSING = frozenset(  # what pandas.read_csv takes for a missing value
    {"", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA"}
    | {"NULL", "NaN", "None", "n/a", "nan", "null"}
)

_KINDS: Mapping[str, tuple[str, Callable[[Path, int, Choose], Columns]]] = {
    ".npz": ("numpy archive", read_archive),
    ".json": ("JSON file", read_json_columns),
    ".parquet": ("Parquet file", read_parquet_columns),
    ".pq": ("Parquet file", read_parquet_columns),
}


def read_columns(path: Path, rows: int, choose: Choose) -> Columns:
    """Read columns of a file of the kind that its name ends in: a CSV file, but for ``.npz``, ``.json``, ``.parquet``.

    Args:
        path: The file.
        rows: How many rows it can have.
        choose: Chooses the columns.

    Returns:
        The columns; one row at least.

    Raises:
        DataError: If it cannot be read, or is no such file.
    """
    kind, read = _KINDS.get(path.suffix.lower(), ("CSV file", read_csv))
    if path.suffix in PACKED_SUFFIXES and Path(path.stem).suffix.lower() in _KINDS:
        raise DataError(f"{path} is packed, as of such files only CSV may be: unpack it first.")
    try:
        table = read(path, rows, choose)
    except FileNotFoundError as error:
        raise DataError(f"No such file: {path}.") from error
    except DataError as error:
        raise DataError(in_file(path, error)) from error
    except ARCHIVE_ERRORS as error:
        reason = getattr(error, "strerror", None) or (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DataError(f"{path} is not a {kind} that can be read: {reason}.") from error
    if not table.row_names:
        raise DataError(f"{path} holds no rows.")
    return table


def is_columns(path: Path) -> bool:
    """Return whether a file's name is that of a table of columns."""
    suffix = Path(path.stem).suffix if path.suffix in PACKED_SUFFIXES else path.suffix
    return suffix.lower() in (".csv", *_KINDS)


def in_file(path: Path, error: DataError) -> str:
    """Return the message of what is wrong in a file, with the file's name."""
    text = str(error).rstrip(".")
    return f"{path}{', ' if text.startswith(('line ', 'row ')) else ': '}{text}."


def number_in(value: Value) -> float | None:
    """Return the number that stands in a table, NaN where it says that one is missing; ``None`` where it is no number.

    Infinite ones are returned as they stand.
    """
    if isinstance(value, str) and value.strip() in _MISSING:
        return float("nan")
    try:
        # float() would read 1_000 as 1000, and bytes, which are a hash, as digits.
        return None if isinstance(value, bytes) or "_" in str(value) else float(value)
    except (ValueError, OverflowError):
        return None
