"""Strategies on one problem, seed by seed with the same random numbers, and how they compare."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ntknas.core.errors import ChoiceError, check_known
from ntknas.core.shown import Shown, counted, in_digits, listed
from ntknas.search.checks import check_score, check_strategy
from ntknas.search.curve import Curve, curve_of
from ntknas.search.objective import Array
from ntknas.search.paired import Test, against, paired_tests
from ntknas.search.problem import Problem, Search
from ntknas.search.registry import get_strategy
from ntknas.search.score import Score
from ntknas.search.strategy import Strategy
from ntknas.search.trace import SECONDS, TRAININGS, Trace, follow

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from matplotlib.figure import Figure

COMPUTING_SEEDS = 3
"""Searches of a strategy that computes kernels itself, which takes minutes: enough to see what it finds and costs."""

Meter = Callable[[list[tuple["Guided", int]]], Iterable[tuple["Guided", int]]]
"""Shows how far a list is that is gone through."""


AXES = (TRAININGS, SECONDS)


@dataclass(frozen=True)
class Guided:
    """A strategy, and the score that guides it if it takes one.

    Attributes:
        strategy: The strategy.
        score: The score.
    """

    strategy: Strategy
    score: Score | None = None

    @property
    def name(self) -> str:
        """Its name, with the score's."""
        return self.strategy.name if self.score is None else f"{self.strategy.name} by {self.score.name}"


@dataclass(frozen=True, repr=False)
class SearchResult(Shown):
    """What strategies found on one problem.

    Attributes:
        problem: The problem.
        seeds: Number of searches of each, but of strategies that compute kernels themselves.
        traces: The searches of each strategy by its name, seed by seed.
    """

    problem: Problem
    seeds: int
    traces: Mapping[str, Sequence[Trace]] = field(repr=False)

    def curve(self, name: str, axis: str = TRAININGS) -> Curve:
        """Return what a strategy had found over trainings or seconds: median and quartiles over its searches.

        Args:
            name: Name of the strategy.
            axis: ``trainings`` or ``seconds``.

        Returns:
            The curve.

        Raises:
            ChoiceError: If trainings have no seconds.
        """
        self.check_axis(axis)
        return curve_of(name, self.traces[name], self.problem.budget, axis)

    def check_axis(self, axis: str) -> None:
        """Check that what is spent can be counted so.

        Args:
            axis: ``trainings`` or ``seconds``.

        Raises:
            ChoiceError: If it is neither, or trainings have no seconds.
        """
        check_known("`axis`", axis, AXES)
        if axis == SECONDS and not self.problem.objective.has_seconds:
            raise ChoiceError(
                f"{self.problem.objective.levels[-1].name} has no training seconds: choose `axis` {TRAININGS}."
            )

    def found(self, name: str, spent: float, axis: str = TRAININGS) -> Array:
        """Return the reported value that each search of a strategy had found when so much was spent.

        Args:
            name: Name of the strategy.
            spent: Trainings, or seconds.
            axis: ``trainings`` or ``seconds``.

        Returns:
            The values, seed by seed, signed so that higher is better; NaN for a search that had found nothing.

        Raises:
            ChoiceError: If trainings have no seconds.
        """
        self.check_axis(axis)
        return np.array([float(trace.after(np.array([spent]), axis)[0]) for trace in self.traces[name]])

    def seconds(self, name: str, trainings: int) -> Array:
        """Return the seconds of training and scoring that each search of a strategy took for some trainings.

        Args:
            name: Name of the strategy.
            trainings: Number of trainings.

        Returns:
            The seconds, seed by seed; NaN for a search that has no training, or where they are not known.
        """
        return np.array([_seconds_of(trace, trainings) for trace in self.traces[name]])

    def tests(self, budget: float, seed: int = 0, axis: str = TRAININGS) -> list[Test]:
        """Return the paired tests between all strategies when so much was spent.

        Args:
            budget: Trainings, or seconds.
            seed: Seed of the tests.
            axis: ``trainings`` or ``seconds``.

        Returns:
            The tests, the smallest p-value first.
        """
        return paired_tests({name: self._of_all_seeds(name, budget, axis) for name in self.traces}, seed)

    def against(
        self, references: Sequence[str], budgets: Sequence[float], seed: int = 0, axis: str = TRAININGS
    ) -> list[Test]:
        """Return the paired tests of all strategies against some of them, corrected for all of them at once.

        Args:
            references: Names of the strategies to test against.
            budgets: Trainings, or seconds.
            seed: Seed of the tests.
            axis: ``trainings`` or ``seconds``.

        Returns:
            The tests, by budget and strategy.
        """
        found = {budget: {name: self._of_all_seeds(name, budget, axis) for name in self.traces} for budget in budgets}
        return against([name for name in references if name in self.traces], found, seed)

    def _of_all_seeds(self, name: str, spent: float, axis: str) -> Array:
        """Return what was found by every seed; NaN for those that a strategy did not search with."""
        found = self.found(name, spent, axis)
        return np.concatenate([found, np.full(self.seeds - len(found), np.nan)])

    def plot(self, axis: str = TRAININGS, style: str = "screen") -> Figure:
        """Draw what every strategy finds over what it spends; see ``ntknas.figures.search``.

        Returns:
            The figure.

        Raises:
            ChoiceError: If trainings have no seconds.
        """
        from ntknas import figures  # which know results

        return figures.search(self, axis, style)

    def _line(self) -> str:
        what = f"{self.problem.space.name}, {counted(self.problem.budget, 'training')}"
        return f"{what}, {counted(self.seeds, 'search', 'searches')} each of {listed(self.traces)}"

    def _parts(self) -> list[Element]:
        from ntknas.core import html

        sign, budget = self.problem.objective.quantity.sign, float(self.problem.budget)
        found = {name: sign * self.found(name, budget) for name in self.traces}
        rows = [(name, len(values), in_digits(float(np.nanmedian(values)))) for name, values in found.items()]
        head = ("strategy", "searches", f"median of {self.problem.objective.reported_name} found")
        return [html.table(head, rows)]


