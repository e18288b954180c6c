"""What searching by a score finds: the best of its first k cells, beside a random search and the optimum."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ntknas.correlation import Correlation, Row
from ntknas.correlation.retrieval import best_of
from ntknas.report.correlation_figures import alike_rows, bar_label, heading
from ntknas.report.figures import Array, Line, LineGrid, LinePanel
from ntknas.report.text import Formula, joined
from ntknas.report.words import setting_of, target_in_words, with_unit

_NUMBER = Formula("number $k$ of first cells")
_EVERY = 100
"""Up to this k every one is drawn, beyond it ``_FURTHER`` more."""
_FURTHER = 100
_SHOWN = 0.9
"""Share of the curves that begin within the frame."""
_MARGIN = 0.04
"""Share of the vertical axis that stays empty at its ends."""
OWN, OTHERS, RANDOM = "by the score", "by the other scores", "random search"


def best_of_k(result: Correlation, target: str) -> LineGrid | None:
    """Return the expected best accuracy among the k first cells of every measure, over k; ``None`` without cells.

    A panel has the curve of one measure before those of the others. Ties are in random order. A random search is the
    expectation over all cells, and the level their best accuracy. Measures that put the same cells first share a panel.

    Args:
        result: The result.
        target: The target.

    Returns:
        The figure.
    """
    groups = [rows for rows in alike_rows(result, result.of_target(target)) if rows[0].n]
    if not groups:
        return None
    y = _accuracies(result, max((rows[0] for rows in groups), key=lambda row: row.n))
    quantity = result.targets[target].quantity
    curves = [(_name(result, rows, len(y)), _line(result, rows[0])) for rows in groups]
    random = _curve(RANDOM, np.zeros(len(y)), y, quantity.sign, muted=True)
    level = quantity.sign * float(y.max())
    limits = _limits([line for _, line in curves] + [random], level)
    panels = [_panel(number, curves, random, level, limits) for number in range(len(curves))]
    words = target_in_words(target, quantity)
    title = heading(result, "The best of the first cells by score")
    label = with_unit(words, quantity)
    return LineGrid(title, _NUMBER, label, panels, "log", setting=f"Level: the best of all cells. {setting_of(result)}")


def _name(result: Correlation, rows: list[Row], most: int) -> str:
    """Return what a curve is of, with the number of its cells where others have more."""
    name = bar_label(result, rows)
    return name if rows[0].n == most else joined(name, f" ({rows[0].n} cells)")


def _panel(
    number: int, curves: list[tuple[str, Line]], random: Line, level: float, limits: tuple[float, float] | None
) -> LinePanel:
    """Return the panel of one curve, the others behind it."""
    others = [replace(line, name=OTHERS, behind=True) for place, (_, line) in enumerate(curves) if place != number]
    title, own = curves[number]
    return LinePanel(title, [*others, random, own], level, limits=limits)


def _limits(lines: list[Line], level: float) -> tuple[float, float] | None:
    """Return the ends of the vertical axis: few curves begin beyond it, which would squash the others."""
    firsts = np.array([abs(level - line.y[0]) for line in lines])
    farthest = np.quantile(firsts, _SHOWN)
    if not farthest > 0:
        return None
    far = level + farthest * np.sign(np.mean([line.y[0] for line in lines]) - level)
    margin = _MARGIN * farthest
    return float(min(far, level) - margin), float(max(far, level) + margin)


def _accuracies(result: Correlation, row: Row) -> Array:
    accuracies: Array = result.points[row.key]["accuracy"].to_numpy(np.float64)
    return accuracies


def _line(result: Correlation, row: Row) -> Line:
    scores = result.points[row.key]["score"].to_numpy(np.float64)
    sign = result.targets[row.target].quantity.sign
    return _curve(OWN, scores, _accuracies(result, row), sign, muted=False)


def _curve(name: str, x: Array, y: Array, sign: int, *, muted: bool) -> Line:
    further = np.geomspace(_EVERY, max(len(x), _EVERY), _FURTHER).astype(int)
    numbers = np.unique(np.concatenate([np.arange(1, _EVERY + 1), further, [len(x)]]))
    numbers = numbers[numbers <= len(x)]
    return Line(name, numbers.astype(np.float64), sign * best_of(x, y, numbers.tolist()), muted=muted)
