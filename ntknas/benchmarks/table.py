"""Accuracy tables: one for each (data set, split, epoch budget), every training run kept apart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ntknas.core.errors import ChoiceError


class Target(NamedTuple):
    """What an accuracy was measured on; prints as ``cifar10-valid/valid/200``."""

    dataset: str
    split: str
    epochs: int

    def __str__(self) -> str:
        return f"{self.dataset}/{self.split}/{self.epochs}"

    @classmethod
    def parse(cls, text: str) -> Target:
        """Read ``data set/split/epochs``.

        Raises:
            ChoiceError: If the text is not of this form.
        """
        match = re.fullmatch(r"([^/]+)/([^/]+)/(\d+)", text)
        if match is None:
            raise ChoiceError(
                f"Not a target: {text!r}. Expected data set/split/epochs, such as cifar10-valid/valid/200."
            )
        return cls(match[1], match[2], int(match[3]))


@dataclass(frozen=True)
class AccuracyTable:
    """Accuracies of all cells of a space for one target.

    Attributes:
        runs: Accuracy in percent of each training run, cells × runs; NaN where a cell has fewer runs.
        seeds: Training seeds of the columns for cells that have every run.
    """

    runs: np.ndarray = field(repr=False)
    seeds: tuple[int, ...]

    @property
    def mean(self) -> np.ndarray:
        """Mean over the runs of each cell."""
        return np.nanmean(self.runs, axis=1)

    @property
    def count(self) -> np.ndarray:
        """Number of runs of each cell."""
        return np.isfinite(self.runs).sum(axis=1)


@dataclass(frozen=True)
class Benchmark:
    """The accuracy tables of one space.

    Attributes:
        name: Name of the benchmark, which is its space's.
        tables: Table of each target.
        dataset: Data set that ``accuracy`` speaks of unless told otherwise.
    """

    name: str
    tables: Mapping[Target, AccuracyTable] = field(repr=False)
    dataset: str | None = None

    def targets(self, *datasets: str) -> list[Target]:
        """Return the targets that the tables hold, restricted to some data sets if any are named."""
        return [target for target in self.tables if not datasets or target.dataset in datasets]

    def table(self, target: Target) -> AccuracyTable:
        """Return the table of a target.

        Raises:
            ChoiceError: If it is not there; the message names what is.
        """
        if target not in self.tables:
            raise ChoiceError(f"{self.name} has no table {target}: it holds {', '.join(map(str, self.tables))}.")
        return self.tables[target]

    def accuracy(
        self, cell: int, split: str = "valid", epochs: int = 200, seed: int | None = None, dataset: str | None = None
    ) -> float:
        """Return an accuracy in percent.

        Args:
            cell: Index of the cell.
            split: Split that the accuracy was measured on.
            epochs: Epoch budget of the training.
            seed: Training seed; the mean over all runs without one.
            dataset: Data set; the benchmark's own without one.

        Raises:
            ChoiceError: If the tables hold no such figure; the message names what they hold.
        """
        name = dataset or self.dataset
        if name is None:
            raise ChoiceError(f"Name a data set: {self.name} holds {', '.join(map(str, self.tables))}.")
        table = self.table(Target(name, split, epochs))
        if not 0 <= cell < len(table.runs):
            raise ChoiceError(f"Cell index out of range: expected 0 to {len(table.runs) - 1}, got {cell}.")
        return float(table.mean[cell]) if seed is None else self._of_seed(table, cell, seed)

    def _of_seed(self, table: AccuracyTable, cell: int, seed: int) -> float:
        if seed not in table.seeds:
            raise ChoiceError(f"{self.name} has no runs of seed {seed}: expected {', '.join(map(str, table.seeds))}.")
        runs = table.runs[cell]
        if np.isnan(runs).any():
            values = ", ".join(f"{value:.2f}" for value in runs[np.isfinite(runs)])
            raise ChoiceError(
                f"Cell {cell} has {int(table.count[cell])} runs ({values}) and the table does not say of which seeds: "
                "ask for the mean, or read table.runs."
            )
        return float(runs[table.seeds.index(seed)])
