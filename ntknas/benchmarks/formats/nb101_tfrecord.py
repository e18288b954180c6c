"""``nasbench_only108.tfrecord`` and ``nasbench_full.tfrecord``, without TensorFlow: one record per training run."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections import Counter
from pathlib import Path

from ntknas.benchmarks.formats import model_metrics
from ntknas.benchmarks.formats.collection import Collection, Run
from ntknas.benchmarks.formats.model_metrics import Metrics
from ntknas.benchmarks.formats.tfrecord import read_records
from ntknas.benchmarks.source import Start
from ntknas.core.errors import ChoiceError, DataError
from ntknas.spaces import Space
from ntknas.spaces.nb101.cells import check_limits, module_hash, read_module

DATASET = "cifar10"
RUNS = 3
_MAX_EPOCHS = 10_000
_SPLITS = {"train": "train_accuracy", "valid": "validation_accuracy", "test": "test_accuracy"}


def read(path: Path, space: Space, start: Start) -> Collection:
    """Read a file.

    Args:
        path: The file.
        space: The space ``nb101``.
        start: Shows progress, in bytes.

    Returns:
        Its runs.

    Raises:
        DataError: If it is not such a file, damaged or cut off; without the path.
    """
    collection = Collection("nb101", "nb101", len(space), seeds_are_numbers=True)
    advance = start(path.stat().st_size, "bytes")
    indices: dict[tuple[str, str, str], int] = {}
    runs: Counter[tuple[int, int]] = Counter()
    for number, content in enumerate(read_records(path, advance)):
        try:
            module, epochs, metrics = _decode(content)
            cell = indices.get(module)
            if cell is None:
                cell = indices[module] = _index(module, space)
            collection.add(cell, _run(metrics, epochs, runs[cell, epochs]))
            runs[cell, epochs] += 1
        except DataError as error:
            raise DataError(f"record {number}: {error}") from error
    if not indices:
        raise DataError("it holds no records")
    return collection


def _decode(content: bytes) -> tuple[tuple[str, str, str], int, Metrics]:
    """Return (hash, matrix, operations), epoch budget and metrics of a record."""
    try:
        fields = json.loads(content)
        digest, epochs, matrix, operations, metrics = fields
        message = base64.b64decode(metrics, validate=True)
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise DataError(f"it is no record of NAS-Bench-101 ({error})") from error
    if not all(isinstance(value, str) for value in (digest, matrix, operations)) or type(epochs) is not int:
        raise DataError("it is no record of NAS-Bench-101: expected hash, epochs, matrix, operations and metrics")
    return (digest, matrix, operations), epochs, model_metrics.decode(message)


def _index(module: tuple[str, str, str], space: Space) -> int:
    """Return the index of a cell whose hash is that of its matrix and operations."""
    digest, matrix, operations = module
    try:
        expected = module_hash(*check_limits(*read_module(matrix, tuple(operations.split(",")))))
        if expected != digest:
            raise DataError(f"the hash {digest} is not that of its matrix and operations, {expected}")
        return space.index(digest)
    except ChoiceError as error:
        raise DataError(str(error)) from error


def _run(metrics: Metrics, epochs: int, number: int) -> Run:
    evaluations = metrics.evaluations
    if number >= RUNS:
        raise DataError(f"its cell has more than {RUNS} runs of {epochs} epochs")
    if not 1 <= epochs <= _MAX_EPOCHS or len(evaluations) < 3 or not abs(evaluations[2].current_epoch - epochs) < 1:
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
