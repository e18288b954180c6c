"""NATS-Bench's folders ``NATS-tss-v1_0-…-simple`` and ``NATS-sss-…``: one ``NNNNNN.pickle.pbz2`` an architecture."""

from __future__ import annotations

import bz2
import io
import os
import re
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from ntknas import pickles
from ntknas.benchmarks.formats.collection import Collection, Run
from ntknas.benchmarks.formats.training_record import SUMMARY_KEYS, read_runs, shown
from ntknas.core.children import safe_context
from ntknas.core.errors import DataError
from ntknas.core.regular_file import read_regular
from ntknas.pickles import REBUILDERS

SPACES = {"nats-tss": "nb201", "nats-sss": "nats-sss"}
"""The benchmarks in this format and the spaces of their architectures."""

_META = "meta.pickle.pbz2"
_FILE = re.compile(r"(\d{6})\.pickle\.pbz2")
_LARGEST = 1 << 23  # an honest file unpacks to a few hundred kilobytes
_FEWEST_FOR_PROCESSES = 256

Job = tuple[Path, int, str]


def recognises(path: Path) -> bool:
    """Return whether a folder holds NATS-Bench's description of itself."""
    return (path / _META).is_file()


def files(path: Path) -> dict[int, Path]:
    """Return the architectures' files by index."""
    found = {int(match[1]): file for file in sorted(path.iterdir()) if (match := _FILE.fullmatch(file.name))}
    if not found:
        raise DataError("it holds no files such as 000000.pickle.pbz2")
    return found


def benchmark(path: Path, texts: Mapping[str, list[str]]) -> str:
    """Return which benchmark a folder holds.

    Args:
        path: The folder.
        texts: For each benchmark in ``SPACES`` the texts of its cells in the published order.

    Raises:
        DataError: If it is neither.
    """
    content = _load(path / _META)
    for name, cells in texts.items():
        if isinstance(content, dict) and content.get("meta_archs") == cells:
            return name
    raise DataError(f"{_META}: its list of architectures is neither NATS-Bench's tss nor sss")


def read(path: Path, name: str, cells: list[str], advance: Callable[[int], None]) -> Collection:
    """Read a folder, with one process a core.

    Args:
        path: The folder.
        name: Which benchmark it holds.
        cells: Texts of the cells in the published order.
        advance: Called with the number of files read.

    Raises:
        DataError: If a file is not what it should be, damaged or cut off; the message names the file, not the folder.
    """
    collection = Collection(name, SPACES[name], len(cells))
    jobs = []
    for index, file in files(path).items():
        if index >= len(cells):
            raise DataError(f"{file.name}: there are only {len(cells)} architectures")
        jobs.append((file, index, cells[index]))
    for (file, index, _), runs in zip(jobs, _results(jobs), strict=True):
        try:
            for run in runs:
                collection.add(index, run)
        except DataError as error:
            raise DataError(f"{file.name}: {error}") from error
        advance(1)
    return collection


def _results(jobs: list[Job]) -> Iterable[list[Run]]:
    if len(jobs) < _FEWEST_FOR_PROCESSES:
        return map(_read_file, jobs)
    return _in_processes(jobs)


def _in_processes(jobs: list[Job]) -> Iterator[list[Run]]:
    pool = ProcessPoolExecutor(os.cpu_count(), safe_context(), _leave_interrupts_to_the_parent)
    try:
        yield from pool.map(_read_file, jobs, chunksize=32)
    except BrokenProcessPool as error:
        raise DataError("a process that reads its files was killed, for lack of memory perhaps") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _leave_interrupts_to_the_parent() -> None:
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _read_file(job: Job) -> list[Run]:
    file, index, text = job
    content = _load(file)
    if not isinstance(content, dict) or not content:
        raise DataError(f"{file.name}: expected a dictionary by epoch budget, got {type(content).__name__}")
    runs = []
    for budget, summary in content.items():
        if not isinstance(summary, dict) or not summary.keys() >= SUMMARY_KEYS:
            raise DataError(f"{file.name}: no summary of an architecture under {budget!r}")
        if type(summary["arch_index"]) is not int or summary["arch_index"] != index or summary["arch_str"] != text:
            raise DataError(f"{file.name}: it holds architecture {shown(summary['arch_str'])}, not {text!r}")
        try:
            runs += read_runs(summary)
        except DataError as error:
            raise DataError(f"{file.name}: {error}") from error
    return runs


def _load(file: Path) -> Any:
    unpacker = bz2.BZ2Decompressor()
    try:
        content = unpacker.decompress(read_regular(file, _LARGEST), _LARGEST)
    except OSError as error:
        raise DataError(f"{file.name}: damaged or cut off ({error.strerror or error})") from error
    if len(content) == _LARGEST:
        raise DataError(f"{file.name}: it unpacks to more than {_LARGEST >> 20} MiB")
    if not unpacker.eof or unpacker.unused_data:
        raise DataError(f"{file.name}: damaged or cut off: it ends too early, or something follows its end")
    try:
        return pickles.load_stream(io.BytesIO(content), REBUILDERS)
    except DataError as error:
        hint = "; take the folder that ends in -simple, without weights" if "torch" in str(error) else ""
        raise DataError(f"{file.name}: damaged or cut off, or no such file: {error}{hint}") from error
