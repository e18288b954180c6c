"""Scores as tables for other programs."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path

import pandas as pd

from ntknas.core.errors import NtknasError
from ntknas.core.files import replacing
from ntknas.core.regular_file import open_regular
from ntknas.store.layout import journal_path, worker_journals
from ntknas.store.table import COLUMNS

_FIRST_COLUMNS = ",".join(COLUMNS).encode()
_PARQUET = b"PAR1"


def files_of(store: Path) -> list[Path]:
    """Return the files of a store, links followed."""
    real = store.resolve()
    return [real, journal_path(real), *worker_journals(real)]


def to_csv(frame: pd.DataFrame, path: Path, inputs: Iterable[Path] = ()) -> None:
    """Write scores as CSV, compressed if the name ends in .gz; an empty value is a score without one.

    Args:
        frame: The scores.
        path: The file; one that is there is replaced only if it is such a table.
        inputs: Files that must not be replaced in any case.

    Raises:
        NtknasError: If the file is something else, or cannot be written.
    """
    # Said, not inferred by pandas: the file that it writes to ends in .new.
    compression = "gzip" if path.suffix == ".gz" else None
    _write(path, inputs, _is_csv, lambda beside: frame.to_csv(beside, index=False, compression=compression))


def to_parquet(frame: pd.DataFrame, path: Path, inputs: Iterable[Path] = ()) -> None:
    """Write scores as Parquet; texts are dictionaries.

    Args:
        frame: The scores.
        path: The file; one that is there is replaced only if it is such a table.
        inputs: Files that must not be replaced in any case.

    Raises:
        NtknasError: If the file is something else, or cannot be written.
    """
    plain = frame.copy()
    plain.attrs = {}  # pandas writes them as JSON, which ours are not
    _write(path, inputs, _is_parquet, lambda beside: plain.to_parquet(beside, index=False))


def _write(
    path: Path, inputs: Iterable[Path], is_of_kind: Callable[[Path], bool], write: Callable[[Path], object]
) -> None:
    """Write beside the place and rename, so that a half-written file never has the name."""
    try:
        if path.exists():
            if any(file.exists() and path.samefile(file) for file in inputs):
                raise NtknasError(f"{path} belongs to the store that is exported: name another file.")
            if not is_of_kind(path):
                raise NtknasError(
                    f"{path} is there already, and is no table that ntknas exported: name another file, or remove it."
                )
        with replacing(path) as beside:
            write(beside)
    except OSError as error:
        raise NtknasError(f"Cannot write {path}: {error.strerror or error}.") from error


def _is_csv(path: Path) -> bool:
    """Return whether a file is empty, or begins with the columns of a table of scores."""
    with open_regular(path) as file:
        if path.suffix != ".gz":
            start = file.read(len(_FIRST_COLUMNS))
        else:
            try:
                start = gzip.GzipFile(fileobj=file).read(len(_FIRST_COLUMNS))
            except (EOFError, zlib.error, gzip.BadGzipFile):
                return False
    return start in (b"", _FIRST_COLUMNS)


def _is_parquet(path: Path) -> bool:
    with open_regular(path) as file:
        start = file.read(len(_PARQUET))
    if start != _PARQUET:
        return not start
    try:
        names: list[str] = import_module("pyarrow.parquet").read_schema(path).names
    except (OSError, ValueError, RuntimeError, LookupError, TypeError):  # what a damaged file shows as
        return False
    return names[: len(COLUMNS)] == list(COLUMNS)
