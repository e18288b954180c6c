"""Importing official files: recognise the format, read it as a stream, write the compact table."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ntknas.benchmarks import all_sources, table_file, table_path
from ntknas.benchmarks.source import Advance, BenchmarkSource, OfficialFormat, Start
from ntknas.core.errors import DataError
from ntknas.spaces import Space, load_space


@dataclass(frozen=True)
class Imported:
    """What an import made.

    Attributes:
        path: The table.
        benchmark: Name of the benchmark.
        cells: Number of cells that have runs.
        size: Number of cells of the space.
        runs: Number of training runs.
    """

    path: Path
    benchmark: str
    cells: int
    size: int
    runs: int


def _unseen(total: int, unit: str) -> Advance:
    return lambda count: None


def import_file(
    path: Path,
    folder: Path,
    *,
    benchmark: str | None = None,
    replace: bool = False,
    start: Start = _unseen,
    open_space: Callable[[str], Space] = load_space,
) -> Imported:
    """Import an official file or folder into a table.

    Args:
        path: The file, or the folder of NATS-Bench.
        folder: Where tables are kept; the table is named after its benchmark.
        benchmark: What the file must be; whatever it is without one.
        replace: Whether a table that is there may be replaced.
        start: Shows progress.
        open_space: Returns a space by name.

    Returns:
        What was made.

    Raises:
        DataError: If the file is missing, not an official one, another benchmark's, damaged or cut off, or the table is
            there already. Nothing is written then.
    """
    formats = {source: source.official for source in all_sources().values() if source.official is not None}
    expected = ", ".join(official.text for official in formats.values())
    if not path.exists():
        raise DataError(f"No such file: {path}. ntknas bench import takes {expected}.")
    if (hint := _what_to_give(path, formats.values())) is not None:
        raise DataError(f"{path} was not imported: {hint}.")
    try:
        source, official = _recognise(path, formats, benchmark)
        table = _new_table(source.name, folder, replace)
        collection = official.read(path, open_space(source.space), start)
    except DataError as error:
        advice = f"Expected {expected}. Nothing was written: if the file is one of them, fetch it again."
        raise DataError(f"{path} was not imported: {error}. {advice}") from error
    except OSError as error:
        raise DataError(f"Cannot read {error.filename or path}: {error.strerror or error}.") from error
    table_file.write(table, collection, path.name, _size(path))
    return Imported(table, source.name, collection.cells_with_runs, collection.cells, collection.runs)


def _what_to_give(path: Path, formats: Iterable[OfficialFormat]) -> str | None:
    """Return what to give in place of something that only holds, or belongs to, what can be imported."""
    for official in formats:
        if (hint := official.hint(path)) is not None:
            return hint
    if not path.is_dir() and not path.is_file():
        return "it is no regular file"
    if path.is_file() and any(suffix in path.suffixes for suffix in (".tar", ".tgz")):
        return f"it is an archive: unpack it first, tar xf {shlex.quote(str(path))}, and give the folder that comes out"
    return None


def _recognise(
    path: Path, formats: Mapping[BenchmarkSource, OfficialFormat], expected: str | None
) -> tuple[BenchmarkSource, OfficialFormat]:
    """Return the benchmark that a file belongs to, and its format.

    Raises:
        DataError: If it belongs to none, or to another than is expected.
    """
    for source, official in formats.items():
        if official.recognises(path):
            if expected not in (None, source.name):
                raise DataError(f"it is a file of {source.name}, and {expected} was asked for")
            return source, official
    raise DataError("it is none of the official files, or its beginning is damaged")


def _new_table(benchmark: str, folder: Path, replace: bool) -> Path:
    table = table_path(benchmark, folder)
    if table.exists() and not replace:
        raise DataError(f"{table} is there already; to read the file again, give `replace`")
    return table


def _size(path: Path) -> int:
    """Return the size of a file, or of all files in a folder, in bytes."""
    files = path.iterdir() if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
