"""The figures of ``ntknas correlate``."""

from __future__ import annotations

from typing import Any

import numpy as np

from ntknas.correlation import Correlation
from ntknas.measures import all_measures
from ntknas.report.figures import BarGroup, Bars, Panel, ScatterGrid


def bars(result: Correlation) -> Bars:
    """Kendall's τ of every measure with its interval, one bar a target, the noise ceilings as lines."""
    names = list(dict.fromkeys(row_name(result, row) for row in result.rows))
    baselines = frozenset(row_name(result, row) for row in result.rows if row["recipe"] == "baseline")
    groups = [_group(result, target, names) for target in result.targets]
    cells = max(row["n"] for row in result.rows)
    title = f"Rank correlation of scores at initialisation with trained accuracy, {cells} cells"
    return Bars(title, "Kendall τ-b, 95 % bootstrap interval", names, groups, baselines)


def row_name(result: Correlation, row: dict[str, Any]) -> str:
    """Name of a row: the measure, with its kernel where the result has several kernels for it."""
    settings = {other["setting"] for other in result.rows if other["measure"] == row["measure"]}
    return row["measure"] if len(settings) == 1 else f"{row['measure']} · {kernel_name(result, row)}"


def kernel_name(result: Correlation, row: dict[str, Any]) -> str:
    """Short name of a row's kernel: output/batch norm/parameters, empty for baselines."""
    fields = result.settings.get(row["setting"])
    if row["recipe"] == "baseline" or not fields:
        return ""
    parts = [fields["output"], fields["batch_norm"], fields["parameters"]]
    parts += [fields["normalisation"]] * (fields["normalisation"] != "none")
    return "/".join(part if isinstance(part, str) else f"{len(part)} named" for part in parts)


def _group(result: Correlation, target: str, names: list[str]) -> BarGroup:
    rows = {row_name(result, row): row["kendall"] for row in result.rows if row["target"] == target}
    values = {key: np.array([_number(rows[name][key]) for name in names]) for key in ("value", "low", "high")}
    ceiling = result.targets[target]["ceiling"]
    return BarGroup(target, values["value"], values["low"], values["high"], ceiling and ceiling["kendall"]["value"])


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def scatter(result: Correlation, target: str) -> ScatterGrid:
    """Score against accuracy for every measure, in the measure's own units."""
    panels = [_scatter_panel(result, row) for row in result.rows if row["target"] == target]
    return ScatterGrid(f"Score at initialisation against {target}", "accuracy (%)", panels)


def _scatter_panel(result: Correlation, row: dict[str, Any]) -> Panel:
    measure = all_measures().get(row["measure"])
    points = result.points[row["measure"], row["setting"], row["target"]]
    better = "higher" if measure is None or measure.higher_is_better else "lower"
    sign = 1 if measure is None else measure.sign
    tau = row["kendall"]
    note = "no value" if tau["value"] is None else f"τ = {tau['value']:.2f}"
    if tau["low"] is not None:
        note += f" [{tau['low']:.2f}, {tau['high']:.2f}]"
    values = sign * points["score"].to_numpy()
    return Panel(row_name(result, row), values, points["accuracy"].to_numpy(), f"{better} is better", note)
