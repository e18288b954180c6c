"""Imported tables that no package declares as a benchmark: what they are of is read off the files themselves."""

from __future__ import annotations

from pathlib import Path

from ntknas.benchmarks.source import BenchmarkSource
from ntknas.core.regular_file import open_regular

SUFFIX = ".h5"
_BEGINNING = b"ntknas benchmark table "


def own_names(folder: Path, declared: set[str]) -> list[str]:
    """Return the names of the tables in a folder that are no declared benchmark's.

    Args:
        folder: The folder; it need not be there.
        declared: Names of benchmarks that packages declare.

    Returns:
        The names, sorted.
    """
    files = sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []
    return [file.stem for file in files if file.stem not in declared and _is_table(file)]


def own_source(name: str, folder: Path) -> BenchmarkSource:
    """Return what a table in a folder is a benchmark of.

    Args:
        name: Its name.
        folder: The folder.

    Returns:
        The benchmark, without an official file.

    Raises:
        DataError: If it is damaged, or the table of another name.
    """
    from ntknas.benchmarks.table_file import TableFile

    file = TableFile(folder / f"{name}{SUFFIX}", name)
    return BenchmarkSource(name, str(file.attributes["space"]), "a table of your own")


def _is_table(file: Path) -> bool:
    """Return whether a file begins as a table does; a store of scores may lie beside it."""
    try:
        with open_regular(file) as stream:
            return stream.read(len(_BEGINNING)) == _BEGINNING
    except OSError:
        return False
