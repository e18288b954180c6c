"""Rank correlations of scores with trained accuracies, and all that is needed to judge them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from ntknas.benchmarks.table import AccuracyTable, Benchmark
from ntknas.core.errors import NtknasError
from ntknas.correlation import names, noise
from ntknas.correlation.aggregate import over_seeds
from ntknas.correlation.bootstrap import Estimate, draw_resamples, estimate
from ntknas.correlation.coefficients import COEFFICIENTS, Array, kendall
from ntknas.correlation.compare import compare
from ntknas.correlation.counts import BASELINES, Counts, counts_by_setting
from ntknas.correlation.derived import tenas_rank
from ntknas.correlation.epochs import Curve, curves, epoch_of
from ntknas.correlation.partial import partial_kendall
from ntknas.correlation.selection import best_cells, seed_kendall, seed_variance, top_kendalls
from ntknas.measures import Aggregate, Measure, all_measures

INTERVAL = (
    "95 % bootstrap over cells, percentile (r: bootstrap-t, from 300 cells); beyond 20,000 cells ± 1.96 standard errors"
)


@dataclass(frozen=True)
class Correlation:
    """The answer of ``correlate``.

    Attributes:
        rows: One flat dictionary for each (measure, setting, target); see spec of ``ntknas correlate --json``.
        targets: For each target ``seed_agreement`` and ``ceiling``, or ``None`` without repeated runs.
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
            "interval": INTERVAL,
            "resamples": self.resamples,
            "curves": [curve.as_json() for target in self.targets for curve in self.curves(target)],
        }


@dataclass(frozen=True)
class _Scored:
    """One measure under one setting: a signed score a cell."""

    measure: str
    recipe: str
    setting: str
    cells: pd.DataFrame
    sign: int
    seconds: float | None
    kernel: str = ""
    seed_kendall: float | None = None
    seed_variance: float | None = None
    epoch: int = 0


def correlate(
    scores: pd.DataFrame,
    accuracies: Benchmark | pd.Series | Mapping[str, pd.Series | AccuracyTable],
    *,
    resamples: int = 1000,
    seed: int = 0,
    progress: Callable[[list[Any]], Iterable[Any]] = iter,
) -> Correlation:
    """Correlate scores with accuracies.

    Scores are signed so that higher is better, and brought from seeds to one score a cell by their measure's rule. The
    counts of parameters and FLOPs stand beside them as baselines.

    Args:
        scores: As from ``ntknas.load_store``.
        accuracies: A benchmark (validation and test at its largest budget), a series of accuracies by cell index, or
            several by name.
        resamples: Number of bootstrap resamples; 0 for no intervals.
        seed: Seed of the bootstrap and of the noise simulation.
        progress: Wraps the list of rows to compute, to show how far it is.

    Returns:
        The rows and what belongs to them.

    Raises:
        NtknasError: If there are no scores, or none of them has an accuracy.
    """
    if scores.empty:
        raise NtknasError("There are no scores to correlate: run ntknas score first.")
    counts = counts_by_setting(scores)
    scored = _with_baselines(scores, counts)
    result = Correlation([], {}, {}, scores.attrs.get("settings", {}), resamples)
    against: dict[str, pd.Series] = {}
    for target, values in _targets(accuracies).items():
        means, runs = _means_and_runs(values)
        against[target] = means
        cells = scored[0].cells.index.intersection(means.index)
        if not len(cells):
            raise NtknasError(f"None of the {len(scored[0].cells)} scored cells has an accuracy in {target}.")
        result.targets[target] = _noise(runs, cells, seed)
    for target, item in progress([(target, item) for target in against for item in scored]):
        _add_row(result, item, target, against[target], counts[item.setting], seed)
    return result


def _targets(accuracies: Any) -> dict[str, pd.Series | AccuracyTable]:
    if isinstance(accuracies, Benchmark):
        targets = accuracies.main_targets(*filter(None, [accuracies.dataset]))
        return {str(target): accuracies.table(target) for target in targets}
    if isinstance(accuracies, pd.Series):
        return {str(accuracies.name or "accuracies"): accuracies}
    return dict(accuracies)


def _means_and_runs(values: pd.Series | AccuracyTable) -> tuple[pd.Series, pd.DataFrame | None]:
    if isinstance(values, AccuracyTable):
        return pd.Series(values.mean).dropna(), pd.DataFrame(values.runs)
    return values.dropna(), None


