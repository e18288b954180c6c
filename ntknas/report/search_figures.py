"""What searching by a score finds: the best of its first k cells, beside a random search and the optimum."""

from __future__ import annotations

import numpy as np

from ntknas.correlation import Correlation, Row, row_name
from ntknas.correlation.retrieval import best_of
from ntknas.report.figures import Array, Line, LineGrid, LinePanel

_LINES = 6
"""Curves in one frame, which has as many colours."""
_EVERY = 100
"""Up to this k every one is drawn, beyond it ``_FURTHER`` more."""
_FURTHER = 100
RANDOM = "random search"


def best_of_k(result: Correlation, target: str) -> LineGrid | None:
    """Return the expected best accuracy among the k first cells of every measure, over k; ``None`` without cells.

    Ties are in random order. A random search is the expectation over all cells, and the level their best accuracy. A
    count that puts the same cells first as an earlier row does is left out.

    Args:
        result: The result.
        target: The target.

    Returns:
        The figure.
    """
    rows = [row for row in result.of_target(target) if row.n]
    if not rows:
        return None
    y = _accuracies(result, max(rows, key=lambda row: row.n))
    quantity = result.targets[target].quantity
    lines = _different([(row, _line(result, row, len(y))) for row in rows])
    random = _curve(RANDOM, np.zeros(len(y)), y, quantity.sign, muted=True)
    chunks = [lines[start : start + _LINES] for start in range(0, len(lines), _LINES)]
    panels = [LinePanel(_title(chunk, chunks), [*chunk, random], quantity.sign * float(y.max())) for chunk in chunks]
    title = f"Best of the k best-scored cells; level: the best of all {len(y):,}, population {rows[0].population}"
    what = quantity.name if quantity.is_accuracy else str(quantity)
    return LineGrid(title, "k", f"{what}\n{target}", panels, "log")


def _title(lines: list[Line], frames: list[list[Line]]) -> str:
    """Say which curves a frame has, where their colours come again in another."""
    if len(frames) < 2:
        return ""
    return lines[0].name if len(lines) == 1 else f"{lines[0].name} to {lines[-1].name}"


def _accuracies(result: Correlation, row: Row) -> Array:
    accuracies: Array = result.points[row.key]["accuracy"].to_numpy(np.float64)
    return accuracies


def _line(result: Correlation, row: Row, most: int) -> Line:
    """Return a measure's curve, its name with the number of its cells where others have more."""
    name = row_name(result, row) if row.n == most else f"{row_name(result, row)} ({row.n})"
    scores = result.points[row.key]["score"].to_numpy(np.float64)
    sign = result.targets[row.target].quantity.sign
    return _curve(name, scores, _accuracies(result, row), sign, muted=False)


def _curve(name: str, x: Array, y: Array, sign: int, *, muted: bool) -> Line:
    further = np.geomspace(_EVERY, max(len(x), _EVERY), _FURTHER).astype(int)
    numbers = np.unique(np.concatenate([np.arange(1, _EVERY + 1), further, [len(x)]]))
    numbers = numbers[numbers <= len(x)]
    return Line(name, numbers.astype(np.float64), sign * best_of(x, y, numbers.tolist()), muted=muted)


def _different(lines: list[tuple[Row, Line]]) -> list[Line]:
    """Leave out the counts whose curve is an earlier one."""
    kept: list[Line] = []
    for row, line in lines:
        if not (row.is_baseline and any(np.array_equal(line.y, earlier.y) for earlier in kept)):
            kept.append(line)
    return kept
