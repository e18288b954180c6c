"""Rank correlations of scores with trained accuracies, and all that is needed to judge them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from ntknas.benchmarks.table import AccuracyTable, Benchmark
from ntknas.core.errors import NtknasError
from ntknas.correlation import names
from ntknas.correlation.bootstrap import (
    FEWEST_RESAMPLES,
    TOP_SHARES,
    Estimate,
    draw_resamples,
    estimate,
    estimate_of_top,
    top_of,
)
from ntknas.correlation.coefficients import COEFFICIENTS, Array, kendall
from ntknas.correlation.compare import compare
from ntknas.correlation.counts import BASELINES, Counts, counts_by_setting
from ntknas.correlation.epochs import Curve, curves
from ntknas.correlation.given import as_scores
from ntknas.correlation.partial import partial_kendall
from ntknas.correlation.scored import BASELINE, Scored, scored_measures
from ntknas.correlation.seeds import BOTH, with_seeds
from ntknas.correlation.selection import best_cells
from ntknas.correlation.targets import Accuracies, as_accuracies, common_cells

INTERVAL = (
    "95 % bootstrap over cells, percentile (r: bootstrap-t, from 300 cells); beyond 20,000 cells ± 1.96 standard "
    "errors; with several seeds of shared initialisations widened by what the coefficient moves with them"
)
NO_INTERVAL = f"none: fewer than {FEWEST_RESAMPLES} resamples give no interval"


@dataclass(frozen=True)
class Correlation:
    """The answer of ``correlate``.

    Attributes:
        rows: One flat dictionary for each (measure, setting, target); see spec of ``ntknas correlate --json``.
        targets: For each target ``seed_agreement`` and ``ceiling``, or ``None`` without repeated runs, and how many of
            the scored cells have an accuracy.
        points: For each (measure, setting, target) the cells, signed scores and accuracies that were used.
        settings: What the digests in the rows stand for.
        resamples: Number of bootstrap resamples.
    """

    rows: list[dict[str, Any]]
    targets: dict[str, dict[str, Any]]
    points: dict[tuple[str, str, str], pd.DataFrame]
    settings: dict[str, Any]
    resamples: int

    def frame(self) -> pd.DataFrame:
        """Return the rows as a data frame; the coefficients' values and interval ends are columns."""
        flat = []
        for row in self.rows:
            cells = {key: value for key, value in row.items() if not isinstance(value, dict)}
            for name in COEFFICIENTS:
                cells |= {name: row[name]["value"], f"{name}_low": row[name]["low"], f"{name}_high": row[name]["high"]}
            cells["partial_given"] = " ".join(row["partial_given"])
            cells["left_out"] = " ".join(f"{status}:{count}" for status, count in row["left_out"].items())
            flat.append(cells)
        return pd.DataFrame(flat).astype({"best_cell": "Int64"})

    def comparisons(self, target: str, seed: int = 0) -> list[dict[str, Any]]:
        """Return the paired tests between all measures and baselines on the cells that all of them have.

        Args:
            target: The target.
            seed: Seed of the bootstrap.
        """
        points = {key: frame for key, frame in self.points.items() if key[2] == target and len(frame)}
        if not points:
            return []
        named = {(row["measure"], row["setting"], row["target"]): self.row_name(row) for row in self.rows}
        cells = sorted(set.intersection(*(set(frame.index) for frame in points.values())))
        scores = {named[key]: frame.loc[cells, "score"].to_numpy(float) for key, frame in points.items()}
        accuracies = next(iter(points.values())).loc[cells, "accuracy"].to_numpy(float)
        return [asdict(item) for item in compare(scores, accuracies, self.resamples, seed)]

    def curves(self, target: str, seed: int = 0, *, gains: bool = True) -> list[Curve]:
        """Return every measure over the epochs of training; none if nothing was trained.

        Args:
            target: The target.
            seed: Seed of the bootstrap of gains.
            gains: Whether to test gains.
        """
        return curves(self, target, seed, gains=gains)

    def variant(self, row: dict[str, Any]) -> str:
        """Return what tells a row's setting from the other settings of its measure; empty if it has one setting."""
        return names.variant(self.rows, self.settings, row)

    def row_name(self, row: dict[str, Any]) -> str:
        """Return the measure of a row, with its variant where it has one."""
        different = self.variant(row)
        return f"{row['measure']} · {different}" if different else str(row["measure"])

    def as_json(self) -> dict[str, Any]:
        """Return rows, targets, settings and how intervals were made, as plain data."""
        return {
            "rows": self.rows,
            "targets": self.targets,
            "settings": self.settings,
            "interval": INTERVAL if self.resamples >= FEWEST_RESAMPLES else NO_INTERVAL,
            "resamples": self.resamples,
            "curves": [curve.as_json() for target in self.targets for curve in self.curves(target)],
        }


