"""Tables of what trained networks are like: one for each target, every training run kept apart."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ntknas.benchmarks.quantity import ACCURACY, Quantity
from ntknas.core.errors import ChoiceError
from ntknas.core.shown import Shown, counted, listed, shortened
from ntknas.data.datasets import tables_of

if TYPE_CHECKING:
    from ntknas.core.html import Child

EMBEDDED = "embedded"
MAIN_SPLITS = ("valid", "test")


class Target(NamedTuple):
    """What was measured; prints as ``cifar10-valid/valid/200``, or ``cifar10/raspi4_latency`` without a budget.

    Attributes:
        dataset: Data set.
        split: Split that an accuracy was measured on, or the name of another quantity.
        epochs: Epoch budget of the training; ``None`` where a benchmark has one training alone, or says of none.
    """

    dataset: str
    split: str
    epochs: int | None

    def __str__(self) -> str:
        budget = "" if self.epochs is None else f"/{self.epochs}"
        return f"{self.dataset}/{self.split}{budget}"

    @classmethod
    def parse(cls, text: str) -> Target:
        """Return the target of a text ``data set/split/epochs`` or ``data set/quantity``.

        Raises:
            ChoiceError: If the text is of neither form.
        """
        match = re.fullmatch(r"([^/]+)/([^/]+)(?:/([0-9]{1,9}))?", text)
        if match is None:
            raise ChoiceError(
                f"Not a target: {text!r}. Expected data set/split/epochs, such as cifar10-valid/valid/200, or data "
                "set/quantity, such as cifar10/raspi4_latency."
            )
        return cls(match[1], match[2], None if match[3] is None else int(match[3]))


@dataclass(frozen=True, repr=False)
class AccuracyTable(Shown):
    """Accuracies, or values of another quantity, of all cells of a space for one target.

    Attributes:
        runs: Value of each training run, cells × runs; NaN where there is no such run, or nothing was measured.
        seeds: Training seeds of the columns, or numbers of the runs where the benchmark has no seeds.
        seconds: Training time of each run in seconds, cells × runs, if the benchmark has it.
        seeds_are_numbers: Whether ``seeds`` are numbers of runs.
        seeds_of_gaps_known: Whether a NaN stands under the seed that is missing; if not, a cell's runs stand in the
            first columns, and only cells with every run say which seed is which.
        quantity: What the values are.
        measurements: A number for each cell's measurement, where cells share one; ``None`` where each has its own.
    """

    runs: np.ndarray = field(repr=False)
    seeds: tuple[int, ...]
    seconds: np.ndarray | None = field(default=None, repr=False)
    seeds_are_numbers: bool = False
    seeds_of_gaps_known: bool = True
    quantity: Quantity = ACCURACY
    measurements: np.ndarray | None = field(default=None, repr=False)

    @property
    def mean(self) -> np.ndarray:
        """Mean over the runs of each cell, without the float noise of its file; NaN for a cell without any."""
        total = np.nansum(self.runs, axis=1)  # not np.nanmean, which warns of every cell without runs
        mean = np.full(len(total), np.nan)
        np.divide(total, self.count, out=mean, where=self.count > 0)
        return mean if self.quantity.decimals is None else np.round(mean, self.quantity.decimals)

    @property
    def count(self) -> np.ndarray:
        """Number of runs of each cell."""
        return np.asarray(np.isfinite(self.runs).sum(axis=1))

    @property
    def distinct(self) -> int:
        """Number of measurements: that of the cells with a value, less where cells share one."""
        has_value = self.count > 0
        return int(has_value.sum()) if self.measurements is None else len(np.unique(self.measurements[has_value]))

    def _line(self) -> str:
        cells, runs = self.runs.shape
        which = "runs" if self.seeds_are_numbers else "seeds"
        shared = "" if self.measurements is None else ", measurements shared by cells"
        return f"{self.quantity}: {cells:,} cells × {counted(runs, 'run')}, {which} {listed(self.seeds)}{shared}"

    def _facts(self) -> Mapping[str, Child]:
        return {"training seconds": "not known" if self.seconds is None else "known"}


@dataclass(frozen=True, repr=False)
class Costs(Shown):
    """What all cells' networks for one data set cost.

    Attributes:
        parameters: Trainable parameters; NaN for cells without runs.
        flops: Multiply-adds of one image's forward pass; NaN where the benchmark has none.
    """

    parameters: np.ndarray = field(repr=False)
    flops: np.ndarray = field(repr=False)

    def _line(self) -> str:
        return f"parameters and FLOPs of {counted(len(self.parameters), 'cell')}"


@dataclass(frozen=True, repr=False)
class Benchmark(Shown):
    """The accuracy tables of one space.

    Attributes:
        name: Name of the benchmark.
        tables: Table of each target.
        dataset: Data set that ``accuracy`` speaks of unless told otherwise.
        space: Name of the space whose cells are counted; the benchmark's name without one.
        source: Where the tables come from.
        costs_of: Returns the costs on a data set, if the benchmark has them.
        can_be_imported: Whether an official file has more.
    """

    name: str
    tables: Mapping[Target, AccuracyTable] = field(repr=False)
    dataset: str | None = None
    space: str = ""
    source: str = ""
    costs_of: Callable[[str], Costs] | None = field(default=None, repr=False)
    can_be_imported: bool = False

    def targets(self, *datasets: str) -> list[Target]:
        """Return the targets that the tables hold, restricted to some data sets if any are named.

        A data set's own name stands for all tables on it, ``cifar10`` for ``cifar10-valid`` too; see ``tables_of``.
        """
        tables = {table for dataset in datasets for table in tables_of(dataset)}
        return [target for target in self.tables if not datasets or target.dataset in tables]

    def find_target(
        self, dataset: str, split: str | None = None, epochs: int | None = None, preferred: Sequence[str] = MAIN_SPLITS
    ) -> Target:
        """Return the one target that is meant.

        Args:
            dataset: The data set; where several of its tables will do, the one of this very name.
            split: The split; without one the first of the preferred ones that there is.
            epochs: The epoch budget; without one the largest that there is.
            preferred: The splits to choose from, best first.

        Raises:
            ChoiceError: If the tables hold no such target; the message names what they hold.
        """
        held = self.targets(dataset)
        fitting = [t for t in held if split in (None, t.split) and epochs in (None, t.epochs)]
        if not fitting:
            raise ChoiceError(self._missing(dataset, held, split, epochs))
        order = [split] if split else [*preferred, *(t.split for t in fitting)]
        return min(fitting, key=lambda t: (order.index(t.split), -(t.epochs or 0), t.dataset != dataset))

    def _missing(self, dataset: str, held: Sequence[Target], split: str | None, epochs: int | None) -> str:
        accuracies = f"{split} {self.kind_of_values}" if split else self.kind_of_values
        budget = f" after {epochs} epochs" if epochs else ""
        instead = _described(held) if held else self.describe_targets()
        return f"{self.name} holds no {accuracies} on {dataset}{budget}: it holds {instead}.{self._more()}"

    @property
    def kind_of_values(self) -> str:
        """What the tables hold, for messages: accuracies of trainings, or values."""
        return "accuracies" if any(target.epochs is not None for target in self.tables) else "values"

    def _more(self) -> str:
        return " ntknas bench import adds the official file's (bench list)." if self.can_be_imported else ""

    def main_targets(self, *datasets: str) -> list[Target]:
        """Return the targets to correlate with unless others are named.

        Those are validation and test accuracy at the largest budget, and what has no budget; of scores none are.
        """
        held = self.targets(*datasets)
        largest = {t.dataset: max(u.epochs or 0 for u in held if u.dataset == t.dataset) for t in held}
        return [
            t
            for t in held
            if (t.split in MAIN_SPLITS and t.epochs == largest[t.dataset])
            or (t.epochs is None and not self.quantity(t).is_score)
        ]

    def quantity(self, target: Target) -> Quantity:
        """Return what the values of a target are.

        Raises:
            ChoiceError: If it is not there.
        """
        return self.table(target).quantity

    def describe_targets(self) -> str:
        """Return the targets as one line, splits of one data set and budget together."""
        return _described(self.tables)

    def table(self, target: Target) -> AccuracyTable:
        """Return the table of a target.

        Raises:
            ChoiceError: If it is not there; the message names what is.
        """
        if target not in self.tables:
            raise ChoiceError(f"{self.name} has no table {target}: it holds {self.describe_targets()}.{self._more()}")
        return self.tables[target]

    def accuracy(
        self,
        cell: int,
        split: str | None = None,
        epochs: int | None = None,
        seed: int | None = None,
        dataset: str | None = None,
    ) -> float:
        """Return an accuracy in percent, or a value of another quantity, in its unit.

        Args:
            cell: Index of the cell.
            split: Split that the accuracy was measured on, or another quantity's name; ``valid`` without one, or what
                there is.
            epochs: Epoch budget of the training; the largest without one.
            seed: Training seed; the mean over all runs without one.
            dataset: Data set; the benchmark's own without one. ``cifar10`` stands for ``cifar10-valid`` too.

        Raises:
            ChoiceError: If the tables hold no such figure; the message names what they hold.
        """
        name = dataset or self.dataset
        if name is None:
            raise ChoiceError(f"Name a data set: {self.name} holds {self.describe_targets()}.")
        target = self.find_target(name, split, epochs)
        self.check_measured(cell, target)
        table = self.table(target)
        return float(table.mean[cell]) if seed is None else self._of_seed(table, cell, seed)

    def check_measured(self, cell: int, target: Target) -> None:
        """Check that a cell has a value of a target.

        Args:
            cell: Index of the cell.
            target: The target.

        Raises:
            ChoiceError: If there is no such cell, or nothing was measured of it.
        """
        table = self.table(target)
        if not 0 <= cell < len(table.runs):
            raise ChoiceError(f"Cell index out of range: expected 0 to {len(table.runs) - 1}, got {cell}.")
        if not table.count[cell]:
            held, missing = int((table.count > 0).sum()), table.quantity.missing
            kind = "run" if target.epochs is not None else "value"
            sentinel = f" (the official file has {missing} in its place)" if missing else ""
            raise ChoiceError(
                f"{self.name} holds no {kind} of cell {cell} for {target}{sentinel}: it holds {held:,} of "
                f"{len(table.runs):,} cells."
            )

    def _of_seed(self, table: AccuracyTable, cell: int, seed: int) -> float:
        if seed not in table.seeds:
            raise ChoiceError(f"{self.name} has no runs of seed {seed}: expected {', '.join(map(str, table.seeds))}.")
        runs = table.runs[cell]
        value = float(runs[table.seeds.index(seed)])
        if table.seeds_of_gaps_known and np.isnan(value):
            held = [str(other) for other, run in zip(table.seeds, runs, strict=True) if np.isfinite(run)]
            raise ChoiceError(f"Cell {cell} has no run of seed {seed}: {self.name} holds those of {', '.join(held)}.")
        if not table.seeds_of_gaps_known and np.isnan(runs).any():
            values = ", ".join(f"{run:.2f}" for run in runs[np.isfinite(runs)])
            raise ChoiceError(
                f"Cell {cell} has {int(table.count[cell])} runs ({values}) and the table does not say of which seeds: "
                "ask for the mean, or read table.runs."
            )
        return value

    def costs(self, dataset: str) -> Costs:
        """Return the parameters and FLOPs that the benchmark publishes.

        Raises:
            ChoiceError: If it publishes none.
        """
        if self.costs_of is None:
            raise ChoiceError(f"{self.name} ({self.source}) publishes no parameters and FLOPs: ask its space.")
        return self.costs_of(dataset)

    def _line(self) -> str:
        meant = f", data set {self.dataset}" if self.dataset else ""
        return f"{self.name}{meant}: {counted(len(self.tables), 'target')} of the cells of {self.space or self.name}"

    def _facts(self) -> Mapping[str, Child]:
        facts: dict[str, Child] = {"targets": shortened(self.describe_targets(), 2000)}
        if self.source:
            facts["source"] = self.source
        if self.can_be_imported:
            facts["more"] = "the official file's, which ntknas bench import reads"
        return facts


def _described(targets: Iterable[Target]) -> str:
    held: dict[tuple[str, int | None], list[str]] = {}
    for target in targets:
        held.setdefault((target.dataset, target.epochs), []).append(target.split)
    return ", ".join(str(Target(dataset, "|".join(splits), epochs)) for (dataset, epochs), splits in held.items())
