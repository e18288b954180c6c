"""AnalogNAS-Bench's ``data.anb``: a pickle of accuracies on analog hardware by tuple of operations."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from ntknas import pickles
from ntknas.benchmarks.formats.cell_table import check_complete, check_tells_apart
from ntknas.benchmarks.formats.collection import Collection
from ntknas.benchmarks.formats.training_record import shown
from ntknas.benchmarks.quantity import Quantity
from ntknas.benchmarks.source import Start
from ntknas.benchmarks.table import Target
from ntknas.core.errors import ChoiceError, DataError
from ntknas.core.regular_file import open_regular, read_regular
from ntknas.pickles import Record, RecordClass
from ntknas.spaces import Space

_MODULE, _CELL, _DRIFT = "analognasbench.data", "Architecture", "DriftMeasurement"
_CLASSES = {(_MODULE, name): RecordClass(name) for name in (_CELL, _DRIFT)}
_KEY, _VALUE = "architecture", "value"
_MAX_BYTES = 1 << 25  # the published file has 5.6 million
_BEGINNING = 1 << 8
ACCURACIES = {
    "baseline_accuracy": "digital hardware",
    "ptq_accuracy": "digital hardware, quantised after training",
    "qat_accuracy": "digital hardware, trained with quantisation",
    "noisy_accuracy": "analog hardware, trained without noise",
    "analog_accuracy": "analog hardware, trained with noise",
}
"""What each was measured on, as its name says."""
SECONDS = (60, 3600, 86400, 2592000)
DRIFTS = {
    f"{way}_drift_{seconds}": f"analog hardware, {seconds} s later, {text}"
    for way, text in (("baseline", "trained without noise"), ("analog", "trained with noise"))
    for seconds in SECONDS
}
_DECIMALS = 4


def recognises(path: Path) -> bool:
    """Return whether a file begins as a pickle that names the package's module."""
    if not path.is_file():
        return False
    with open_regular(path) as file:
        beginning = file.read(_BEGINNING)
    return beginning[:1] == b"\x80" and _MODULE.encode() in beginning


def read(path: Path, space: Space, start: Start) -> Collection:
    """Read a file.

    Args:
        path: The file.
        space: The space ``nb201``.
        start: Shows progress, in targets.

    Returns:
        Its targets.

    Raises:
        DataError: If it is not such a file, asks for anything else, or lacks a cell or a number; without the path.
    """
    content = pickles.load_stream(io.BytesIO(read_regular(path, _MAX_BYTES)), _CLASSES)
    if not isinstance(content, dict) or not content:
        raise DataError(f"expected a dictionary of architectures, got a {type(content).__name__}")
    names = [*ACCURACIES, *DRIFTS]
    advance = start(len(names), "targets")
    figures = dict(_figures(content, names, space))
    check_complete(list(figures), range(len(space)))
    by_cell = np.array([figures[cell] for cell in range(len(space))])
    collection = Collection("analog-nb201", space.name, len(space), seeds_are_numbers=True)
    for name, values in zip(names, by_cell.T, strict=True):
        check_tells_apart(values, name)
        quantity = Quantity(measured_on=(ACCURACIES | DRIFTS)[name], decimals=_DECIMALS)
        collection.add_target(Target("cifar10", name, None), values, quantity)
        advance(1)
    return collection


def _figures(content: Mapping[object, object], names: list[str], space: Space) -> Iterator[tuple[int, list[float]]]:
    """Yield each architecture's cell and its figures."""
    for key, record in content.items():
        try:
            cell = space.index(str(key)) if isinstance(key, tuple) else None
        except ChoiceError:
            cell = None
        if cell is None:
            raise DataError(f"expected tuples of six operations, got {str(key)[:100]!r}")
        values = _attributes(record, _CELL, str(key))
        if values.get(_KEY) != key:
            raise DataError(f"the architecture {key} stands under another's name")
        yield cell, [_percent(values.get(name), f"{name} of {key}", name in DRIFTS) for name in names]


def _attributes(record: object, kind: str, name: str) -> Mapping[str, object]:
    if not isinstance(record, Record) or record.kind != kind:
        raise DataError(f"{name} is no {kind} but {shown(record)}")
    return record.values


def _percent(value: object, name: str, drifts: bool) -> float:
    """Return an accuracy; one after a drift stands beside its uncertainty."""
    number = _attributes(value, _DRIFT, name).get(_VALUE) if drifts else value
    if type(number) is not float or not 0 <= number <= 100:
        raise DataError(f"{name}: expected a percentage, got {shown(number)}")
    return number