def correlate(
    scores: pd.DataFrame | pd.Series,
    accuracies: Benchmark | pd.Series | Mapping[str, pd.Series | AccuracyTable],
    *,
    resamples: int = 1000,
    seed: int = 0,
    progress: Callable[[list[Any]], Iterable[Any]] = iter,
) -> Correlation:
    """Correlate scores with accuracies.

    Scores are signed so that higher is better, and brought from seeds to one score a cell by their measure's rule. The
    counts of parameters and FLOPs stand beside them as baselines, where the scores are a store's.

    Args:
        scores: As from ``ntknas.load_store``; or plain ones: a series by cell index, a table with cells as its index
            and one column a measure, or a table with columns ``cell`` and ``value`` (and ``measure``, ``seed``). Of a
            name that is no measure's higher is better.
        accuracies: A benchmark (validation and test at its largest budget), a series of accuracies by cell index, or
            several by name.
        resamples: Number of bootstrap resamples; fewer than 200 give no intervals.
        seed: Seed of the bootstrap and of the noise simulation.
        progress: Wraps the list of rows to compute, to show how far it is.

    Returns:
        The rows and what belongs to them.

    Raises:
        NtknasError: If there are no scores, none of them has an accuracy, or either is not of a form that is read; the
            message says what is missing.
    """
    if isinstance(scores, pd.DataFrame | pd.Series) and scores.empty:
        raise NtknasError("There are no scores to correlate: run ntknas score first.")
    table = as_scores(scores)
    counts = counts_by_setting(table)
    scored = scored_measures(table, counts)
    result = Correlation([], {}, {}, scores.attrs.get("settings", {}), resamples)
    against = as_accuracies(accuracies)
    cells = pd.Index(sorted(table["cell"].unique()), name="cell")
    for target in against:
        common = common_cells(target, cells)
        figures = {"cells_scored": len(cells), "cells_with_accuracy": len(common)}
        result.targets[target.name] = {**target.noise(common, seed), **figures}
    for target, item in progress([(target, item) for target in against for item in scored]):
        _add_row(result, item, target, counts.get(item.setting), seed)
    return result


def _add_row(result: Correlation, item: Scored, target: Accuracies, counts: Counts | None, seed: int) -> None:
    usable = item.cells[item.cells["status"] == "ok"]
    cells = usable.index.intersection(target.means.index)
    x = item.sign * usable.loc[cells, "value"].to_numpy(float)
    y = target.means.loc[cells].to_numpy(float)
    covariates = {name: counts.of(name, cells) for name in BASELINES} if counts else {}
    partial, given = (None, []) if item.recipe == BASELINE or not counts else partial_kendall(x, y, covariates)
    coefficients, covers = _with_intervals(item, cells, x, y, result.resamples, seed)
    result.rows.append(
        {
            "measure": item.measure,
            "recipe": item.recipe,
            "target": target.name,
            "setting": item.setting,
            "kernel": item.kernel,
            "epoch": item.epoch,
            "n": len(x),
            "left_out": _left_out(item.cells, target.means),
            "ties": _tied_pairs(x),
            "tied_accuracies": _tied_pairs(y),
            **coefficients,
            "interval_covers": covers,
            **best_cells(x, y, cells),
            "partial_kendall": partial,
            "partial_given": given,
            "baseline_kendall": {n: _or_none(kendall(v, y)) for n, v in covariates.items()} if len(x) > 2 else {},
            "seed_kendall": item.seed_kendall,
            "seed_variance": item.seed_variance,
            "seconds_per_cell": item.seconds,
        }
    )
    result.points[item.measure, item.setting, target.name] = pd.DataFrame({"score": x, "accuracy": y}, index=cells)


def _with_intervals(
    item: Scored, cells: pd.Index, x: Array, y: Array, resamples: int, seed: int
) -> tuple[dict[str, Any], str]:
    """Return every coefficient with its interval, and what the intervals cover."""
    drawn = draw_resamples(len(x), resamples if len(x) else 0, seed)
    found = {name: estimate(name, x, y, drawn) for name in COEFFICIENTS}
    tops = {name: estimate_of_top(x, y, share, resamples, seed) for name, share in TOP_SHARES.items()}
    without = _without_seeds(item, cells)
    if without is not None:
        found = {name: with_seeds(value, _again(name, without, y)) for name, value in found.items()}
        tops = {
            name: with_seeds(value, _again("kendall", without[:, top], y[top]))
            for name, value in tops.items()
            for top in [top_of(y, TOP_SHARES[name])]
        }
    coefficients: dict[str, Any] = {name: asdict(value) for name, value in found.items()}
    for name, value in tops.items():
        coefficients |= {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}
    return coefficients, item.covers if without is None else BOTH


def _without_seeds(item: Scored, cells: pd.Index) -> Array | None:
    """Return the signed scores over all seeds but one, seeds × cells; ``None`` where cells lack them."""
    if not len(cells) or not item.without or not all(cells.isin(frame.index).all() for frame in item.without):
        return None
    values = np.stack([frame.loc[cells, "value"].to_numpy(float) for frame in item.without])
    return item.sign * values if np.isfinite(values).all() else None


def _again(name: str, without: Array, y: Array) -> list[float]:
    return [COEFFICIENTS[name](scores, y) for scores in without]


def _left_out(cells: pd.DataFrame, means: pd.Series) -> dict[str, int]:
    reasons = cells["status"].where(cells["status"] != "ok")
    reasons = reasons.fillna(pd.Series("no accuracy", index=cells.index.difference(means.index)))
    return {str(status): int(count) for status, count in reasons.dropna().value_counts().items()}


def _tied_pairs(values: Array) -> int:
    counts = np.unique(values, return_counts=True)[1]
    return int((counts * (counts - 1) // 2).sum())


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


__all__ = ["INTERVAL", "Correlation", "Estimate", "correlate"]
