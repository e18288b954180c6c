"""What always stands beside a strategy: random search, structure alone, and local search with real accuracies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ntknas.search.problem import Problem
from ntknas.search.strategies.best_scored import best_scored
from ntknas.search.strategies.local_search import local_search
from ntknas.search.strategies.random_search import random_search
from ntknas.spaces import Space, Structured
from ntknas.spaces.neighbourhood import has_neighbours

RANDOM = random_search.name
BEST_SCORED = best_scored.name
LOCAL_SEARCH = local_search.name
_GUIDED, _MOVING = (BEST_SCORED, "warm-evolution"), ("evolution",)
"""Strategies where none is named."""
BUDGETS = (10, 50, 100, 200)


@dataclass(frozen=True)
class Protocol:
    """What is run and drawn.

    Attributes:
        strategies: Names of the strategies.
        structure: The count that stands for structure alone.
        beside: Names of the guided strategies that always stand beside the others.
    """

    strategies: tuple[str, ...]
    structure: str
    beside: tuple[str, ...]

    @classmethod
    def of(cls, space: Space, strategies: Sequence[str] = ()) -> Protocol:
        """Return what is run where some strategies are asked for.

        Args:
            space: The space.
            strategies: Names of strategies; without any those that the space allows of best-scored, evolution, plain
                and warm-started.

        Returns:
            They, with random search, the best by effective parameters, and local search where the space has neighbours.
        """
        moves = has_neighbours(space)
        structure = "effective_parameters" if isinstance(space, Structured) else "parameters"
        named = tuple(strategies) or ((*_GUIDED, *_MOVING) if moves else (BEST_SCORED,))
        always = (RANDOM, BEST_SCORED, *([LOCAL_SEARCH] if moves else ()))
        beside = (RANDOM, f"{BEST_SCORED} by {structure}", *([LOCAL_SEARCH] if moves else ()))
        return cls(tuple(dict.fromkeys((*always, *named))), structure, beside)

    @property
    def references(self) -> tuple[str, ...]:
        """What every strategy is tested against: random search and structure alone."""
        return self.beside[:2]


def budgets_of(problem: Problem, named: Sequence[int] = ()) -> list[int]:
    """Return the numbers of trainings to look at: those that are named, or 10, 50, 100, 200 and all.

    Args:
        problem: What is searched.
        named: The numbers.
    """
    usual = [number for number in BUDGETS if number < problem.budget]
    return sorted(set(named) or {*usual, problem.budget})
