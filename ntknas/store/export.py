"""Scores as tables for other programs."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from ntknas.core.errors import NtknasError
from ntknas.core.files import replacing


def to_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write scores as CSV, compressed if the name ends in .gz; an empty value is a score without one.

    Raises:
        NtknasError: If the file cannot be written.
    """
    _write(path, lambda beside: frame.to_csv(beside, index=False, compression="gzip" if path.suffix == ".gz" else None))


def to_parquet(frame: pd.DataFrame, path: Path) -> None:
    """Write scores as Parquet; texts are dictionaries.

    Raises:
        NtknasError: If pyarrow is not installed, or the file cannot be written.
    """
    if find_spec("pyarrow") is None:
        raise NtknasError("Parquet needs the package pyarrow: pip install 'ntknas[parquet]', or use --csv.")
    plain = frame.copy()
    plain.attrs = {}
    _write(path, lambda beside: plain.to_parquet(beside, index=False))


def _write(path: Path, write: Callable[[Path], None]) -> None:
    """Write beside the place and rename, so that a half-written file never has the name."""
    try:
        with replacing(path) as beside:
            write(beside)
    except OSError as error:
        raise NtknasError(f"Cannot write {path}: {error.strerror or error}.") from error
