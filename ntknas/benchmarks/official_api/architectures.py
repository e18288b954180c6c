"""Objects of ``nas_201_api`` and ``nats_bench``: results by architecture and epoch budget, in memory or still in files.

Their methods print, count time and draw seeds at random; what they answer from is read here instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from ntknas.benchmarks.formats.collection import Collection, Run
from ntknas.benchmarks.formats.nats_folder import CellFile, list_files, read_architecture, read_file
from ntknas.benchmarks.formats.training_record import shown
from ntknas.core.errors import DataError
from ntknas.spaces import Space

_REVERSED = "nb201"
"""Its object has budgets in another order than its file has. Of costs that differ the last count."""


def read(api: object, space: Space, benchmark: str) -> Collection:
    """Read an object.

    Args:
        api: A ``NASBench201API``, ``NATStopology`` or ``NATSsize``.
        space: The space of the benchmark.
        benchmark: Its name.

    Returns:
        All runs of the architectures that the object holds, or would load when asked for them.

    Raises:
        DataError: If there are none, or they are not what they should be.
    """
    cells = [str(cell) for cell in space]
    listed = getattr(api, "meta_archs", None)
    if not isinstance(listed, list | tuple) or list(listed) != cells:
        raise DataError(f"its list of architectures (meta_archs) is not that of {benchmark}")
    collection = Collection(benchmark, space.name, len(cells))
    for index, runs in _all_runs(api, cells, benchmark == _REVERSED):
        try:
            for run in runs:
                collection.add(index, run)
        except DataError as error:
            raise DataError(f"architecture {index}: {error}") from error
    if not collection.columns:
        raise DataError("it holds no architectures")
    return collection


def _all_runs(api: object, cells: list[str], is_reversed: bool) -> Iterator[tuple[int, list[Run]]]:
    loaded = getattr(api, "arch2infos_dict", None)
    if not isinstance(loaded, dict):
        raise DataError("it has no results by architecture (arch2infos_dict): nas-bench-201 has them from 2.0 on")
    for index, budgets in loaded.items():
        if type(index) is not int or not 0 <= index < len(cells):
            raise DataError(f"there is no architecture {shown(index)}")
        yield index, _read_loaded(budgets, index, cells[index], is_reversed)
    if len(loaded) < len(cells):
        for file in _files_to_load(api, cells):
            if file[1] not in loaded:
                yield file[1], read_file(file)


def _read_loaded(budgets: object, index: int, text: str, is_reversed: bool) -> list[Run]:
    if not isinstance(budgets, dict):
        raise DataError(f"architecture {index}: expected results by epoch budget, got {shown(budgets)}")
    try:
        ordered = list(budgets.items())[:: -1 if is_reversed else 1]
        return read_architecture({budget: _summary(result) for budget, result in ordered}, index, text)
    except DataError as error:
        raise DataError(f"architecture {index}: {error}") from error


def _summary(result: object) -> object:
    """Return results as the official file has them: the package makes an object of each dictionary."""
    fields = _fields(result)
    records = fields.get("all_results")
    if not isinstance(records, dict):
        return fields
    return {**fields, "all_results": {key: dict(_fields(record)) for key, record in records.items()}}


def _fields(value: object) -> Mapping[str, object]:
    fields: object = getattr(value, "__dict__", None)
    if not isinstance(fields, dict):
        raise DataError(f"expected an object of results, got {shown(value)}")
    return fields


def _files_to_load(api: object, cells: list[str]) -> list[CellFile]:
    """Return the files of the folder from which an object in fast mode loads what it is asked for."""
    folder = getattr(api, "archive_dir", None)
    if not getattr(api, "fast_mode", False) or folder is None:
        return []
    path = Path(str(folder))
    if not path.is_dir():
        raise DataError(f"it is in fast mode and its folder is not there: {path}")
    return list_files(path, cells)
