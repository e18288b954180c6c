"""What is said of a comparison: what every strategy had found at some budgets, its regret, and the paired tests."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
import pandas as pd

from ntknas.core.errors import ChoiceError
from ntknas.search.comparison import SearchResult
from ntknas.search.curve import quartiles
from ntknas.search.paired import Test
from ntknas.search.protocol import Protocol, budgets_of
from ntknas.search.trace import SECONDS, TRAININGS


@dataclass(frozen=True)
class Standing:
    """What the searches of a strategy had found at one budget; in the quantity's own direction.

    Attributes:
        strategy: Name of the strategy.
        spent: Trainings, or seconds.
        median: Median of the reported value; ``None`` where most searches had found nothing.
        worse: The quartile on the worse side.
        better: The quartile on the better side.
        regret: What the median lacks to the best cell.
        seconds: Median of the seconds of training and scoring that were spent; ``None`` where they are not known.
    """

    strategy: str
    spent: float
    median: float | None
    worse: float | None
    better: float | None
    regret: float | None
    seconds: float | None


@dataclass(frozen=True)
class Summary:
    """A comparison in numbers.

    Attributes:
        result: The searches.
        protocol: What always stands beside.
        axis: ``trainings`` or ``seconds``.
        budgets: Where strategies are compared.
        standings: By budget and strategy.
        tests: Of every strategy against random search and structure alone, corrected for all of them at once.
    """

    result: SearchResult = field(repr=False)
    protocol: Protocol
    axis: str
    budgets: tuple[float, ...]
    standings: tuple[Standing, ...] = field(repr=False)
    tests: tuple[Test, ...] = field(repr=False)

    @classmethod
    def of(
        cls, result: SearchResult, protocol: Protocol, axis: str = TRAININGS, budgets: Sequence[float] = ()
    ) -> Summary:
        """Return the summary of a result.

        Args:
            result: The searches.
            protocol: What always stands beside.
            axis: ``trainings`` or ``seconds``.
            budgets: Where strategies are compared; 10, 50, 100, 200 and all trainings without them, or the seconds
                that random search takes for these.

        Returns:
            The summary.

        Raises:
            ChoiceError: If there are no seconds, or a budget is beyond the searches'.
        """
        at = _budgets(result, protocol, axis, budgets)
        standings = [_standing(result, name, spent, axis) for spent in at for name in result.traces]
        tests = result.against(protocol.references, at, axis=axis)
        return cls(result, protocol, axis, tuple(at), tuple(standings), tuple(tests))

    def test(self, strategy: str, reference: str, spent: float) -> Test | None:
        """Return the test of a strategy against another at a budget; ``None`` where there is none."""
        named = [test for test in self.tests if (test.first, test.second, test.spent) == (strategy, reference, spent)]
        return named[0] if named else None

    def as_json(self) -> dict[str, object]:
        """Return everything as plain data, the curves included."""
        problem, objective = self.result.problem, self.result.problem.objective
        sign = objective.quantity.sign
        axes = [TRAININGS, *([SECONDS] if objective.has_seconds else [])]
        curves = [self.result.curve(name, axis) for axis in axes for name in self.result.traces]
        return {
            "space": problem.space.name,
            "chosen_by": objective.levels[-1].name,
            "levels": [{"name": level.name, "cost": level.cost} for level in objective.levels],
            "reported": objective.reported_name,
            "quantity": asdict(objective.quantity),
            "cells": len(problem.cells),
            "best": sign * objective.best,
            "budget": problem.budget,
            "pool": problem.pool,
            "searches": self.result.seeds,
            "axis": self.axis,
            "standings": [asdict(standing) for standing in self.standings],
            "tests": [asdict(test) for test in self.tests],
            "curves": [
                {
                    "strategy": curve.name,
                    "axis": curve.axis,
                    "spent": curve.spent.tolist(),
                    "median": _plain(sign * curve.median),
                    "low": _plain(sign * curve.low),
                    "high": _plain(sign * curve.high),
                }
                for curve in curves
            ],
        }

    def frame(self) -> pd.DataFrame:
        """Return every training of every search: one row each."""
        sign = self.result.problem.objective.quantity.sign
        return pd.concat(_rows(self.result, sign), ignore_index=True)


def _rows(result: SearchResult, sign: int) -> Iterator[pd.DataFrame]:
    for name, traces in result.traces.items():
        for seed, trace in enumerate(traces):
            columns = {
                "strategy": name,
                "seed": seed,
                "step": np.arange(1, len(trace.cells) + 1),
                "cell": trace.cells,
                "trainings": trace.trainings,
                "seconds": np.nan if trace.seconds is None else trace.seconds,
                "found": sign * trace.found,
            }
            yield pd.DataFrame(columns)


def _budgets(result: SearchResult, protocol: Protocol, axis: str, named: Sequence[float]) -> list[float]:
    problem = result.problem
    result.check_axis(axis)
    if axis == SECONDS:
        usual = [float(np.nanmedian(result.seconds(protocol.references[0], k))) for k in budgets_of(problem)]
        return list(named) or [float(f"{seconds:.3g}") for seconds in usual]
    beyond = [number for number in named if number > problem.budget or number < 1]
    if beyond:
        raise ChoiceError(f"`at` are from 1 to the budget, {problem.budget} trainings, got {beyond[0]:g}.")
    return list(named) or [float(number) for number in budgets_of(problem)]


def _standing(result: SearchResult, name: str, spent: float, axis: str) -> Standing:
    objective = result.problem.objective
    low, median, high = (_number(float(value)) for value in quartiles(result.found(name, spent, axis)))
    sign = objective.quantity.sign
    worse, middle, better = (None if value is None else sign * value for value in (low, median, high))
    regret = None if median is None else objective.best - median
    if axis == SECONDS:
        seconds: float | None = spent
    else:
        known = result.seconds(name, int(spent))
        seconds = _number(float(np.nanmedian(known))) if np.isfinite(known).any() else None
    return Standing(name, spent, middle, worse, better, regret, seconds)


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _plain(values: np.ndarray) -> list[float | None]:
    return [_number(value) for value in values.tolist()]
