"""Importing official files: recognise the format, read it as a stream, write the compact table."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ntknas.benchmarks import table_file, table_path
from ntknas.benchmarks.formats import nats_folder, nb101_tfrecord, nb201_pth
from ntknas.benchmarks.formats.collection import Collection
from ntknas.core.errors import DataError
from ntknas.spaces import load_space

EXPECTED = (
    "NAS-Bench-201-v1_*.pth, a folder NATS-tss-v1_0-*-simple or NATS-sss-v1_0-*-simple, nasbench_only108.tfrecord or "
    "nasbench_full.tfrecord"
)
_ADVICE = f"Expected {EXPECTED}. Nothing was written: if the file is one of them, fetch it again."

Advance = Callable[[int], None]


class Start(Protocol):
    """Shows how far an import is: told what and how much there is to do, it returns what is called with each step."""

    def __call__(self, total: int, unit: str) -> Advance:
        """Begin."""
        ...


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


def import_file(
    source: Path,
    folder: Path,
    *,
    benchmark: str | None = None,
    replace: bool = False,
    start: Start = lambda total, unit: lambda count: None,
    open_space: Callable[[str], Any] = load_space,
) -> Imported:
    """Import an official file or folder into a table.

    Args:
        source: The file, or the folder of NATS-Bench.
        folder: Where tables are kept; the table is named after its benchmark.
        benchmark: What the file must be; whatever it is without one.
        replace: Whether a table that is there may be replaced.
        start: Shows progress.
        open_space: Returns a space by name.

    Raises:
        DataError: If the file is missing, not an official one, another benchmark's, damaged or cut off, or the table is
            there already. Nothing is written then.
    """
    if not source.exists():
        raise DataError(f"No such file: {source}. ntknas bench import takes {EXPECTED}.")
    if (hint := _how_to_give(source)) is not None:
        raise DataError(f"{source} was not imported: {hint}.")
    try:
        found = _recognise(source, benchmark)
        path = _place(found, folder, replace)
        collection, size = _read(source, found, start, open_space)
    except DataError as error:
        raise DataError(f"{source} was not imported: {error}. {_ADVICE}") from error
    except OSError as error:
        raise DataError(f"Cannot read {error.filename or source}: {error.strerror or error}.") from error
    table_file.write(path, collection, source.name, size)
    return Imported(path, found, collection.cells_with_runs, collection.cells, collection.runs)


def _how_to_give(source: Path) -> str | None:
    """Return what to do with something that only holds, or belongs to, what can be imported."""
    if source.is_dir():
        inside = [path for path in sorted(source.iterdir()) if nats_folder.recognises(path)]
        if inside and not nats_folder.recognises(source):
            return f"it only holds a folder of NATS-Bench: give that, {inside[0]}"
        return None
    if not source.is_file():
        return "it is no regular file"
    if source.name.endswith(".pickle.pbz2"):
        return f"it is one file of NATS-Bench: give the folder that holds it and all others, {source.resolve().parent}"
    if any(suffix in source.suffixes for suffix in (".tar", ".tgz")):
        return (
            f"it is an archive: unpack it first, tar xf {shlex.quote(str(source))}, and give the folder that comes out"
        )
    return None


def _place(benchmark: str, folder: Path, replace: bool) -> Path:
    path = table_path(benchmark, folder)
    if path.exists() and not replace:
        raise DataError(f"{path} is there already; to read the file again, give --replace")
    return path


def _recognise(source: Path, asked_for: str | None) -> str:
    """Return the name of the benchmark that a file belongs to."""
    found = _name(source)
    if asked_for not in (None, found):
        raise DataError(f"it is a file of {found}, and {asked_for} was asked for")
    return found


def _name(source: Path) -> str:
    if nats_folder.recognises(source):
        return nats_folder.benchmark(source, {name: _texts(space) for name, space in nats_folder.SPACES.items()})
    if nb201_pth.recognises(source):
        return "nb201"
    if nb101_tfrecord.recognises(source):
        return "nb101"
    raise DataError("it is none of the official files, or its beginning is damaged")


def _read(source: Path, benchmark: str, start: Start, open_space: Callable[[str], Any]) -> tuple[Collection, int]:
    """Return the content and the size of a file in bytes."""
    if benchmark in nats_folder.SPACES:
        found = nats_folder.files(source)
        size = sum(file.stat().st_size for file in found.values())
        texts = _texts(nats_folder.SPACES[benchmark])
        return nats_folder.read(source, benchmark, texts, start(len(found), "files")), size
    size = source.stat().st_size
    if benchmark == "nb201":
        return nb201_pth.read(source, _texts("nb201"), start(size, "bytes")), size
    space = open_space("nb101")
    return nb101_tfrecord.read(source, len(space), space.index, start(size, "bytes")), size


def _texts(space: str) -> list[str]:
    return [str(cell) for cell in load_space(space)]
