"""Estimates how long remaining work takes, from the costs of its units and the seconds that finished ones took."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field

_MIN_SPREAD = 1.5
"""Costs within this factor of one another do not tell what part of the time is fixed."""


class TimeModel:
    """Seconds of a unit by its cost: t = a + b·cost with neither below zero, fitted to units that were measured.

    Units of one cost count by their median, since a first one also loads libraries. Until costs differ, t is
    proportional to the cost.
    """

    def __init__(self) -> None:
        self._seconds_by_cost: dict[float, list[float]] = defaultdict(list)

    def __bool__(self) -> bool:
        """Whether anything was measured."""
        return bool(self._seconds_by_cost)

    def add(self, cost: float, seconds: float) -> None:
        """Learn from a unit.

        Args:
            cost: Its cost, above zero, in whatever unit.
            seconds: The time it took.
        """
        self._seconds_by_cost[cost].append(max(seconds, 1e-9))  # _fit divides by it

    def join(self, model: TimeModel) -> None:
        """Learn what another model has learned."""
        for cost, times in model._seconds_by_cost.items():
            self._seconds_by_cost[cost] += times

    def seconds(self, units: int, cost: float) -> float:
        """Estimate how long so many units take, from what they cost together."""
        fixed, rate = self._fit()
        return fixed * units + rate * cost

    def _fit(self) -> tuple[float, float]:
        """Fit by least squares of (t̂ − t) / √t, between equal relative and equal absolute errors."""
        points = [(cost, statistics.median(times)) for cost, times in self._seconds_by_cost.items()]
        if max(cost for cost, _ in points) < _MIN_SPREAD * min(cost for cost, _ in points):
            return 0.0, statistics.fmean(seconds / cost for cost, seconds in points)
        ones, costs, squares = (sum(cost**power / t for cost, t in points) for power in (0, 1, 2))
        total, moment = float(len(points)), sum(cost for cost, _ in points)
        determinant = ones * squares - costs**2
        fixed = (total * squares - costs * moment) / determinant
        rate = (ones * moment - costs * total) / determinant
        if fixed < 0:
            return 0.0, moment / squares
        return (total / ones, 0.0) if rate < 0 else (fixed, rate)


@dataclass
class Amount:
    """Units of work of one kind.

    Attributes:
        units: How many.
        cost: What they cost together.
    """

    units: int = 0
    cost: float = 0.0


@dataclass
class TimeLeft:
    """How long a run still takes.

    Attributes:
        remaining: What is not done, by kind.
        clock: Tells the seconds.
    """

    remaining: dict[Hashable, Amount]
    clock: Callable[[], float] = time.monotonic
    _models: dict[Hashable, TimeModel] = field(default_factory=lambda: defaultdict(TimeModel))
    _spent: float = 0.0
    _reported: bool = False

    def __post_init__(self) -> None:
        """Start the clock."""
        self._start = self._last = self.clock()

    @classmethod
    def of(cls, costs: Iterable[float], clock: Callable[[], float] = time.monotonic) -> TimeLeft:
        """Make it for units of one kind, done one after the other."""
        amounts = list(costs)
        return cls({"": Amount(len(amounts), sum(amounts))}, clock)

    def done(self, cost: float, kind: Hashable = "", seconds: float | None = None) -> None:
        """Count a unit that is done.

        Args:
            cost: Its cost.
            kind: Its kind, a key of ``remaining``.
            seconds: The time it took, where several are done at a time; else the time since the last one.
        """
        time_of_report = self.clock()
        duration = time_of_report - self._last if seconds is None else seconds
        self._reported |= seconds is not None
        self._last, self._spent = time_of_report, self._spent + duration
        if duration > 0:  # what failed at once says nothing
            self._models[kind].add(cost, duration)
        amount = self.remaining[kind]
        self.remaining[kind] = Amount(max(0, amount.units - 1), max(0.0, amount.cost - cost))

    def seconds(self) -> float | None:
        """Estimate the seconds that remain; ``None`` before anything is done.

        Units of a kind of which none is done take as long as others of their cost.

        Returns:
            The seconds, or ``None``.
        """
        if not self._models:
            return None
        all_kinds = TimeModel()
        for model in self._models.values():
            all_kinds.join(model)
        total = sum(
            (self._models.get(kind) or all_kinds).seconds(amount.units, amount.cost)
            for kind, amount in self.remaining.items()
            if amount.units
        )
        return total / self._parallel_units()

    def _parallel_units(self) -> float:
        """Return how many units are worked on at a time: the seconds they took per second that passed."""
        passed = self._last - self._start
        return max(1.0, self._spent / passed) if self._reported and passed > 0 else 1.0
