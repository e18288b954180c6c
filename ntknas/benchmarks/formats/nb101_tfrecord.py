"""``nasbench_only108.tfrecord`` and ``nasbench_full.tfrecord``, without TensorFlow: one record a training run."""

from __future__ import annotations

import base64
import binascii
import json
import math
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ntknas.benchmarks.formats import model_metrics
from ntknas.benchmarks.formats.collection import Collection, Run
from ntknas.core.errors import ChoiceError, DataError
from ntknas.spaces.nb101.cells import check_limits, module_hash, read_module

DATASET = "cifar10"
RUNS = 3
_MOST_EPOCHS = 10_000
_HEADER = struct.Struct("<Q4s")
_LONGEST = 1 << 20
_SPLITS = {"train": "train_accuracy", "valid": "validation_accuracy", "test": "test_accuracy"}

IndexOfHash = Callable[[str], int]


def recognises(path: Path) -> bool:
    """Return whether a file starts with a sound record header."""
    from tfrecord.writer import TFRecordWriter

    if not path.is_file():
        return False
    with path.open("rb") as stream:
        header = stream.read(_HEADER.size)
    return len(header) == _HEADER.size and TFRecordWriter.masked_crc(header[:8]) == header[8:]


def read(path: Path, cells: int, index_of: IndexOfHash, advance: Callable[[int], None]) -> Collection:
    """Read a file.

    Args:
        path: The file.
        cells: Number of cells of the space.
        index_of: Returns the place of a module hash; raises ChoiceError for an unknown one.
        advance: Called with the number of bytes read now and then.

    Raises:
        DataError: If it is not such a file, damaged or cut off; without the path.
    """
    collection = Collection("nb101", "nb101", cells, seeds_are_numbers=True)
    places: dict[tuple[str, str, str], int] = {}
    runs: Counter[tuple[int, int]] = Counter()
    for number, content in enumerate(read_records(path, advance)):
        try:
            module, epochs, metrics = _decode(content)
            place = places.get(module)
            if place is None:
                place = places[module] = _place(module, index_of)
            collection.add(place, _run(metrics, epochs, runs[place, epochs]))
            runs[place, epochs] += 1
        except DataError as error:
            raise DataError(f"record {number}: {error}") from error
    if not places:
        raise DataError("it holds no records")
    return collection


def read_records(path: Path, advance: Callable[[int], None] = lambda count: None) -> Iterator[memoryview]:
    """Yield the records of a file whose checksums are right.

    The package ``tfrecord`` reads the records, but passes over their checksums: these are looked at here, and the
    length before the package makes room for it.

    Raises:
        DataError: If a checksum is wrong or the file is cut off.
    """
    from tfrecord.reader import tfrecord_iterator
    from tfrecord.writer import TFRecordWriter

    left = path.stat().st_size
    records = iter(tfrecord_iterator(str(path)))
    with path.open("rb") as stream:
        number = 0
        while left:
            header = stream.read(_HEADER.size)
            if len(header) < _HEADER.size:
                raise DataError(f"record {number}: the file is cut off in its header")
            length, checksum = _HEADER.unpack(header)
            if TFRecordWriter.masked_crc(header[:8]) != checksum:
                raise DataError(f"record {number}: its length has a wrong checksum")
            whole = _HEADER.size + length + 4
            if whole > left or length > _LONGEST:
                raise DataError(f"record {number}: the file is cut off, or the record is too long ({length:,} bytes)")
            content = next(records)
            stream.seek(length, 1)
            if TFRecordWriter.masked_crc(bytes(content)) != stream.read(4):
                raise DataError(f"record {number}: wrong checksum")
            yield content
            left -= whole
            number += 1
            advance(whole)


def _decode(content: memoryview) -> tuple[tuple[str, str, str], int, Any]:
    """Return (hash, matrix, operations), epoch budget and metrics of a record."""
    try:
        fields = json.loads(bytes(content))
        digest, epochs, matrix, operations, metrics = fields
        message = base64.b64decode(metrics, validate=True)
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise DataError(f"it is no record of NAS-Bench-101 ({error})") from error
    if not all(isinstance(value, str) for value in (digest, matrix, operations)) or type(epochs) is not int:
        raise DataError("it is no record of NAS-Bench-101: expected hash, epochs, matrix, operations and metrics")
    return (digest, matrix, operations), epochs, model_metrics.decode(message)


def _place(module: tuple[str, str, str], index_of: IndexOfHash) -> int:
    """Return the place of a cell whose hash is that of its matrix and operations."""
    digest, matrix, operations = module
    try:
        expected = module_hash(*check_limits(*read_module(matrix, tuple(operations.split(",")))))
        if expected != digest:
            raise DataError(f"the hash {digest} is not that of its matrix and operations, {expected}")
        return index_of(digest)
    except ChoiceError as error:
        raise DataError(str(error)) from error


def _run(metrics: Any, epochs: int, number: int) -> Run:
    evaluations = metrics.evaluation_data
    if number >= RUNS:
        raise DataError(f"its cell has more than {RUNS} runs of {epochs} epochs")
    if not 1 <= epochs <= _MOST_EPOCHS or len(evaluations) < 3 or not abs(evaluations[2].current_epoch - epochs) < 1:
        raise DataError(f"expected evaluations at the start, half-way and after {epochs} epochs")
    halfway, final = evaluations[1], evaluations[2]
    accuracies = {split: _percent(getattr(final, name)) for split, name in _SPLITS.items()}
    accuracies |= {f"halfway-{split}": _percent(getattr(halfway, name)) for split, name in _SPLITS.items()}
    if not 0 <= final.training_time < math.inf or metrics.trainable_parameters <= 0:
        raise DataError("its training time or number of parameters is impossible")
    return Run(DATASET, epochs, number, accuracies, final.training_time, metrics.trainable_parameters, math.nan)


def _percent(share: float) -> float:
    if not 0 <= share <= 1:
        raise DataError(f"expected an accuracy from 0 to 1, got {share}")
    return share * 100
