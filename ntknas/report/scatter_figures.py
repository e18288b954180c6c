"""Scores against accuracies, cell by cell."""

from __future__ import annotations

import numpy as np

from ntknas.benchmarks.quantity import ACCURACY
from ntknas.correlation import Correlation, Row
from ntknas.report.correlation_figures import (
    NEGATIVE,
    alike_rows,
    bar_label,
    heading,
    row_label,
    subject_of,
)
from ntknas.report.figures import Array, Panel, ScatterGrid
from ntknas.report.text import Formula, joined
from ntknas.report.words import setting_of, target_in_words, with_unit

_WIDE_RANGE = 30
"""Largest over smallest value from which an axis is logarithmic."""
_BY_RANK = ", spaced by rank"
_TAIL, _LEAST = 0.1, 0.3
"""Share of the cells at either end of an axis, and of its length that the others must take, lest ranks stand on it."""


def scatter(result: Correlation, target: str) -> ScatterGrid:
    """Return score against accuracy for every measure, in the measure's own units.

    Where a few cells would squash the rest, cells are evenly spaced by rank. Rows that rank all cells alike share a
    panel.

    Args:
        result: The result.
        target: The target.

    Returns:
        The figure.
    """
    quantity = result.targets[target].quantity
    is_known = quantity != ACCURACY or result.targets[target].ceiling is not None
    words = target_in_words(target, quantity)
    groups = alike_rows(result, result.of_target(target))
    values = [_values(result, rows[0]) for rows in groups]
    scale = scale_of(max(values, key=len)) if values else "linear"
    return ScatterGrid(
        heading(result, joined(subject_of(result), " against ", words)),
        (with_unit(words, quantity) if is_known else target) + _BY_RANK * (scale == "rank"),
        [_panel(result, rows) for rows in groups],
        setting=setting_of(result),
        y_scale=scale if scale == "rank" else "linear",
    )


def scale_of(values: Array) -> str:
    """Return how values lie along an axis on which they can be told apart, a key of ``AXES``."""
    if len(values) < 2 or values.min() == values.max():
        return "linear"
    if values.min() > 0 and values.max() > _WIDE_RANGE * values.min():
        return "rank" if _is_squashed(np.log(values)) else "log"
    if values.max() < 0 and values.min() < _WIDE_RANGE * values.max():
        return "rank" if _is_squashed(np.log(-values)) else "negative log"
    return "rank" if _is_squashed(values) else "linear"


def _is_squashed(values: Array) -> bool:
    low, high = np.quantile(values, [_TAIL, 1 - _TAIL])
    return bool(high - low < _LEAST * (values.max() - values.min()))


def _values(result: Correlation, row: Row) -> Array:
    accuracies: Array = result.points[row.key]["accuracy"].to_numpy(np.float64)
    return result.targets[row.target].quantity.sign * accuracies


def _panel(result: Correlation, rows: list[Row]) -> Panel:
    row = rows[0]
    sign = 1 if row.higher_is_better else -1
    scores = sign * result.points[row.key]["score"].to_numpy(np.float64)
    scale = scale_of(scores)
    direction = Formula("better $\\rightarrow$" if sign > 0 else "$\\leftarrow$ better")
    return Panel(
        _agreement(row),
        scores,
        _values(result, row),
        joined(row_label(result, row), _BY_RANK * (scale == "rank"), "\n", direction),
        joined(*_notes(result, rows), by="\n"),
        scale,
        row.is_baseline,
    )


def _agreement(row: Row) -> str:
    tau = row.kendall
    if tau.value is None:
        return "no value"
    ends = f" [{tau.interval[0]:.2f}, {tau.interval[1]:.2f}]" if tau.interval else ""
    return joined(Formula(r"$\tau_b$"), f" = {tau.value:.2f}{ends}".replace("-", "−"))


def _notes(result: Correlation, rows: list[Row]) -> list[str]:
    """Say which other rows rank all cells alike, and how many cells these are where others have more."""
    row = rows[0]
    others = [other for other in rows[1:] if other.measure != f"{NEGATIVE}{row.measure}"]
    notes: list[str] = [joined("ranks as ", bar_label(result, others))] if others else []
    if row.n < max(rival.n for rival in result.of_target(row.target)):
        notes.append(f"{row.n} cells")
    return notes
