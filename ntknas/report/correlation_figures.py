"""The figures of ``ntknas correlate``."""

from __future__ import annotations

from typing import Any

import numpy as np

from ntknas.correlation import Correlation
from ntknas.measures import all_measures
from ntknas.report.figures import BarGroup, Bars, Panel, ScatterGrid


def bars(result: Correlation) -> Bars:
    """Kendall's τ of every measure with its interval; the bars of a row are targets, or kernels where one target is."""
    by_kernel = len(result.targets) == 1 and any(result.variant(row) for row in result.rows)
    name = _measure_name if by_kernel else Correlation.row_name
    names = list(dict.fromkeys(name(result, row) for row in result.rows))
    muted = frozenset(name(result, row) for row in result.rows if row["recipe"] == "baseline")
    groups = (
        _by_kernel(result, names) if by_kernel else [_by_target(result, target, names) for target in result.targets]
    )
    cells = max(row["n"] for row in result.rows)
    title = f"Scores at initialisation against {_only_target(result)}, {cells} cells"
    return Bars(title, "Kendall τ-b, 95 % bootstrap interval", names, groups, muted)


def _only_target(result: Correlation) -> str:
    return next(iter(result.targets)) if len(result.targets) == 1 else "trained accuracy"


def _measure_name(result: Correlation, row: dict[str, Any]) -> str:
    return str(row["measure"])


def _by_target(result: Correlation, target: str, names: list[str]) -> BarGroup:
    rows = {result.row_name(row): row["kendall"] for row in result.rows if row["target"] == target}
    ceiling = result.targets[target]["ceiling"]
    return _group(target, rows, names, ceiling and ceiling["kendall"]["value"])


def _by_kernel(result: Correlation, names: list[str]) -> list[BarGroup]:
    kernels = list(dict.fromkeys(result.variant(row) for row in result.rows if row["recipe"] != "baseline"))
    groups = []
    for place, kernel in enumerate(kernels):
        ours = [row for row in result.rows if row["recipe"] != "baseline" and result.variant(row) == kernel]
        ours += [row for row in result.rows if row["recipe"] == "baseline" and place == 0]
        groups.append(_group(kernel or "one kernel", {row["measure"]: row["kendall"] for row in ours}, names, None))
    return groups


def _group(name: str, rows: dict[str, Any], names: list[str], limit: float | None) -> BarGroup:
    values = {
        key: np.array([_number(rows[name][key]) if name in rows else np.nan for name in names])
        for key in ("value", "low", "high")
    }
    return BarGroup(name, values["value"], values["low"], values["high"], limit)


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def scatter(result: Correlation, target: str) -> ScatterGrid:
    """Score against accuracy for every measure, in the measure's own units."""
    panels = [_scatter_panel(result, row) for row in result.rows if row["target"] == target]
    known = result.targets[target]["ceiling"] is not None
    return ScatterGrid(f"Score at initialisation against {target}", "accuracy (%)" if known else target, panels)


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
    return Panel(result.row_name(row), values, points["accuracy"].to_numpy(), f"{better} is better", note)
