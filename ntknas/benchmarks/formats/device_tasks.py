"""NAS-Bench-360 on devices: a Parquet file with a row for each cell, device, framework and task."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

import numpy as np

from ntknas.benchmarks.formats.cell_table import check_shared, check_tells_apart
from ntknas.benchmarks.formats.collection import Collection
from ntknas.benchmarks.formats.networks import isomorphic
from ntknas.benchmarks.quantity import ACCURACY, Quantity
from ntknas.benchmarks.record_files import parquet_header, read_parquet_columns
from ntknas.benchmarks.source import Start
from ntknas.benchmarks.table import Target
from ntknas.core.errors import DataError
from ntknas.core.quoting import quoted
from ntknas.spaces import Space

_CELL, _SHARED, _STATUS = "arch_idx", "rep_arch_idx", "status"
_KEYS = ("device", "framework", "task")
_ACCURACY, _LATENCY, _ENERGY = "accuracy", "lat_ms_median", "energy_mj"
COLUMNS = (_CELL, _SHARED, *_KEYS, _LATENCY, _ENERGY, _ACCURACY, _STATUS)
"""Of the columns those that are read; ``lat_ms_var`` is not."""
TASKS = {
    "cifar100": ACCURACY,
    "ninapro": ACCURACY,
    "darcy": Quantity("1 - relative L2 error", ""),
}
"""What ``accuracy`` is, by task."""
_DEVICES = {"pi5": "Raspberry Pi 5", "pixel": "Google Pixel"}
_MAX_KINDS = 100  # of rows for each cell; the published file has 12
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,40}")


def recognises(path: Path) -> bool:
    """Return whether it is a Parquet file with such columns; its name decides where none can be read."""
    names = parquet_header(path)
    return path.name == "dataset.parquet" if names is None else {_CELL, _SHARED, _LATENCY, *_KEYS} <= {*names}


def read(path: Path, space: Space, start: Start) -> Collection:
    """Read a file.

    Args:
        path: The file.
        space: The space ``nb201``.
        start: Shows progress, in kinds of rows.

    Returns:
        Its targets: the accuracy on each task, and latency and energy of each device, framework and task.

    Raises:
        DataError: If it is not such a file, lacks a cell of a kind of rows, or has several accuracies of a cell on one
            task or several latencies of one network; without the path.
        NtknasError: If the package that reads Parquet is not installed.
    """
    rows = _Rows(path, space)
    collection = Collection("nb360", space.name, len(space), seeds_are_numbers=True)
    advance = start(len(rows.kinds), "kinds of rows")
    for task in TASKS:
        if task in rows.texts["task"]:
            collection.add_target(Target(task, _ACCURACY, None), rows.accuracy(task), TASKS[task])
    for device, framework, task in rows.kinds:
        for target, values, quantity in rows.measured(device, framework, task):
            collection.add_target(target, values, quantity, rows.shared)
        advance(1)
    return collection


class _Rows:
    """The rows of a file, in arrays, and by kind in the order of cells.

    Args:
        path: The file.
        space: The space of the cells.
    """

    def __init__(self, path: Path, space: Space):
        self._size = len(space)
        table = read_parquet_columns(path, _MAX_KINDS * len(space), _choose).values
        self._cells = _indices(table[_CELL], _CELL, len(space))
        self._numbers = {name: _numbers(table[name], name) for name in (_LATENCY, _ENERGY, _ACCURACY)}
        self.texts = {name: np.array([str(value) for value in table[name]], dtype=object) for name in _KEYS}
        _check_words(table[_STATUS], _STATUS, ("ok",))
        _check_words(table["task"], "task", tuple(TASKS))
        self.shared = isomorphic(space)
        self._check_shared(_indices(table[_SHARED], _SHARED, len(space)))
        present = [sorted(set(self.texts[name])) for name in _KEYS]
        self._places = {kind: self._places_of(kind) for kind in product(*present)}
        self.kinds = [kind for kind, places in self._places.items() if places is not None]

    def _check_shared(self, representatives: np.ndarray) -> None:
        odd = np.flatnonzero(representatives != self.shared[self._cells])
        if odd.size:
            cell = self._cells[odd[0]]
            raise DataError(
                f"row {odd[0]}: {_SHARED} is {representatives[odd[0]]}, and the first cell that is isomorphic to cell "
                f"{cell} is {self.shared[cell]}"
            )

    def _places_of(self, kind: tuple[str, ...]) -> np.ndarray | None:
        """Return the row of each cell among those of a kind; ``None`` if there are none of it."""
        is_of = np.logical_and.reduce([self.texts[name] == text for name, text in zip(_KEYS, kind, strict=True)])
        rows = np.flatnonzero(is_of)
        if not rows.size:
            return None
        count = np.bincount(self._cells[rows], minlength=self._size)
        if (count != 1).any():
            cell = int(np.argmax(count != 1))
            raise DataError(f"it has {count[cell]} rows of cell {cell} on {', '.join(kind)}, expected 1")
        for text in kind:
            if not _PLAIN.fullmatch(text):
                raise DataError(f"it has rows of {quoted(text)}, expected a name of a device, framework or task")
        places = np.empty(self._size, np.int64)
        places[self._cells[rows]] = rows
        return places

    def accuracy(self, task: str) -> np.ndarray:
        """Return the accuracies of a task by cell, which all of its rows must agree on."""
        of_kinds = [self._of(kind, _ACCURACY) for kind in self.kinds if kind[-1] == task]
        first = of_kinds[0]
        for values in of_kinds:
            _check_measured(values, f"{_ACCURACY} on {task}")
        for other in of_kinds[1:]:
            if (other != first).any():
                cell = int(np.argmax(other != first))
                raise DataError(f"cell {cell} has two accuracies on {task}: {first[cell]:g} and {other[cell]:g}")
        check_tells_apart(first, f"{_ACCURACY} on {task}")
        return first

    def measured(self, device: str, framework: str, task: str) -> Iterator[tuple[Target, np.ndarray, Quantity]]:
        """Yield latency and energy of a kind of rows, if it has them: energy was not measured on all devices."""
        on = f"{_DEVICES.get(device, device)}, {framework}"
        for name, quantity, unit in ((_LATENCY, "latency", "ms"), (_ENERGY, "energy", "mJ")):
            values = self._of((device, framework, task), name)
            if np.isnan(values).all() and name == _ENERGY:
                continue
            what = f"{name} on {device}, {framework}, {task}"
            _check_measured(values, what)
            check_tells_apart(values, what)
            check_shared(values, self.shared, what)
            target = Target(task, f"{device}_{framework}_{quantity}", None)
            yield target, values, Quantity(quantity, unit, higher_is_better=False, measured_on=on)

    def _of(self, kind: tuple[str, ...], name: str) -> np.ndarray:
        return self._numbers[name][self._places[kind]]


def _check_measured(values: np.ndarray, what: str) -> None:
    if not np.isfinite(values).all():
        raise DataError(f"cell {int(np.argmin(np.isfinite(values)))} has no {what}")


def _choose(names: Sequence[str]) -> Sequence[str]:
    absent = [name for name in COLUMNS if name not in names]
    if absent:
        raise DataError(f"it has no column {', '.join(absent)}: it has {', '.join(names)}")
    return COLUMNS


def _check_words(values: Sequence[object], name: str, known: Sequence[str]) -> None:
    row = next((row for row, value in enumerate(values) if value not in known), None)
    if row is not None:
        raise DataError(f"row {row}: expected {' or '.join(known)} in column {name!r}, got {quoted(values[row])}")


def _indices(values: Sequence[object], name: str, size: int) -> np.ndarray:
    for row, value in enumerate(values):
        if type(value) is not int or not 0 <= value < size:
            raise DataError(
                f"row {row}: expected a cell index from 0 to {size - 1} in column {name!r}, got {quoted(value)}"
            )
    return np.array(values, np.int64)


def _numbers(values: Sequence[object], name: str) -> np.ndarray:
    for row, value in enumerate(values):
        if value != "" and (not isinstance(value, int | float) or abs(value) == np.inf):
            raise DataError(f"row {row}: expected a number in column {name!r}, got {quoted(value)}")
    return np.array([np.nan if value == "" else value for value in values], np.float64)