def _noise(runs: pd.DataFrame | None, cells: pd.Index, seed: int) -> dict[str, Any]:
    if runs is None:
        return {"seed_agreement": None, "seed_agreement_interval": None, "ceiling": None}
    values = runs.loc[cells].to_numpy(float)
    limits = noise.ceiling(values, seed)
    return {
        "seed_agreement": noise.seed_agreement(values),
        "seed_agreement_interval": noise.seed_agreement_interval(values, seed),
        "ceiling": limits and {name: asdict(limit) for name, limit in limits.items()},
    }


def _with_baselines(scores: pd.DataFrame, counts: Mapping[str, Counts]) -> list[_Scored]:
    """All measures by setting, then the counts on every cell that any measure has a value for."""
    known = all_measures()
    order = {name: place for place, name in enumerate(known)}
    kernels = names.kernel_names(scores)
    groups = scores.groupby(["setting", "measure"], sort=False, observed=True)
    scored = [_score(str(name), known.get(str(name)), kernels, rows) for (_, name), rows in groups]
    scored += _rank_sums(scored)
    scored.sort(key=lambda item: order.get(item.measure, len(order)))
    setting = scored[0].setting
    cells = sorted(set().union(*(item.cells.index[item.cells["status"] == "ok"] for item in scored)))
    return scored + [_baseline(name, setting, cells, counts[setting].of(name, cells)) for name in BASELINES]


def _score(name: str, measure: Measure | None, kernels: dict[str, str], rows: pd.DataFrame) -> _Scored:
    """Bring the rows of one measure under one setting to one score a cell."""
    rule = measure.aggregate if measure else Aggregate.MEAN
    setting = str(rows["setting"].iloc[0])
    computed = rows[rows["status"] != "disconnected"]
    return _Scored(
        name,
        str(rows["recipe"].iloc[0]),
        setting,
        over_seeds(rows, rule),
        measure.sign if measure else 1,
        float(computed["seconds"].median() * rows.groupby("cell").size().mean()) if len(computed) else None,
        kernels[setting],
        seed_kendall(rows),
        seed_variance(rows, rule),
        epoch_of(rows.iloc[0]),
    )


def _rank_sums(scored: list[_Scored]) -> list[_Scored]:
    """The rank sum of TE-NAS for every recipe that took both of its measures, by epoch."""
    found = []
    for cond in scored:
        key = (cond.recipe, cond.epoch)
        partners = [item for item in scored if item.measure == "linear_regions" and (item.recipe, item.epoch) == key]
        if cond.measure == "cond" and partners:
            cells = tenas_rank(cond.cells, partners[0].cells)
            seconds = (cond.seconds or 0.0) + (partners[0].seconds or 0.0)
            found.append(
                _Scored("tenas_rank", cond.recipe, cond.setting, cells, 1, seconds, cond.kernel, epoch=cond.epoch)
            )
    return found


def _baseline(name: str, setting: str, cells: list[int], counts: Array) -> _Scored:
    frame = pd.DataFrame({"value": counts, "status": "ok"}, index=pd.Index(cells, name="cell"))
    return _Scored(name, "baseline", setting, frame, 1, 0.0)


def _add_row(result: Correlation, item: _Scored, target: str, means: pd.Series, counts: Counts, seed: int) -> None:
    usable = item.cells[item.cells["status"] == "ok"]
    cells = usable.index.intersection(means.index)
    x = item.sign * usable.loc[cells, "value"].to_numpy(float)
    y = means.loc[cells].to_numpy(float)
    covariates = {name: counts.of(name, cells) for name in BASELINES}
    drawn = draw_resamples(len(x), result.resamples if len(x) else 0, seed)
    partial, given = (None, []) if item.recipe == "baseline" else partial_kendall(x, y, covariates)
    row = {
        "measure": item.measure,
        "recipe": item.recipe,
        "target": target,
        "setting": item.setting,
        "kernel": item.kernel,
        "epoch": item.epoch,
        "n": len(x),
        "left_out": _left_out(item.cells, means),
        "ties": _tied_pairs(x),
        "tied_accuracies": _tied_pairs(y),
        **{name: asdict(estimate(name, x, y, drawn)) for name in COEFFICIENTS},
        **top_kendalls(x, y, result.resamples, seed),
        **best_cells(x, y, cells),
        "partial_kendall": partial,
        "partial_given": given,
        "baseline_kendall": {name: _or_none(kendall(v, y)) for name, v in covariates.items()} if len(x) > 2 else {},
        "seed_kendall": item.seed_kendall,
        "seed_variance": item.seed_variance,
        "seconds_per_cell": item.seconds,
    }
    result.rows.append(row)
    result.points[item.measure, item.setting, target] = pd.DataFrame({"score": x, "accuracy": y}, index=cells)


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
