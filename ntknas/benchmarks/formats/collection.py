"""What is read from official files, gathered in arrays: every run of every cell, and what is missing left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ntknas.benchmarks.quantity import Quantity
from ntknas.benchmarks.table import Target
from ntknas.core.errors import DataError

Key = tuple[str, int | None, int]
"""Data set, epochs (``None`` without a budget) and seed."""


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
        quantities: What the values are, of targets that are no plain accuracies.
        measurements: A number for each cell's measurement, of targets in which cells share one.
        parameters: Trainable parameters by data set.
        flops: Multiply-adds by data set.
    """

    benchmark: str
    space: str
    cells: int
    seeds_are_numbers: bool = False
    columns: dict[Key, Column] = field(default_factory=dict)
    quantities: dict[Target, Quantity] = field(default_factory=dict)
    measurements: dict[Target, np.ndarray] = field(default_factory=dict)
    parameters: dict[str, np.ndarray] = field(default_factory=dict)
    flops: dict[str, np.ndarray] = field(default_factory=dict)

    def add(self, cell: int, run: Run) -> None:
        """Take a run in.

        Raises:
            DataError: If there is such a run already.
        """
        column = self._column(run.dataset, run.epochs, run.seed)
        if column.present[cell]:
            raise DataError(f"cell {cell} has two runs of seed {run.seed} on {run.dataset} at {run.epochs} epochs")
        column.add(cell, run)
        self._cost(self.parameters, run.dataset)[cell] = run.parameters
        self._cost(self.flops, run.dataset)[cell] = run.flops

    def add_target(
        self,
        target: Target,
        values: np.ndarray,
        quantity: Quantity | None = None,
        measurements: np.ndarray | None = None,
    ) -> None:
        """Take a whole target in.

        Args:
            target: The target.
            values: Its values by cell, or cells × runs; NaN where nothing was measured.
            quantity: What they are; accuracies without it.
            measurements: A number for each cell's measurement, where cells share one.

        Raises:
            DataError: If it is there already.
        """
        if target in self.targets:
            raise DataError(f"it holds {target} more than once")
        for seed, run in enumerate(values.reshape(self.cells, -1).T):
            column = self._column(target.dataset, target.epochs, seed)
            column.present |= np.isfinite(run)
            column.accuracies[target.split] = run.astype(np.float64)
        if quantity is not None:
            self.quantities[target] = quantity
        if measurements is not None:
            self.measurements[target] = measurements.astype(np.int64)

    def take(self, target: Target, other: Collection) -> None:
        """Take a target over from another collection.

        Raises:
            DataError: If it is there already.
        """
        runs = [
            column.accuracies[target.split]
            for (dataset, epochs, _), column in sorted(other.columns.items(), key=lambda item: item[0][2])
            if (dataset, epochs) == (target.dataset, target.epochs) and target.split in column.accuracies
        ]
        values = np.stack(runs, axis=1)
        self.add_target(target, values, other.quantities.get(target), other.measurements.get(target))

    def missing(self, target: Target) -> int:
        """Return the number of cells without a value of a target."""
        has_value = np.zeros(self.cells, dtype=bool)
        for (dataset, epochs, _), column in self.columns.items():
            if (dataset, epochs) == (target.dataset, target.epochs) and target.split in column.accuracies:
                has_value |= np.isfinite(column.accuracies[target.split])
        return int((~has_value).sum())

    @property
    def targets(self) -> list[Target]:
        """What it holds values of."""
        keys = ((key, split) for key, column in self.columns.items() for split in column.accuracies)
        return list(dict.fromkeys(Target(dataset, split, epochs) for (dataset, epochs, _), split in keys))

    def _column(self, dataset: str, epochs: int | None, seed: int) -> Column:
        key = (dataset, epochs, seed)
        if key not in self.columns:
            self.columns[key] = Column(self.cells)
        return self.columns[key]

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
