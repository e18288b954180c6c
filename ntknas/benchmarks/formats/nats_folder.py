"""NATS-Bench's folders ``NATS-tss-v1_0-…-simple`` and ``NATS-sss-…``: one ``NNNNNN.pickle.pbz2`` per architecture."""

from __future__ import annotations

import bz2
import io
import os
import re
import signal
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ntknas import pickles
from ntknas.benchmarks.formats.collection import Collection, Run
from ntknas.benchmarks.formats.training_record import SUMMARY_KEYS, read_runs, shown
from ntknas.benchmarks.source import Start
from ntknas.core.children import safe_context
from ntknas.core.errors import DataError
from ntknas.core.regular_file import read_regular
from ntknas.pickles import REBUILDERS
from ntknas.spaces import Space, load_space

SPACES = {"nats-tss": "nb201", "nats-sss": "nats-sss"}
"""The benchmarks in this format and the spaces of their architectures."""

_META = "meta.pickle.pbz2"
_FILE = re.compile(r"(\d{6})\.pickle\.pbz2")
_MAX_BYTES = 1 << 23  # an honest file unpacks to a few hundred kilobytes
_MIN_FOR_PROCESSES = 256

CellFile = tuple[Path, int, str]


def hint(path: Path) -> str | None:
    """Return what to give in place of a folder that only holds NATS-Bench's, or of a file out of it."""
    if path.is_dir() and not _has_meta(path):
        inside = next((folder for folder in sorted(path.iterdir()) if _has_meta(folder)), None)
        return None if inside is None else f"it only holds a folder of NATS-Bench: give that, {inside}"
    if path.is_file() and path.name.endswith(".pickle.pbz2"):
        return f"it is one file of NATS-Bench: give the folder that holds it and all others, {path.resolve().parent}"
    return None


def _has_meta(path: Path) -> bool:
    return (path / _META).is_file()


@dataclass(frozen=True)
class NATSFolder:
    """The format of one of the two benchmarks.

    Attributes:
        benchmark: Its name, a key of ``SPACES``.
    """

    benchmark: str

    def recognises(self, path: Path) -> bool:
        """Return whether a folder holds this benchmark.

        Raises:
            DataError: If it describes itself as NATS-Bench's and is neither benchmark.
        """
        if not _has_meta(path):
            return False
        content = _load(path / _META)
        listed = content.get("meta_archs") if isinstance(content, dict) else None
        if listed == _texts(self.benchmark):
            return True
        if listed not in [_texts(benchmark) for benchmark in SPACES if benchmark != self.benchmark]:
            raise DataError(f"{_META}: its list of architectures is neither NATS-Bench's tss nor sss")
        return False

    def read(self, path: Path, space: Space, start: Start) -> Collection:
        """Read a folder, with one process per core.

        Args:
            path: The folder.
            space: The space of the benchmark.
            start: Shows progress, in files.

        Returns:
            Its runs.

        Raises:
            DataError: If a file is not what it should be, damaged or cut off; the message names the file, not the
                folder.
        """
        cells = [str(cell) for cell in space]
        collection = Collection(self.benchmark, SPACES[self.benchmark], len(cells))
        cell_files = list_files(path, cells)
        advance = start(len(cell_files), "files")
        for (file, index, _), runs in zip(cell_files, _results(cell_files), strict=True):
            try:
                for run in runs:
                    collection.add(index, run)
            except DataError as error:
                raise DataError(f"{file.name}: {error}") from error
            advance(1)
        return collection


@cache
def _texts(benchmark: str) -> list[str]:
    return [str(cell) for cell in load_space(SPACES[benchmark])]


def list_files(path: Path, cells: Sequence[str]) -> list[CellFile]:
    """Return the files of a folder's architectures, each with its index and how the official list writes it.

    Raises:
        DataError: If there are none, or more than there are architectures.
    """
    files = {int(match[1]): file for file in sorted(path.iterdir()) if (match := _FILE.fullmatch(file.name))}
    if not files:
        raise DataError("it holds no files such as 000000.pickle.pbz2")
    for index, file in files.items():
        if index >= len(cells):
            raise DataError(f"{file.name}: there are only {len(cells)} architectures")
    return [(file, index, cells[index]) for index, file in files.items()]


def _results(cell_files: list[CellFile]) -> Iterable[list[Run]]:
    if len(cell_files) < _MIN_FOR_PROCESSES:
        return map(read_file, cell_files)
    return _in_processes(cell_files)


def _in_processes(cell_files: list[CellFile]) -> Iterator[list[Run]]:
    pool = ProcessPoolExecutor(os.cpu_count(), safe_context(), _leave_interrupts_to_the_parent)
    try:
        yield from pool.map(read_file, cell_files, chunksize=32)
    except BrokenProcessPool as error:
        raise DataError("a process that reads its files was killed, for lack of memory perhaps") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _leave_interrupts_to_the_parent() -> None:
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def read_file(cell_file: CellFile) -> list[Run]:
    """Return all runs of an architecture, read from its file.

    Raises:
        DataError: If it is not what it should be, damaged or cut off; the message names the file.
    """
    file, index, text = cell_file
    content = _load(file)
    try:
        return read_architecture(content, index, text)
    except DataError as error:
        raise DataError(f"{file.name}: {error}") from error


def read_architecture(content: object, index: int, text: str) -> list[Run]:
    """Return all runs of an architecture.

    Args:
        content: Its summaries by epoch budget.
        index: Its index.
        text: How the official list writes it.

    Returns:
        The runs.

    Raises:
        DataError: If it is another architecture, or not what it should be.
    """
    if not isinstance(content, dict) or not content:
        raise DataError(f"expected a dictionary by epoch budget, got {type(content).__name__}")
    runs = []
    for budget, summary in content.items():
        if not isinstance(summary, dict) or not summary.keys() >= SUMMARY_KEYS:
            raise DataError(f"no summary of an architecture under {shown(budget)}")
        if type(summary["arch_index"]) is not int or summary["arch_index"] != index or summary["arch_str"] != text:
            raise DataError(f"it holds architecture {shown(summary['arch_str'])}, not {text!r}")
        runs += read_runs(summary)
    return runs


def _load(file: Path) -> object:
    unpacker = bz2.BZ2Decompressor()
    try:
        # Not bz2.decompress, which knows no limit.
        content = unpacker.decompress(read_regular(file, _MAX_BYTES), _MAX_BYTES)
    except OSError as error:
        raise DataError(f"{file.name}: damaged or cut off ({error.strerror or error})") from error
    if len(content) == _MAX_BYTES:
        raise DataError(f"{file.name}: it unpacks to more than {_MAX_BYTES >> 20} MiB")
    if not unpacker.eof or unpacker.unused_data:
        raise DataError(f"{file.name}: damaged or cut off: it ends too early, or something follows its end")
    try:
        return pickles.load_stream(io.BytesIO(content), REBUILDERS)
    except DataError as error:
        hint = "; take the folder that ends in -simple, without weights" if "torch" in str(error) else ""
        raise DataError(f"{file.name}: damaged or cut off, or no such file: {error}{hint}") from error
