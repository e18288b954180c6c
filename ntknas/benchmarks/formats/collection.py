"""What is read from official files, gathered in arrays: every run of every cell, and what is missing left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ntknas.core.errors import DataError


class Run(NamedTuple):
    """One finished training run.

    Attributes:
        dataset: Data set, ``cifar10`` and ``cifar10-valid`` apart.
        epochs: Epoch budget.
        seed: Training seed, or the number of the run where a benchmark has no seeds.
        accuracies: Accuracy in percent at the end of the budget, by split.
        seconds: Training time of the whole budget.
        parameters: Trainable parameters.
        flops: Multiply-adds of one image's forward pass; NaN where the benchmark has none.
    """

    dataset: str
    epochs: int
    seed: int
    accuracies: Mapping[str, float]
    seconds: float
    parameters: float
    flops: float


@dataclass
class Column:
    """All cells' runs of one (data set, epochs, seed); NaN where there is no figure."""

    cells: int
    present: np.ndarray = field(init=False)
    seconds: np.ndarray = field(init=False)
    accuracies: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Start without runs."""
        self.present = np.zeros(self.cells, dtype=bool)
        self.seconds = np.full(self.cells, np.nan)

    def add(self, cell: int, run: Run) -> None:
        """Take a run in."""
        self.present[cell] = True
        self.seconds[cell] = run.seconds
        for split, value in run.accuracies.items():
            if split not in self.accuracies:
                self.accuracies[split] = np.full(self.cells, np.nan)
            self.accuracies[split][cell] = value


@dataclass
class Collection:
    """Everything that a file holds.

    Attributes:
        benchmark: Name of the benchmark.
        space: Name of the space whose cells are counted.
        cells: Number of cells of the space.
        seeds_are_numbers: Whether ``seed`` is the number of a run rather than a seed.
        columns: By data set, epochs and seed.
        parameters: Trainable parameters by data set.
        flops: Multiply-adds by data set.
    """

    benchmark: str
    space: str
    cells: int
    seeds_are_numbers: bool = False
    columns: dict[tuple[str, int, int], Column] = field(default_factory=dict)
    parameters: dict[str, np.ndarray] = field(default_factory=dict)
    flops: dict[str, np.ndarray] = field(default_factory=dict)

    def add(self, cell: int, run: Run) -> None:
        """Take a run in.

        Raises:
            DataError: If there is such a run already.
        """
        key = (run.dataset, run.epochs, run.seed)
        column = self.columns.get(key)
        if column is None:
            column = self.columns[key] = Column(self.cells)
        if column.present[cell]:
            raise DataError(f"cell {cell} has two runs of seed {run.seed} on {run.dataset} at {run.epochs} epochs")
        column.add(cell, run)
        self._cost(self.parameters, run.dataset)[cell] = run.parameters
        self._cost(self.flops, run.dataset)[cell] = run.flops

    def _cost(self, costs: dict[str, np.ndarray], dataset: str) -> np.ndarray:
        if dataset not in costs:
            costs[dataset] = np.full(self.cells, np.nan)
        return costs[dataset]

    @property
    def runs(self) -> int:
        """Number of runs."""
        return sum(int(column.present.sum()) for column in self.columns.values())

    @property
    def cells_with_runs(self) -> int:
        """Number of cells that have a run."""
        has_runs = np.zeros(self.cells, dtype=bool)
        for column in self.columns.values():
            has_runs |= column.present
        return int(has_runs.sum())
