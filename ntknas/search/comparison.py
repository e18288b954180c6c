"""Strategies on one problem, seed by seed with the same random numbers, and how they compare."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from ntknas.core.errors import ChoiceError
from ntknas.search.curve import Curve, curve_of
from ntknas.search.objective import Array
from ntknas.search.paired import Test, paired_tests
from ntknas.search.problem import Problem, Search
from ntknas.search.registry import get_strategy
from ntknas.search.score import Score
from ntknas.search.strategy import Strategy
from ntknas.search.trace import Trace, follow
from ntknas.spaces.neighbourhood import Positional, has_neighbours

Meter = Callable[[list[tuple["Guided", int]]], Iterable[tuple["Guided", int]]]
"""Shows how far a list is that is gone through."""


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


@dataclass(frozen=True)
class SearchResult:
    """What strategies found on one problem.

    Attributes:
        problem: The problem.
        seeds: Number of searches of each.
        traces: The searches of each strategy by its name, seed by seed.
    """

    problem: Problem
    seeds: int
    traces: Mapping[str, Sequence[Trace]] = field(repr=False)

    def curve(self, name: str, axis: str = "trainings") -> Curve:
        """Return what a strategy had found over trainings or seconds: median and quartiles over its searches.

        Args:
            name: Name of the strategy.
            axis: ``trainings`` or ``seconds``.

        Returns:
            The curve.

        Raises:
            ChoiceError: If trainings have no seconds.
        """
        if axis == "seconds" and not self.problem.objective.has_seconds:
            raise ChoiceError(
                f"{self.problem.objective.levels[-1].name} has no training seconds: expected `axis` trainings."
            )
        return curve_of(name, self.traces[name], self.problem.budget, axis)

    def found(self, name: str, budget: int) -> Array:
        """Return the reported value that each search of a strategy had found after some trainings.

        Args:
            name: Name of the strategy.
            budget: Number of trainings.
        """
        return np.array([float(trace.after(np.array([budget]))[0]) for trace in self.traces[name]])

    def tests(self, budget: int, seed: int = 0) -> list[Test]:
        """Return the paired tests between all strategies after some trainings.

        Args:
            budget: Number of trainings.
            seed: Seed of the tests.

        Returns:
            The tests, the smallest p-value first.
        """
        return paired_tests({name: self.found(name, budget) for name in self.traces}, seed)


def search(
    problem: Problem,
    strategies: Sequence[str],
    scores: Sequence[Score] = (),
    *,
    seeds: int = 200,
    progress: Meter = iter,
) -> SearchResult:
    """Search with every strategy, those that take a score with each of the scores.

    Args:
        problem: The problem.
        strategies: Names of strategies.
        scores: The scores.
        seeds: Number of searches of each: the seeds from 0 on.
        progress: Wraps the list of searches, to show how far it is.

    Returns:
        What they found.

    Raises:
        ChoiceError: If a strategy needs what the space, the benchmark or ``scores`` do not have.
    """
    if seeds < 1:
        raise ChoiceError(f"`seeds` must be 1 or more, got {seeds}.")
    guided = list(_guided([get_strategy(name) for name in dict.fromkeys(strategies)], problem, scores))
    traces: dict[str, list[Trace]] = {one.name: [] for one in guided}
    for one, seed in progress([(one, seed) for one, seed in product(guided, range(seeds))]):
        traces[one.name].append(follow(one.strategy, Search(problem, seed, one.score)))
    return SearchResult(problem, seeds, traces)


def _guided(strategies: Iterable[Strategy], problem: Problem, scores: Sequence[Score]) -> Iterable[Guided]:
    for strategy in strategies:
        _check(strategy, problem, scores)
        if strategy.takes_score:
            yield from (Guided(strategy, score) for score in scores)
        else:
            yield Guided(strategy)


def _check(strategy: Strategy, problem: Problem, scores: Sequence[Score]) -> None:
    space = problem.space
    if strategy.takes_score and not scores:
        raise ChoiceError(f"The strategy {strategy.name} is guided by a score: name one with `score`.")
    if strategy.needs_neighbours and not has_neighbours(space):
        raise ChoiceError(
            f"The strategy {strategy.name} moves to neighbours, and {space.name} does not say which cells those are."
        )
    if strategy.needs_positions and not isinstance(space, Positional):
        raise ChoiceError(
            f"The strategy {strategy.name} chooses position by position, and cells of {space.name} are no such choices."
        )
    if strategy.needs_levels and len(problem.objective.levels) < 2:
        raise ChoiceError(
            f"The strategy {strategy.name} trains for few epochs first, and the benchmark has one budget alone: "
            f"{problem.objective.levels[-1].name}."
        )
