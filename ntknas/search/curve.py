"""What a strategy finds over what it spends: median and quartiles over its searches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ntknas.search.objective import Array
from ntknas.search.trace import Trace

_POINTS = 200


@dataclass(frozen=True)
class Curve:
    """Reported values over trainings or seconds.

    Attributes:
        name: Name of the strategy.
        axis: ``trainings`` or ``seconds``.
        spent: What was spent.
        median: Median over the searches; NaN where most have not ended a training.
        low: Lower quartile.
        high: Upper quartile.
    """

    name: str
    axis: str
    spent: Array = field(repr=False)
    median: Array = field(repr=False)
    low: Array = field(repr=False)
    high: Array = field(repr=False)


def curve_of(name: str, traces: Sequence[Trace], budget: int, axis: str) -> Curve:
    """Return the curve of some searches.

    Args:
        name: Name of the strategy.
        traces: The searches.
        budget: Trainings that each could spend.
        axis: ``trainings``, each of them a point, or ``seconds``, 200 points from the first training's end to the last.

    Returns:
        The curve.
    """
    if axis == "trainings":
        spent = np.arange(1, budget + 1, dtype=np.float64)
    else:
        ends = [trace.seconds for trace in traces if trace.seconds is not None and len(trace.seconds)]
        first, last = min(float(end[0]) for end in ends), max(float(end[-1]) for end in ends)
        spent = np.geomspace(max(first, 1e-9), last, _POINTS)
    found = np.stack([trace.after(spent, axis) for trace in traces])
    low, median, high = quartiles(found)
    return Curve(name, axis, spent, median, low, high)


def quartiles(found: Array) -> tuple[Array, Array, Array]:
    """Return lower quartile, median and upper quartile over searches, each a value that a search has; NaN for nothing.

    Args:
        found: What each search had found, searches first; NaN for nothing, which counts as the worst.
    """
    values = np.quantile(np.where(np.isnan(found), -np.inf, found), (0.25, 0.5, 0.75), axis=0, method="lower")
    low, median, high = (np.where(np.isinf(each), np.nan, each) for each in values)
    return low, median, high
