"""``nasbench_only108.tfrecord`` and ``nasbench_full.tfrecord``, without TensorFlow: one record per training run."""

from __future__ import annotations

import base64
import binascii
import json
from collections import Counter
from pathlib import Path

from ntknas.benchmarks.formats import model_metrics
from ntknas.benchmarks.formats.collection import Collection, Run
from ntknas.benchmarks.formats.model_metrics import Metrics
from ntknas.benchmarks.formats.nb101_record import MAX_EPOCHS, Module, index_of, read_run
from ntknas.benchmarks.formats.tfrecord import read_records
from ntknas.benchmarks.source import Start
from ntknas.core.errors import DataError
from ntknas.spaces import Space


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
    indices: dict[Module, int] = {}
    runs: Counter[tuple[int, int]] = Counter()
    for number, content in enumerate(read_records(path, advance)):
        try:
            module, epochs, metrics = _decode(content)
            cell = indices.get(module)
            if cell is None:
                cell = indices[module] = index_of(module, space)
            collection.add(cell, _run(metrics, epochs, runs[cell, epochs]))
            runs[cell, epochs] += 1
        except DataError as error:
            raise DataError(f"record {number}: {error}") from error
    if not indices:
        raise DataError("it holds no records")
    return collection


def _decode(content: bytes) -> tuple[Module, int, Metrics]:
    """Return cell, epoch budget and metrics of a record."""
    try:
        fields = json.loads(content)
        digest, epochs, matrix, operations, metrics = fields
        message = base64.b64decode(metrics, validate=True)
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise DataError(f"it is no record of NAS-Bench-101 ({error})") from error
    if not all(isinstance(value, str) for value in (digest, matrix, operations)) or type(epochs) is not int:
        raise DataError("it is no record of NAS-Bench-101: expected hash, epochs, matrix, operations and metrics")
    return Module(digest, matrix, operations), epochs, model_metrics.decode(message)


def _run(metrics: Metrics, epochs: int, number: int) -> Run:
    evaluations = metrics.evaluations
    if not 1 <= epochs <= MAX_EPOCHS or len(evaluations) < 3 or not abs(evaluations[2].current_epoch - epochs) < 1:
        raise DataError(f"expected evaluations at the start, half-way and after {epochs} epochs")
    return read_run(epochs, number, evaluations[1], evaluations[2], metrics.trainable_parameters)
