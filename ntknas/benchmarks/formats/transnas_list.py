"""TransNAS-Bench-101's cell-level space as RBFleX-NAS ships it: a list of ``[name, value]`` for each of seven tasks."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ntknas.benchmarks.cell_columns import cells_of
from ntknas.benchmarks.columns import Columns
from ntknas.benchmarks.formats.cell_table import check_complete, numbers_by_cell
from ntknas.benchmarks.formats.collection import Collection
from ntknas.benchmarks.formats.json_file import beginning, read_json
from ntknas.benchmarks.quantity import PERCENT, Quantity
from ntknas.benchmarks.source import Start
from ntknas.benchmarks.table import Target
from ntknas.core.errors import DataError
from ntknas.core.quoting import quoted
from ntknas.spaces import Space
from ntknas.spaces.nb201 import transnas
from ntknas.spaces.nb201.cells import EDGES, index_of_operations

SKELETON = "64-41414-"
_PREFIX = "micro_"
_MAX_BYTES = 1 << 22  # an honest file has 180,000
_ERROR = 1e-6  # of the ranges, which are written to six decimals
_NAME, _VALUE = "name", "value"
_NETWORK = "TransNAS-Bench-101's skeleton 64-41414, another network than nb201's"


class Task(NamedTuple):
    """A task: how a network is judged, and the range of the published values, by which its file is known.

    Attributes:
        metric: Name of the target.
        quantity: What the values are.
        lowest: The smallest value.
        highest: The largest value.
    """

    metric: str
    quantity: Quantity
    lowest: float
    highest: float


def _task(metric: str, name: str, unit: str, lowest: float, highest: float) -> Task:
    return Task(metric, Quantity(name, unit, measured_on=_NETWORK), lowest, highest)


TASKS = {
    "autoencoder": _task("ssim", "structural similarity", "", 0.043263, 0.577231),
    "class_object": _task("top1", "accuracy", PERCENT, 23.447453, 46.317677),
    "class_scene": _task("top1", "accuracy", PERCENT, 7.484076, 54.936306),
    "jigsaw": _task("top1", "accuracy", PERCENT, 0.114451, 95.372215),
    "normal": _task("ssim", "structural similarity", "", 0.306031, 0.596219),
    "room_layout": _task("negative_loss", "negative loss", "", -1.094197, -0.593782),
    "segmentsemantic": _task("miou", "mean intersection over union", PERCENT, 5.405751, 26.270681),
}
"""By the name in the file's name."""


def recognises(path: Path) -> bool:
    """Return whether a file begins with a name of the space."""
    return beginning(path).startswith(f'[["{SKELETON}'.encode())


def read(path: Path, space: Space, start: Start) -> Collection:
    """Read a file; its name says of which task it is, and its range of values must be that task's.

    Args:
        path: The file.
        space: The space ``nb201``, of which it has the cells without pooling.
        start: Shows progress, in files.

    Returns:
        Its target.

    Raises:
        DataError: If it is not such a file, lacks a cell, or is not of the task; without the path.
    """
    advance = start(1, "files")
    name = _named(path)
    table = _table(read_json(path, _MAX_BYTES))
    cells = cells_of(table, [_NAME], space)
    check_complete(cells, _cells())
    values = numbers_by_cell(table, cells, [_VALUE], len(space))[_VALUE]
    task = TASKS[name]
    held = np.nanmin(values), np.nanmax(values)
    if not np.allclose(held, (task.lowest, task.highest), rtol=0, atol=_ERROR):
        raise DataError(
            f"its name says {name}, and its values lie from {held[0]:g} to {held[1]:g}: expected {task.lowest:g} to "
            f"{task.highest:g}"
        )
    collection = Collection("transnas-micro", space.name, len(space), seeds_are_numbers=True)
    collection.add_target(Target(name, task.metric, None), values, task.quantity)
    advance(1)
    return collection


def _named(path: Path) -> str:
    name = path.stem.removeprefix(_PREFIX)
    if name not in TASKS:
        raise DataError(
            "its name is no task, and nothing in it says of which it is: expected "
            + ", ".join(f"{_PREFIX}{task}.json" for task in TASKS)
        )
    return name


def _table(content: object) -> Columns:
    if not isinstance(content, list):
        raise DataError(f"expected a list, got {quoted(content)}")
    if len(content) > len(transnas.OPERATIONS) ** len(EDGES):
        raise DataError(f"it has {len(content):,} entries, more than there are cells without pooling")
    names, values = [], []
    for place, entry in enumerate(content):
        if not isinstance(entry, list) or len(entry) != 2 or type(entry[1]) not in (int, float):
            raise DataError(f"entry {place}: expected a pair of a name and a number, got {_shown(entry)}")
        if not isinstance(entry[0], str) or not entry[0].startswith(SKELETON):
            raise DataError(f"entry {place}: expected a name such as {SKELETON}1_33_000, got {quoted(entry[0])}")
        names.append(entry[0])
        values.append(entry[1])
    return Columns({_NAME: names, _VALUE: values}, [f"entry {place}" for place in range(len(names))])


def _shown(entry: object) -> str:
    return f"[{', '.join(map(quoted, entry[:3]))}]" if isinstance(entry, list) else quoted(entry)


def _cells() -> list[int]:
    """Return the cells without pooling, whose operations these are."""
    return [index_of_operations()[cell] for cell in product(transnas.OPERATIONS, repeat=len(EDGES))]
