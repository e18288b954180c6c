"""What a training run of NAS-Bench-101 says, brought to the figures that are kept, wherever it was read."""

from __future__ import annotations

import math
from typing import NamedTuple

from ntknas.benchmarks.formats.collection import Run
from ntknas.benchmarks.formats.model_metrics import Evaluation
from ntknas.core.errors import ChoiceError, DataError
from ntknas.spaces import Space
from ntknas.spaces.nb101.cells import check_limits, module_hash, read_module

DATASET = "cifar10"
RUNS = 3
MAX_EPOCHS = 10_000
_SPLITS = {"train": "train_accuracy", "valid": "validation_accuracy", "test": "test_accuracy"}


class Module(NamedTuple):
    """A cell as the official file writes it: its hash, the digits of its matrix, its operations with commas between."""

    digest: str
    matrix: str
    operations: str


def index_of(module: Module, space: Space) -> int:
    """Return the index of a cell whose hash is that of its matrix and operations.

    Raises:
        DataError: If it is that of another cell, or of none.
    """
    try:
        cell = check_limits(*read_module(module.matrix, tuple(module.operations.split(","))))
        expected = module_hash(*cell)
        if expected != module.digest:
            raise DataError(f"the hash {module.digest} is not that of its matrix and operations, {expected}")
        return space.index(module.digest)
    except ChoiceError as error:
        raise DataError(str(error)) from error


def read_run(epochs: int, number: int, halfway: Evaluation, final: Evaluation, parameters: int) -> Run:
    """Return the figures of a training run.

    Args:
        epochs: Epoch budget.
        number: Which of the cell's runs it is.
        halfway: What was measured half-way.
        final: What was measured at the end.
        parameters: Trainable parameters.

    Returns:
        The run.

    Raises:
        DataError: If a figure is impossible, or the cell has more runs than were published.
    """
    if number >= RUNS:
        raise DataError(f"its cell has more than {RUNS} runs of {epochs} epochs")
    accuracies = {split: _percent(getattr(final, name)) for split, name in _SPLITS.items()}
    accuracies |= {f"halfway-{split}": _percent(getattr(halfway, name)) for split, name in _SPLITS.items()}
    if not 0 <= final.training_time < math.inf or parameters <= 0:
        raise DataError("its training time or number of parameters is impossible")
    return Run(DATASET, epochs, number, accuracies, final.training_time, parameters, math.nan)


def _percent(share: float) -> float:
    if not 0 <= share <= 1:
        raise DataError(f"expected an accuracy from 0 to 1, got {share}")
    return share * 100
