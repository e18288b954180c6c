"""What a search chooses by, and what is reported of its choice: validation accuracies of single runs, test means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ntknas.benchmarks.quantity import ACCURACY, Quantity
from ntknas.benchmarks.table import AccuracyTable, Benchmark, Target
from ntknas.core.errors import ChoiceError, DataError
from ntknas.core.shown import Shown, counted, in_digits, listed

Array = NDArray[np.float64]


class Values(Protocol):
    """Values of cells."""

    def __getitem__(self, cell: int, /) -> float:
        """Return that of a cell."""
        ...


@dataclass(frozen=True, repr=False)
class Level(Shown):
    """Trainings to one epoch budget.

    Attributes:
        name: Name of the target.
        runs: Validation value of each run, cells × runs, signed so that higher is better; NaN where there is no run.
        cost: What a training costs, in trainings to the largest budget.
        seconds: Training seconds by cell, the mean over its runs; ``None`` where the table has none.
    """

    name: str
    runs: Array = field(repr=False)
    cost: float = 1.0
    seconds: Array | None = field(default=None, repr=False)

    def _line(self) -> str:
        return f"{self.name}: {counted(len(self.runs), 'cell')}, cost {in_digits(self.cost)}"


@dataclass(frozen=True, repr=False)
class Objective(Shown):
    """What a search chooses by and what is reported of its choice.

    A training is one run of the table, drawn once for every cell and seed of a search, so that what a search sees is as
    noisy as what a user would; what is reported is the mean over all runs of the reported target.

    Attributes:
        levels: The epoch budgets to train to, smallest first; a search ends with trainings to the last one.
        reported_name: Name of the target that is reported.
        reported: Its value by cell, signed so that higher is better.
        quantity: What is reported.
    """

    levels: tuple[Level, ...]
    reported_name: str
    reported: Array = field(repr=False)
    quantity: Quantity = ACCURACY

    @classmethod
    def of(cls, benchmark: Benchmark, dataset: str, choose: str | None = None, report: str | None = None) -> Objective:
        """Return the objective of a benchmark: chosen by validation accuracy, reported on the test split.

        Args:
            benchmark: The benchmark.
            dataset: The data set.
            choose: The target to choose by; validation at the largest budget without it.
            report: The target to report; test accuracy at the largest budget without it, or where there is none the
                target to choose by.

        Returns:
            The objective.

        Raises:
            ChoiceError: If there is no such target.
        """
        chosen = benchmark.find_target(dataset, preferred=("valid", "test")) if choose is None else Target.parse(choose)
        reported = _reported(benchmark, dataset, chosen) if report is None else Target.parse(report)
        table = benchmark.table(reported)
        levels = [_level(benchmark, target, chosen) for target in _budgets(benchmark, chosen)]
        return cls(tuple(levels), str(reported), table.quantity.sign * table.mean, table.quantity)

    @classmethod
    def of_tables(cls, chosen: AccuracyTable, reported: AccuracyTable, names: tuple[str, str]) -> Objective:
        """Return the objective of two tables of one space.

        Args:
            chosen: What is chosen by.
            reported: What is reported.
            names: Their names.

        Returns:
            The objective.

        Raises:
            DataError: If they are of different numbers of cells.
        """
        if len(chosen.runs) != len(reported.runs):
            raise DataError(f"{names[0]} has {len(chosen.runs):,} cells, {names[1]} {len(reported.runs):,}.")
        level = Level(names[0], chosen.quantity.sign * chosen.runs, 1.0, _seconds(chosen))
        return cls((level,), names[1], reported.quantity.sign * reported.mean, reported.quantity)

    @property
    def trainable(self) -> NDArray[np.bool_]:
        """Which cells can be trained to the largest budget and reported."""
        has_run = np.isfinite(self.levels[-1].runs).any(axis=1)
        return np.asarray(has_run & np.isfinite(self.reported))

    @property
    def cells(self) -> NDArray[np.int64]:
        """Those cells."""
        return np.flatnonzero(self.trainable)

    def within(self, cells: NDArray[np.bool_]) -> Objective:
        """Return the objective on some of the cells.

        Args:
            cells: Which.

        Returns:
            The objective.
        """
        return replace(self, reported=np.where(cells, self.reported, np.nan))

    @property
    def best(self) -> float:
        """The best reported value of all cells that can be trained."""
        return float(self.reported[self.cells].max())

    @property
    def has_seconds(self) -> bool:
        """Whether the training seconds of every budget are known."""
        return all(level.seconds is not None for level in self.levels)

    def prepare(self, cells: Sequence[int]) -> None:
        """Get ready for the trainings of some cells: of a table they are."""

    def draw(self, generator: np.random.Generator) -> Sequence[Values]:
        """Draw one run for each cell and budget; NaN for a cell without any."""
        return [_one_run(level.runs, generator) for level in self.levels]

    def _line(self) -> str:
        return f"chosen by {listed(level.name for level in self.levels)}, reported on {self.reported_name}"


def _reported(benchmark: Benchmark, dataset: str, chosen: Target) -> Target:
    try:
        return benchmark.find_target(dataset, "test")
    except ChoiceError:
        return chosen


def _budgets(benchmark: Benchmark, chosen: Target) -> Sequence[Target]:
    """Return the targets of one data set and split, smallest budget first, up to the one to choose by."""
    alike = [target for target in benchmark.tables if target[:2] == chosen[:2]]
    smaller = [t for t in alike if t.epochs is not None and chosen.epochs is not None and t.epochs < chosen.epochs]
    return [*sorted(smaller, key=lambda target: target.epochs or 0), chosen]


def _level(benchmark: Benchmark, target: Target, chosen: Target) -> Level:
    table = benchmark.table(target)
    cost = 1.0 if target.epochs is None or chosen.epochs is None else target.epochs / chosen.epochs
    return Level(str(target), table.quantity.sign * table.runs, cost, _seconds(table))


def _seconds(table: AccuracyTable) -> Array | None:
    if table.seconds is None or not np.isfinite(table.seconds).any():
        return None
    known = np.isfinite(table.seconds)
    sums = np.where(known, table.seconds, 0.0).sum(axis=1)
    means: Array = np.divide(sums, known.sum(axis=1), out=np.full(len(sums), np.nan), where=known.any(axis=1))
    return means


def _one_run(runs: Array, generator: np.random.Generator) -> Array:
    """Return one run of each cell, each with the same chance."""
    known = np.isfinite(runs)
    picked = np.floor(generator.random(len(runs)) * known.sum(axis=1)).astype(np.int64)
    place = (known.cumsum(axis=1) <= picked[:, None]).sum(axis=1).clip(max=runs.shape[1] - 1)
    return np.asarray(runs[np.arange(len(runs)), place], np.float64)
