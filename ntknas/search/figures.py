"""Figure specifications of a comparison: what is found, and its regret, over what is spent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ntknas.report.figures import Line, LineGrid, LinePanel
from ntknas.search.comparison import SearchResult
from ntknas.search.protocol import Protocol
from ntknas.search.trace import TRAININGS

_LINES = 6
"""Curves in one frame beside those that stand in every one: there are as many colours."""


def found_over(result: SearchResult, protocol: Protocol, axis: str = TRAININGS) -> LineGrid:
    """Return what every strategy finds over what it spends: median and quartiles over the searches.

    Args:
        result: The searches.
        protocol: What stands beside, in every frame.
        axis: ``trainings`` or ``seconds``.

    Returns:
        The figure; its level is the best cell.

    Raises:
        ChoiceError: If trainings have no seconds.
    """
    objective = result.problem.objective
    sign = objective.quantity.sign
    lines = {name: _found_line(result, name, axis, muted=name in protocol.beside) for name in result.traces}
    panels = [LinePanel(title, of, sign * objective.best) for title, of in _frames(lines)]
    y_label = f"{objective.quantity.name}\n{objective.reported_name}"
    return LineGrid(f"{_title(result)}; level: the best cell", _x_label(axis), y_label, panels, "log")


def regret_over(result: SearchResult, protocol: Protocol, axis: str = TRAININGS) -> LineGrid:
    """Return the regret of what is found, as ``found_over`` does; it is not drawn where nothing is left of it."""
    objective = result.problem.objective
    lines = {name: _regret_line(result, name, axis, muted=name in protocol.beside) for name in result.traces}
    panels = [LinePanel(title, of, y_scale="log") for title, of in _frames(lines)]
    y_label = f"regret ({objective.quantity.unit or objective.quantity.name})\n{objective.reported_name}"
    return LineGrid(f"{_title(result)}; what is lacking to the best cell", _x_label(axis), y_label, panels, "log")


def _found_line(result: SearchResult, name: str, axis: str, *, muted: bool) -> Line:
    curve, sign = result.curve(name, axis), result.problem.objective.quantity.sign
    return Line(name, curve.spent, sign * curve.median, sign * curve.low, sign * curve.high, muted)


def _regret_line(result: SearchResult, name: str, axis: str, *, muted: bool) -> Line:
    curve, best = result.curve(name, axis), result.problem.objective.best
    median, low, high = (best - values for values in (curve.median, curve.high, curve.low))
    return Line(name, curve.spent, np.where(median > 0, median, np.nan), low, high, muted)


def _frames(lines: dict[str, Line]) -> list[tuple[str, list[Line]]]:
    """Return the lines in frames of as many as there are colours, those that stand beside in each."""
    beside = [line for line in lines.values() if line.muted]
    others = [line for line in lines.values() if not line.muted]
    frames = [others[start : start + _LINES] for start in range(0, len(others), _LINES)] or [[]]
    return [(_heading(of, frames), [*beside, *of]) for of in frames]


def _heading(lines: Sequence[Line], frames: Sequence[Sequence[Line]]) -> str:
    """Say which curves a frame has, where their colours come again in another."""
    return "" if len(frames) < 2 else f"{lines[0].name} to {lines[-1].name}"


def _title(result: SearchResult) -> str:
    return f"Median and quartiles of {result.seeds:,} searches of {result.problem.space.name}"


def _x_label(axis: str) -> str:
    return axis if axis == TRAININGS else "seconds of training and scoring"
