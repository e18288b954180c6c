"""The figures of ``ntknas correlate``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ntknas.correlation import Correlation
from ntknas.correlation.epochs import Curve
from ntknas.measures import all_measures, expand
from ntknas.report.figures import BarGroup, Bars, Line, LineGrid, LinePanel, Panel, ScatterGrid

TRAINING = expand(["training"])
SHOWN_BASELINE = "valid_accuracy"


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
    title = f"{_what(result)} against {_only_target(result)}, {cells} cells"
    return Bars(title, "Kendall τ-b, 95 % bootstrap interval", names, groups, muted)


def _what(result: Correlation) -> str:
    return "Scores while networks train" if any(row["epoch"] for row in result.rows) else "Scores at initialisation"


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


def over_epochs(result: Correlation, target: str) -> LineGrid | None:
    """Kendall's τ of every measure by epochs of training, with its interval; ``None`` if nothing was trained.

    In every panel stands what the training itself has come to, which a score after training has to beat.
    """
    found = result.curves(target, gains=False)
    trained = [curve for curve in found if curve.measure in TRAINING]
    baselines = [_line(curve, curve.measure) for curve in trained if curve.measure == SHOWN_BASELINE]
    panels = [
        LinePanel(curve.name, [_line(curve, "the measure"), *(replace(line, muted=True) for line in baselines)], 0.0)
        for curve in found
        if curve.measure not in TRAINING
    ]
    panels += [LinePanel(curve.name, [_line(curve, "the measure")], 0.0) for curve in trained]
    title = f"Scores while networks train, against {target}"
    y_label = "Kendall τ-b, 95 % interval"
    return LineGrid(title, "epochs of training", y_label, panels, "symlog") if panels else None


def _line(curve: Curve, name: str) -> Line:
    taus = [point.row["kendall"] for point in curve.points]
    y, low, high = (np.array([_number(tau[key]) for tau in taus]) for key in ("value", "low", "high"))
    return Line(name, np.array([point.epoch for point in curve.points], float), y, low, high)


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def scatter(result: Correlation, target: str) -> ScatterGrid:
    """Score against accuracy for every measure, in the measure's own units."""
    panels = [_scatter_panel(result, row) for row in result.rows if row["target"] == target]
    known = result.targets[target]["ceiling"] is not None
    return ScatterGrid(f"{_what(result)} against {target}", "accuracy (%)" if known else target, panels)


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
