"""Objects of ``nasbench.api.NASBench``: figures by hash, epoch budget and run.

Read through its two methods "for dataset analysis", which neither draw a run nor count what a search has spent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol, runtime_checkable

import numpy as np

from ntknas.benchmarks.formats.collection import Collection, Run
from ntknas.benchmarks.formats.model_metrics import Evaluation
from ntknas.benchmarks.formats.nb101_record import MAX_EPOCHS, Module, index_of, read_run
from ntknas.benchmarks.formats.training_record import shown
from ntknas.core.errors import DataError
from ntknas.spaces import Space

_FIGURES = Evaluation._fields[1:]


@runtime_checkable
class NASBench(Protocol):
    """What is asked of an object, and what it is known by: its package is on no index."""

    def hash_iterator(self) -> Iterable[str]:
        """Return the hashes of all cells that it holds."""
        ...

    def get_metrics_from_hash(self, module_hash: str) -> tuple[object, object]:
        """Return what holds of a cell whatever its training, and its runs by epoch budget."""
        ...


def read(api: NASBench, space: Space) -> Collection:
    """Read an object.

    Args:
        api: The object.
        space: The space ``nb101``.

    Returns:
        All its runs.

    Raises:
        DataError: If there are none, or they are not what they should be.
    """
    collection = Collection("nb101", "nb101", len(space), seeds_are_numbers=True)
    for digest in api.hash_iterator():
        try:
            module, parameters, computed = _metrics(api, digest)
            cell = index_of(module, space)
            for run in _runs(computed, parameters):
                collection.add(cell, run)
        except DataError as error:
            raise DataError(f"cell {shown(digest)}: {error}") from error
    if not collection.columns:
        raise DataError("it holds no runs")
    return collection


def _metrics(api: NASBench, digest: str) -> tuple[Module, int, object]:
    """Return a cell as the official file writes it, its parameters, and its runs by epoch budget."""
    answer: object = api.get_metrics_from_hash(digest)
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        raise DataError(f"expected get_metrics_from_hash to return two dictionaries, got {shown(answer)}")
    fixed, computed = answer
    if not isinstance(fixed, Mapping):
        raise DataError(f"expected a dictionary of its matrix, operations and parameters, got {shown(fixed)}")
    operations, parameters = fixed.get("module_operations"), fixed.get("trainable_parameters")
    if not isinstance(operations, list | tuple) or not all(isinstance(operation, str) for operation in operations):
        raise DataError(f"its module_operations are no list of names: {shown(operations)}")
    if not isinstance(parameters, int | np.integer):
        raise DataError(f"its trainable_parameters are no number: {shown(parameters)}")
    return Module(digest, _digits(fixed.get("module_adjacency")), ",".join(operations)), int(parameters), computed


def _digits(adjacency: object) -> str:
    try:
        matrix = np.asarray(adjacency, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"its module_adjacency is no matrix: {shown(adjacency)}") from error
    if not np.isin(matrix, (0, 1)).all():
        raise DataError("its module_adjacency is no matrix of zeros and ones")
    return "".join(str(int(edge)) for edge in matrix.flat)


def _runs(computed: object, parameters: int) -> Iterator[Run]:
    if not isinstance(computed, Mapping):
        raise DataError(f"expected a dictionary of its runs by epoch budget, got {shown(computed)}")
    for epochs, points in computed.items():
        if type(epochs) is not int or not 1 <= epochs <= MAX_EPOCHS or not isinstance(points, list | tuple):
            raise DataError(f"expected a list of runs for a number of epochs, got {shown(points)} for {shown(epochs)}")
        for number, point in enumerate(points):
            halfway = _evaluation(point, "halfway", epochs / 2)
            yield read_run(epochs, number, halfway, _evaluation(point, "final", epochs), parameters)


def _evaluation(point: object, moment: str, epoch: float) -> Evaluation:
    if not isinstance(point, Mapping):
        raise DataError(f"expected a dictionary of figures for each run, got {shown(point)}")
    values = []
    for name in _FIGURES:
        value = point.get(f"{moment}_{name}")
        if not isinstance(value, int | float | np.floating):
            raise DataError(f"a run has no {moment}_{name}: expected a number, got {shown(value)}")
        values.append(float(value))
    return Evaluation(float(epoch), *values)
