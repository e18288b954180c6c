"""Figure specifications of a comparison: what is found, and its regret, over what is spent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ntknas.report.figures import Line, LineGrid, LinePanel
from ntknas.report.text import joined
from ntknas.report.words import name_in_words, space_in_words, target_in_words, with_unit
from ntknas.search.comparison import SearchResult
from ntknas.search.protocol import Protocol
from ntknas.search.trace import TRAININGS

_LINES = 6
"""Curves in one frame beside those that stand in every one: there are as many colours."""
_WITHOUT_SCORE = "without a score"
_FIRST = 3
"""Trainings before which what is found is too far down to be drawn with the rest."""
_MARGIN = 0.04


def found_over(result: SearchResult, protocol: Protocol, axis: str = TRAININGS) -> LineGrid:
    """Return what every strategy finds over what it spends: median and quartiles over the searches.

    A frame has one strategy by each of its scores, or all strategies without one; beside them in each random search,
    structure alone and local search. The vertical axis begins where the worst median is after three trainings.

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
    limits = _limits(result, sign)
    panels = [LinePanel(title, shown, sign * objective.best, limits=limits) for title, shown in _frames(lines)]
    y_label = with_unit(_reported(result), objective.quantity)
    setting = "Lines: medians; bands: quartiles over the searches. Level: the best cell."
    return LineGrid(_title(result), _x_label(axis), y_label, panels, "log", setting=setting)


def regret_over(result: SearchResult, protocol: Protocol, axis: str = TRAININGS) -> LineGrid:
    """Return the regret of what is found, in frames as of ``found_over``; where none is left nothing is drawn."""
    objective = result.problem.objective
    lines = {name: _regret_line(result, name, axis, muted=name in protocol.beside) for name in result.traces}
    panels = [LinePanel(title, shown, y_scale="log") for title, shown in _frames(lines)]
    unit = f" ({objective.quantity.unit})" if objective.quantity.unit else ""
    y_label = f"regret{unit}: {_reported(result)}"
    setting = (
        "Lines: medians; bands: quartiles over the searches. Regret to the best cell: none is drawn where it is 0."
    )
    return LineGrid(_title(result), _x_label(axis), y_label, panels, "log", setting=setting)


def _reported(result: SearchResult) -> str:
    objective = result.problem.objective
    return target_in_words(objective.reported_name, objective.quantity)


def _found_line(result: SearchResult, name: str, axis: str, *, muted: bool) -> Line:
    curve, sign = result.curve(name, axis), result.problem.objective.quantity.sign
    return Line(name, curve.spent, sign * curve.median, sign * curve.low, sign * curve.high, muted)


def _regret_line(result: SearchResult, name: str, axis: str, *, muted: bool) -> Line:
    curve, best = result.curve(name, axis), result.problem.objective.best
    median, low, high = (best - values for values in (curve.median, curve.high, curve.low))
    return Line(name, curve.spent, np.where(median > 0, median, np.nan), low, high, muted)


def _limits(result: SearchResult, sign: int) -> tuple[float, float] | None:
    """Return the ends of the vertical axis; ``None`` where that would leave nothing."""
    early = [np.nanmedian(result.found(name, min(_FIRST, result.problem.budget))) for name in result.traces]
    known = [value for value in early if np.isfinite(value)]
    best = result.problem.objective.best
    if not known or min(known) >= best:
        return None
    margin = _MARGIN * (best - min(known))
    low, high = sorted((sign * (min(known) - margin), sign * (best + margin)))
    return float(low), float(high)


def _frames(lines: dict[str, Line]) -> Iterator[tuple[str, list[Line]]]:
    """Yield the lines by strategy, each named by its score, with those that stand beside in every frame."""
    beside = [line for line in lines.values() if line.muted]
    by_strategy: dict[str, list[Line]] = {}
    for name, line in lines.items():
        strategy, by, score = name.partition(" by ")
        if not line.muted:
            named = replace(line, name=joined("by ", name_in_words(score))) if by else line
            by_strategy.setdefault(strategy if by else _WITHOUT_SCORE, []).append(named)
    if not by_strategy:
        yield "", beside
    for strategy, own in by_strategy.items():
        for start in range(0, len(own), _LINES):
            yield strategy, [*beside, *own[start : start + _LINES]]


def _title(result: SearchResult) -> str:
    return f"What {result.seeds:,} searches of {space_in_words(result.problem.space.name)} find"


def _x_label(axis: str) -> str:
    return axis if axis == TRAININGS else "seconds of training and scoring"
