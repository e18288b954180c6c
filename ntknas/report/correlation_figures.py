"""The figures of ``ntknas correlate``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from ntknas.benchmarks.quantity import ACCURACY
from ntknas.correlation import Correlation, Curve, Estimate, Row, curves, row_name
from ntknas.correlation.names import variant
from ntknas.correlation.row import SETTING
from ntknas.measures import expand
from ntknas.report.figures import Array, BarGroup, Bars, Line, LineGrid, LinePanel, Panel, ScatterGrid

TRAINING = expand(["training"])
SHOWN_BASELINE = "valid_accuracy"
_NONE = Estimate(None)


def bars(result: Correlation) -> Bars:
    """Return Kendall's τ of every measure with its interval.

    The bars of a label are targets, or kernels where there is one target and several kernels.
    """
    stored = [row for row in result.rows if row.setting != SETTING]
    by_kernel = len(result.targets) == 1 and any(variant(result, row) for row in stored)
    name: Callable[[Correlation, Row], str] = _measure_name if by_kernel else row_name
    labels = list(dict.fromkeys(name(result, row) for row in result.rows))
    muted = frozenset(name(result, row) for row in result.rows if row.is_baseline)
    groups = (
        _by_kernel(result, labels) if by_kernel else [_by_target(result, target, labels) for target in result.targets]
    )
    title = f"{_subject(result)} against {_only_target(result)}{_population(result)}"
    shown = {label: _with_cells(result, label, name) for label in labels}
    muted = frozenset(shown[label] for label in muted)
    return Bars(title, "Kendall τ-b, 95 % bootstrap interval", list(shown.values()), groups, muted)


def _with_cells(result: Correlation, label: str, name: Callable[[Correlation, Row], str]) -> str:
    """Return a label with the number of its cells, where that is not the number in the title."""
    numbers = sorted({row.n for row in result.rows if name(result, row) == label})
    if numbers == [max(row.n for row in result.rows)]:
        return label
    return f"{label} ({numbers[0]})" if len(numbers) == 1 else f"{label} ({numbers[0]} to {numbers[-1]})"


def _subject(result: Correlation) -> str:
    return "Scores while networks train" if any(row.epoch for row in result.rows) else "Scores at initialisation"


def _population(result: Correlation) -> str:
    """Return the number of cells and their population for a title."""
    rows = result.rows
    return f", {max(row.n for row in rows)} cells, population {rows[0].population}" if rows else ""


def _only_target(result: Correlation) -> str:
    if len(result.targets) == 1:
        return next(iter(result.targets))
    are_accuracies = all(summary.quantity.is_accuracy for summary in result.targets.values())
    return "trained accuracy" if are_accuracies else f"{len(result.targets)} targets"


def _measure_name(_: Correlation, row: Row) -> str:
    return row.measure


def _by_target(result: Correlation, target: str, labels: list[str]) -> BarGroup:
    estimates = {row_name(result, row): row.kendall for row in result.of_target(target)}
    ceiling, quantity = result.targets[target].ceiling, result.targets[target].quantity
    name = target if quantity.higher_is_better else f"{target}, lower is better"
    return _group(name, estimates, labels, ceiling["kendall"].value if ceiling else None)


def _by_kernel(result: Correlation, labels: list[str]) -> list[BarGroup]:
    """Return one group for each kernel; the baselines, which have none, stand in the first."""
    baselines = [row for row in result.rows if row.is_baseline]
    kernels: dict[str, list[Row]] = {}
    for row in result.rows:
        if not row.is_baseline:
            kernels.setdefault(variant(result, row), []).append(row)
    groups = []
    for number, (kernel, rows) in enumerate(kernels.items()):
        estimates = {row.measure: row.kendall for row in (*rows, *(baselines if number == 0 else ()))}
        groups.append(_group(kernel or "one kernel", estimates, labels, None))
    return groups


def _group(name: str, estimates: Mapping[str, Estimate], labels: list[str], limit: float | None) -> BarGroup:
    bars = [estimates.get(label, _NONE) for label in labels]
    return BarGroup(name, *_values_and_ends(bars), limit)


def _values_and_ends(estimates: list[Estimate]) -> tuple[Array, Array, Array]:
    """Return coefficients and both ends of their intervals; NaN for none."""
    table = [[_or_nan(number) for number in (e.value, e.low, e.high)] for e in estimates]
    values, low, high = np.array(table, np.float64).reshape(-1, 3).T
    return values, low, high


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def over_epochs(result: Correlation, target: str) -> LineGrid | None:
    """Return Kendall's τ of every measure by epochs of training, with its interval; ``None`` if nothing was trained.

    In every panel stands what the training itself has come to, which a score after training has to beat.

    Args:
        result: The result.
        target: The target.

    Returns:
        The figure.
    """
    all_curves = curves(result, target, gains=False)
    trained = [curve for curve in all_curves if curve.measure in TRAINING]
    baselines = [_line(curve, curve.measure) for curve in trained if curve.measure == SHOWN_BASELINE]
    panels = [
        LinePanel(curve.name, [_line(curve, "the measure"), *(replace(line, muted=True) for line in baselines)], 0.0)
        for curve in all_curves
        if curve.measure not in TRAINING
    ]
    panels += [LinePanel(curve.name, [_line(curve, "the measure")], 0.0) for curve in trained]
    title = f"Scores while networks train, against {target}{_population(result)}"
    y_label = "Kendall τ-b, 95 % interval"
    return LineGrid(title, "epochs of training", y_label, panels, "symlog") if panels else None


def _line(curve: Curve, name: str) -> Line:
    epochs = np.array([point.epoch for point in curve.points], np.float64)
    return Line(name, epochs, *_values_and_ends([point.row.kendall for point in curve.points]))


def scatter(result: Correlation, target: str) -> ScatterGrid:
    """Return score against accuracy for every measure, in the measure's own units."""
    panels = [_scatter_panel(result, row) for row in result.of_target(target)]
    quantity = result.targets[target].quantity
    is_known = quantity != ACCURACY or result.targets[target].ceiling is not None
    title = f"{_subject(result)} against {target}{_population(result)}"
    return ScatterGrid(title, str(quantity) if is_known else target, panels)


def _scatter_panel(result: Correlation, row: Row) -> Panel:
    points, sign, tau = result.points[row.key], 1 if row.higher_is_better else -1, row.kendall
    note = "no value" if tau.value is None else f"τ = {tau.value:.2f}"
    if tau.interval:
        note += f" [{tau.interval[0]:.2f}, {tau.interval[1]:.2f}]"
    if row.n < max(rival.n for rival in result.of_target(row.target)):
        note += f", {row.n} cells"
    better = "higher is better" if sign > 0 else "lower is better"
    scores = sign * points["score"].to_numpy(np.float64)
    values = result.targets[row.target].quantity.sign * points["accuracy"].to_numpy(np.float64)
    return Panel(row_name(result, row), scores, values, better, note)