def search(
    problem: Problem,
    strategies: Sequence[str | Strategy],
    scores: Sequence[Score] = (),
    *,
    seeds: int = 200,
    progress: Meter = iter,
) -> SearchResult:
    """Search with every strategy, those that take a score with each of the scores.

    Args:
        problem: The problem.
        strategies: Strategies, or their names.
        scores: The scores.
        seeds: Number of searches of each: the seeds from 0 on; of strategies that compute kernels themselves three at
            most.
        progress: Wraps the list of searches, to show how far it is.

    Returns:
        What they found.

    Raises:
        ChoiceError: If a strategy needs what the space, the benchmark or ``scores`` do not have, or most cells lack a
            score.
    """
    if seeds < 1:
        raise ChoiceError(f"`seeds` must be 1 or more, got {seeds}.")
    for score in scores:
        check_score(score, problem, seeds)
    known = [get_strategy(one) if isinstance(one, str) else one for one in dict.fromkeys(strategies)]
    guided = list(_guided(known, problem, scores))
    traces: dict[str, list[Trace]] = {one.name: [] for one in guided}
    runs = [(each, seed) for each in guided for seed in range(_searches(each.strategy, seeds))]
    for one, seed in progress(runs):
        traces[one.name].append(follow(one.strategy, Search(problem, seed, one.score)))
    return SearchResult(problem, seeds, traces)


def _searches(strategy: Strategy, seeds: int) -> int:
    return min(seeds, COMPUTING_SEEDS) if strategy.computes else seeds


def _guided(strategies: Iterable[Strategy], problem: Problem, scores: Sequence[Score]) -> Iterable[Guided]:
    for strategy in strategies:
        check_strategy(strategy, problem, has_score=bool(scores))
        if strategy.takes_score:
            yield from (Guided(strategy, score) for score in scores)
        else:
            yield Guided(strategy)


def _seconds_of(trace: Trace, trainings: int) -> float:
    if trace.seconds is None:
        return np.nan
    ends = trace.seconds[trace.trainings <= trainings + 1e-9]
    return float(ends[-1]) if len(ends) else np.nan
