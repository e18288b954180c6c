"""Trained accuracies in whatever form they are given, and how noisy they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from ntknas.benchmarks.table import AccuracyTable, Benchmark
from ntknas.core.errors import DataError, NtknasError
from ntknas.correlation import noise
from ntknas.correlation.ceiling import ceiling

LARGEST = 1e150
"""Accuracies beyond it are refused: their differences and squares would not be numbers any more."""
_EXPECTED = (
    "Expected a benchmark (ntknas.load_benchmark), a series of accuracies by cell index, or several of them by name."
)


@dataclass(frozen=True)
class Accuracies:
    """The accuracies of one target.

    Attributes:
        name: Name of the target.
        means: Accuracy by cell, the mean over its runs; cells without any are left out.
        runs: Every run, cells × runs, where they are known.
    """

    name: str
    means: pd.Series
    runs: np.ndarray | None = None

    def noise(self, cells: pd.Index, seed: int) -> dict[str, Any]:
        """Return the agreement of the runs with one another on some cells, and the ceiling that their noise sets."""
        if self.runs is None:
            return {"seed_agreement": None, "seed_agreement_interval": None, "ceiling": None}
        rows = cells.to_numpy(np.int64)
        limits = ceiling(self.runs, seed, cells=rows)
        return {
            "seed_agreement": noise.seed_agreement(self.runs[rows]),
            "seed_agreement_interval": noise.seed_agreement_interval(self.runs[rows], seed),
            "ceiling": limits and {name: asdict(limit) for name, limit in limits.items()},
        }


def as_accuracies(accuracies: Benchmark | pd.Series | Mapping[str, pd.Series | AccuracyTable]) -> list[Accuracies]:
    """Return the accuracies of every target.

    Raises:
        DataError: If they are of another kind, of texts, or beyond what can be computed with.
    """
    if isinstance(accuracies, Benchmark):
        targets = accuracies.main_targets(*filter(None, [accuracies.dataset]))
        tables: Mapping[Any, Any] = {str(target): accuracies.table(target) for target in targets}
    elif isinstance(accuracies, pd.Series):
        tables = {str(accuracies.name or "accuracies"): accuracies}
    elif isinstance(accuracies, Mapping | pd.DataFrame):
        tables = _named(accuracies)
    else:
        raise DataError(f"These are no accuracies: got {type(accuracies).__name__}. {_EXPECTED}")
    return [_one(str(name), values) for name, values in tables.items()]


def _named(accuracies: Mapping[str, Any] | pd.DataFrame) -> Mapping[Any, Any]:
    """Return accuracies by name; of a table the columns, a column ``cell`` being its index."""
    if isinstance(accuracies, pd.DataFrame):
        table = accuracies.set_index("cell") if "cell" in accuracies else accuracies
        return {name: table[name] for name in table}
    return accuracies


def _one(name: str, values: Any) -> Accuracies:
    if isinstance(values, AccuracyTable):
        return Accuracies(name, _checked(name, pd.Series(values.mean).dropna()), values.runs)
    if not isinstance(values, pd.Series):
        raise DataError(f"{name} holds no accuracies: got {type(values).__name__}. {_EXPECTED}")
    return Accuracies(name, _checked(name, values.dropna()))


def _checked(name: str, means: pd.Series) -> pd.Series:
    if not pd.api.types.is_numeric_dtype(means):
        raise DataError(f"{name}: accuracies are numbers, got {means.iloc[0]!r}. {_EXPECTED}")
    if not means.index.is_unique:
        twice = means.index[means.index.duplicated()][0]
        raise DataError(f"{name} holds cell {twice} more than once: expected one accuracy a cell.")
    wrong = means[~(means.abs() <= LARGEST)]
    if len(wrong):
        raise DataError(
            f"{name} has {wrong.iloc[0]:g} for cell {wrong.index[0]}: expected accuracies between −{LARGEST:g} and "
            f"{LARGEST:g}, which can be computed with. Correct the table."
        )
    return means


def common_cells(accuracies: Accuracies, cells: pd.Index) -> pd.Index:
    """Return the scored cells that have an accuracy.

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
    shown = ", ".join(str(cell) for cell in cells[:3])
    return f" ({shown}{', …' if len(cells) > 3 else ''})" if shown else ""
