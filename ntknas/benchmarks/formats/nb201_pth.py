"""``NAS-Bench-201-v1_0-e61699.pth`` and ``…v1_1-096897.pth``: one pickle of all architectures, from ``torch.save``.

Read as a stream, in the zip layout of torch 1.6 and later and in the layout before it, which the published files have.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ntknas.benchmarks.formats.collection import Collection
from ntknas.benchmarks.formats.training_record import RECORD_KEYS, SUMMARY_KEYS, read_record, read_runs, shown
from ntknas.benchmarks.source import Start
from ntknas.core.errors import DataError
from ntknas.core.regular_file import open_regular
from ntknas.core.unpacking import UNPACKING_ERRORS
from ntknas.pickles import REBUILDERS, PickleMachine
from ntknas.spaces import Space

_ZIP = b"PK\x03\x04"
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C  # MAGIC_NUMBER and PROTOCOL_VERSION of torch.serialization
_LEGACY_PROTOCOL = 1001
_LEGACY = b"\x80\x02\x8a\n" + _LEGACY_MAGIC.to_bytes(10, "little")
_PICKLE = "/data.pkl"
_LIST = b"\x80\x02]"
_BUDGETS = ("full", "less")


class _Done(NamedTuple):
    """Stands for a summary whose runs were taken."""

    cell: int


def recognises(path: Path) -> bool:
    """Return whether a file starts as ``torch.save`` writes, and is no archive of something else."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        start = stream.read(len(_LEGACY))
    return start == _LEGACY or (start.startswith(_ZIP) and not _is_of_something_else(path))


def _is_of_something_else(path: Path) -> bool:
    """Return whether a zip archive has no pickles, or one of a list; not if it is damaged."""
    try:
        with open_regular(path) as file, zipfile.ZipFile(file) as archive:
            pickles = [name for name in archive.namelist() if name.endswith(_PICKLE)]
            if len(pickles) != 1:
                return not pickles
            with archive.open(pickles[0]) as stream:
                return stream.read(len(_LIST)) == _LIST
    except UNPACKING_ERRORS:
        return False


def read(path: Path, space: Space, start: Start) -> Collection:
    """Read a file.

    Args:
        path: The file.
        space: The space ``nb201``.
        start: Shows progress, in bytes.

    Returns:
        Its runs.

    Raises:
        DataError: If it is not such a file, damaged or cut off; without the path.
    """
    cells = [str(cell) for cell in space]
    advance = start(path.stat().st_size, "bytes")
    collection = Collection("nb201", "nb201", len(cells))

    def finished(items: dict[object, object]) -> object:
        if items.keys() >= RECORD_KEYS:
            return read_record(items)
        if items.keys() >= SUMMARY_KEYS:
            return _take(items, cells, collection)
        return items

    try:
        with _open_pickle(path) as (stream, is_legacy):
            machine = PickleMachine(stream, REBUILDERS, finished, consumed=advance)
            _check(_load_legacy(machine) if is_legacy else machine.load(), cells)
            while stream.read(1 << 20):  # the zip layout's checksum is compared at the end
                pass
    # Of zipfile, RuntimeError is an encrypted member and NotImplementedError an unknown way of packing.
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise DataError(f"it is damaged or cut off ({error})") from error
    return collection


@contextmanager
def _open_pickle(path: Path) -> Iterator[tuple[BinaryIO, bool]]:
    """Open the pickle inside a file; say whether it is in the layout before torch 1.6."""
    with open_regular(path) as file:
        if file.read(len(_ZIP)) != _ZIP:
            file.seek(0)
            yield file, True
            return
        with zipfile.ZipFile(file) as archive:
            names = [name for name in archive.namelist() if name.endswith(_PICKLE)]
            if len(names) != 1:
                raise DataError(
                    f"it is a zip archive that torch did not write: it has {len(names)} files data.pkl, not 1"
                )
            # What is unpacked could be far more than the file, whose size bounds the memory.
            if archive.getinfo(names[0]).compress_type != zipfile.ZIP_STORED:
                raise DataError("it is a zip archive that torch did not write: its data.pkl is compressed")
            with archive.open(names[0]) as stream:
                yield stream, False  # type: ignore[misc]


def _load_legacy(machine: PickleMachine) -> object:
    """Load the object among the five pickles of the old layout: magic number, protocol, system, object, tensors."""
    if machine.load() != _LEGACY_MAGIC or machine.load() != _LEGACY_PROTOCOL:
        raise DataError("it is not in the layout of torch.save")
    machine.load()
    content = machine.load()
    if machine.load() != [] or not machine.at_end:
        raise DataError("it holds tensors, or something after its end")
    return content


def _take(summary: dict[object, object], cells: list[str], collection: Collection) -> _Done:
    index, text = summary["arch_index"], summary["arch_str"]
    if type(index) is not int or not 0 <= index < len(cells) or text != cells[index]:
        raise DataError(
            f"its architecture {shown(index)} is {shown(text)}, which is not what NAS-Bench-201 has at this place"
        )
    try:
        for run in read_runs(summary):
            collection.add(index, run)
    except DataError as error:
        raise DataError(f"architecture {index}: {error}") from error
    return _Done(index)


def _check(content: object, cells: list[str]) -> None:
    """Check what is left of the file once all runs were taken."""
    if not isinstance(content, dict) or not {"meta_archs", "arch2infos"} <= content.keys():
        raise DataError("it holds no NAS-Bench-201: no dictionary with meta_archs and arch2infos")
    if content["meta_archs"] != cells:
        raise DataError("its list of architectures is not that of NAS-Bench-201")
    infos = content["arch2infos"]
    if not isinstance(infos, dict) or not infos:
        raise DataError("it holds no architectures")
    for index, budgets in infos.items():
        if not isinstance(budgets, dict) or any(budgets.get(name) != _Done(index) for name in _BUDGETS):
            raise DataError(f"architecture {shown(index)} has no results under {' and '.join(_BUDGETS)}")
