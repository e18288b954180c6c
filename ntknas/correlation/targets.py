"""Trained accuracies in whatever form they are given, and how noisy they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from numbers import Real
from typing import TypeAlias

import numpy as np
import pandas as pd

from ntknas.benchmarks.quantity import ACCURACY, Quantity
from ntknas.benchmarks.table import AccuracyTable, Benchmark
from ntknas.core.errors import DataError, NtknasError
from ntknas.core.shown import Shown
from ntknas.correlation import noise
from ntknas.correlation.ceiling import ceiling
from ntknas.correlation.cell_names import by_cell, cells_of, of_all_cells
from ntknas.correlation.coefficients import Array
from ntknas.correlation.drawn import Codes, joined
from ntknas.correlation.estimate import Estimates
from ntknas.spaces import Space

MAX_ACCURACY = 1e150
"""Accuracies beyond it are refused: their differences and squares would not be numbers any more."""
_EXPECTED = (
    "Expected a benchmark (ntknas.load_benchmark), a series of accuracies by cell index, or several of them by name."
)


@dataclass(frozen=True, repr=False)
class TargetSummary(Shown):
    """What is known of a target's accuracies.

    Attributes:
        seed_agreement: Correlation of the benchmark's training seeds with one another, by coefficient; ``None`` without
            repeated runs.
        ceiling: Correlation of the true accuracies with the table, by coefficient; ``None`` without repeated runs.
        cells_scored: Number of cells that were scored.
        cells_with_accuracy: Number of those that have an accuracy.
        quantity: What the accuracies are.
        measurements: Number of their measurements, where cells share one; ``None`` where each has its own.
    """

    seed_agreement: Estimates | None
    ceiling: Estimates | None
    cells_scored: int
    cells_with_accuracy: int
    quantity: Quantity = ACCURACY
    measurements: int | None = None

    def as_json(self) -> dict[str, object]:
        """Return plain data."""
        agreement, intervals = self.seed_agreement, self._agreement_intervals()
        return {
            "seed_agreement": agreement and {name: estimate.value for name, estimate in agreement.items()},
            "seed_agreement_interval": intervals,
            "ceiling": self.ceiling and {name: estimate.as_json() for name, estimate in self.ceiling.items()},
            "cells_scored": self.cells_scored,
            "cells_with_accuracy": self.cells_with_accuracy,
            "quantity": asdict(self.quantity),
            "measurements": self.measurements,
        }

    def meaning(self) -> dict[str, object]:
        """Return what the values are as columns of a table."""
        return {
            "quantity": self.quantity.name,
            "unit": self.quantity.unit,
            "target_higher_is_better": self.quantity.higher_is_better,
            "measured_on": self.quantity.measured_on,
            "missing": self.quantity.missing,
            "measurements": self.measurements,
        }

    def _agreement_intervals(self) -> dict[str, dict[str, float]] | None:
        intervals = {name: estimate.interval for name, estimate in (self.seed_agreement or {}).items()}
        ends = {name: {"low": ends[0], "high": ends[1]} for name, ends in intervals.items() if ends}
        return ends or None

    def _line(self) -> str:
        return f"{self.quantity}: {self.cells_with_accuracy:,} of {self.cells_scored:,} scored cells have it"


@dataclass(frozen=True)
class Accuracies:
    """The accuracies of one target, or values of another quantity, signed so that higher is better.

    Attributes:
        name: Name of the target.
        means: Accuracy by cell, the mean over its runs; cells without any are left out.
        runs: Every run, cells × runs, where they are known.
        quantity: What the values are.
        measurements: A number for each cell's measurement, where cells share one.
    """

    name: str
    means: pd.Series
    runs: Array | None = None
    quantity: Quantity = ACCURACY
    measurements: pd.Series | None = None

    def units(self, cells: pd.Index, networks: pd.Series | None) -> Codes | None:
        """Return a number for each cell's unit, which is drawn as a whole: cells of one network, or one measurement.

        Args:
            cells: The cells; each has an accuracy where cells share measurements.
            networks: A number for each cell's network, where it is known.
        """
        of_network = None if networks is None else networks[cells].to_numpy(np.int64)
        shared = None if self.measurements is None else self.measurements[cells].to_numpy(np.int64)
        return joined(of_network, shared)

    def summary(self, scored: pd.Index, seed: int, networks: pd.Series | None = None) -> TargetSummary:
        """Return the agreement of the runs with one another on the scored cells, and the ceiling that their noise sets.

        Args:
            scored: The cells that were scored.
            seed: Seed of the draws.
            networks: A number for each scored cell's network, where it is known.

        Returns:
            The summary.

        Raises:
            NtknasError: If none of these cells has an accuracy.
        """
        plain = self.known_of(scored)
        if self.runs is None or self.runs.shape[1] < 2:
            return plain
        cells = common_cells(self, scored)
        rows = cells.to_numpy(np.int64)
        agreement = noise.seed_agreement_with_interval(self.runs[rows], seed, networks=self.units(cells, networks))
        return replace(plain, seed_agreement=agreement, ceiling=ceiling(self.runs, seed, cells=rows))

    def known_of(self, scored: pd.Index) -> TargetSummary:
        """Return what the values are and how many there are, without figures of noise.

        Args:
            scored: The cells that were scored.

        Returns:
            The summary.

        Raises:
            NtknasError: If none of these cells has an accuracy.
        """
        cells = common_cells(self, scored)
        measurements = None if self.measurements is None else int(self.measurements[cells].nunique())
        return TargetSummary(None, None, len(scored), len(cells), self.quantity, measurements)


Given: TypeAlias = (
    Benchmark | pd.Series | pd.DataFrame | Mapping[str, pd.Series | AccuracyTable] | Mapping[int, float] | np.ndarray
)
"""Accuracies in every form that is taken."""


def as_accuracies(accuracies: Given, space: Space | None = None) -> list[Accuracies]:
    """Return the accuracies of every target.

    Args:
        accuracies: As for ``correlate``.
        space: The space that reads names of cells, if it is known.

    Returns:
        The accuracies.

    Raises:
        DataError: If they are of another kind, of texts, or beyond what can be computed with.
    """
    if isinstance(accuracies, Benchmark):
        targets = accuracies.main_targets(*filter(None, [accuracies.dataset]))
        tables: Mapping[str, object] = {str(target): accuracies.table(target) for target in targets}
    elif isinstance(accuracies, pd.Series):
        tables = {str(accuracies.name or "accuracies"): accuracies}
    elif isinstance(accuracies, np.ndarray):
        tables = {"accuracies": accuracies}
    elif isinstance(accuracies, Mapping) and all(isinstance(value, Real) for value in accuracies.values()):
        tables = {"accuracies": pd.Series(dict(accuracies))}
    elif isinstance(accuracies, Mapping | pd.DataFrame):
        tables = _named(accuracies, space)
    else:
        raise DataError(f"These are no accuracies: got {type(accuracies).__name__}. {_EXPECTED}")
    return [_one(name, values, space) for name, values in tables.items()]


def _named(accuracies: Mapping[str, object] | pd.DataFrame, space: Space | None) -> dict[str, object]:
    """Return accuracies by name; of a table the columns other than those that name cells."""
    if isinstance(accuracies, pd.DataFrame):
        table = by_cell(accuracies, "accuracies", space)
        return {str(name): table[name] for name in table}
    return {str(name): values for name, values in accuracies.items()}


def _one(name: str, values: object, space: Space | None) -> Accuracies:
    if isinstance(values, AccuracyTable):
        means = _checked(name, pd.Series(values.quantity.sign * values.mean).dropna())
        shared = None if values.measurements is None else pd.Series(values.measurements)[means.index]
        return Accuracies(name, means, values.quantity.sign * values.runs, values.quantity, shared)
    if isinstance(values, np.ndarray):
        values = of_all_cells(values, name, space)
    if not isinstance(values, pd.Series):
        raise DataError(f"{name} holds no accuracies: got {type(values).__name__}. {_EXPECTED}")
    known = values.dropna()
    return Accuracies(name, _checked(name, known.set_axis(pd.Index(cells_of(known.index, name, space)))))


def _checked(name: str, means: pd.Series) -> pd.Series:
    if not pd.api.types.is_numeric_dtype(means) or pd.api.types.is_complex_dtype(means):
        raise DataError(f"{name}: accuracies are real numbers, got {means.iloc[0]!r}. {_EXPECTED}")
    if not means.index.is_unique:
        twice = means.index[means.index.duplicated()][0]
        raise DataError(f"{name} holds cell {twice} more than once: expected one accuracy per cell.")
    refused = means[~(means.abs() <= MAX_ACCURACY)]
    if len(refused):
        raise DataError(
            f"{name} has {refused.iloc[0]:g} for cell {refused.index[0]}: expected accuracies between "
            f"−{MAX_ACCURACY:g} and {MAX_ACCURACY:g}, which can be computed with. Correct the table."
        )
    return means


def common_cells(accuracies: Accuracies, cells: pd.Index) -> pd.Index:
    """Return the scored cells that have an accuracy.

    Args:
        accuracies: The accuracies.
        cells: The scored cells.

    Returns:
        The cells.

    Raises:
        NtknasError: If there are none.
    """
    common = cells.intersection(accuracies.means.index)
    if len(common):
        return common
    raise NtknasError(
        f"None of the {len(cells)} scored cells has an accuracy in {accuracies.name}, which has "
        f"{len(accuracies.means)} cells{_examples(accuracies.means.index)}; scored were{_examples(cells)}. "
        "Both count cells by their index."
    )


def _examples(cells: pd.Index) -> str:
    first = ", ".join(str(cell) for cell in cells[:3])
    return f" ({first}{', …' if len(cells) > 3 else ''})" if first else ""
