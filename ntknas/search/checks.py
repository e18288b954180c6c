"""Whether a strategy and its scores have what they need."""

from __future__ import annotations

from ntknas.core.errors import ChoiceError
from ntknas.core.extras import require
from ntknas.search.problem import Problem, cells_of_pools
from ntknas.search.score import KnownScore, Score
from ntknas.search.strategy import Strategy
from ntknas.spaces.neighbourhood import Positional, has_neighbours
from ntknas.spaces.supernets import Supernetted


def check_strategy(strategy: Strategy, problem: Problem, *, has_score: bool) -> None:
    """Check that a strategy has what it needs.

    Args:
        strategy: The strategy.
        problem: What is searched.
        has_score: Whether there is a score to guide it.

    Raises:
        ChoiceError: If it needs what the space or the benchmark do not have, or a score.
        NtknasError: If it needs a package that is not installed.
    """
    space = problem.space
    if strategy.requires is not None:
        require(*strategy.requires)
    if strategy.takes_score and not has_score:
        raise ChoiceError(f"The strategy {strategy.name} is guided by a score: name one with `score`.")
    if strategy.needs_neighbours and not has_neighbours(space):
        raise ChoiceError(
            f"The strategy {strategy.name} moves to neighbours, and {space.name} does not say which cells those are."
        )
    if strategy.needs_positions and not isinstance(space, Positional):
        raise ChoiceError(
            f"The strategy {strategy.name} chooses position by position, and cells of {space.name} are no such choices."
        )
    if strategy.needs_supernet and not isinstance(space, Supernetted):
        raise ChoiceError(f"The strategy {strategy.name} prunes a supernet, and {space.name} has none: take nb201.")
    if strategy.needs_levels and len(problem.objective.levels) < 2:
        raise ChoiceError(
            f"The strategy {strategy.name} trains for few epochs first, and the benchmark has one budget alone: "
            f"{problem.objective.levels[-1].name}."
        )


def check_score(score: Score, problem: Problem, seeds: int) -> None:
    """Check that enough of the cells that a search may score have a score that is known before it.

    Args:
        score: The score.
        problem: What is searched.
        seeds: Number of searches.

    Raises:
        ChoiceError: If most lack it: a search would choose among those that happen to have one.
    """
    if not isinstance(score, KnownScore):
        return
    cells = cells_of_pools(problem, seeds)
    number = score.has(cells)
    if 2 * number < len(cells):
        raise ChoiceError(
            f"Most cells lack {score.name}: {number:,} of the {len(cells):,} {_which(problem)} have it. Score the "
            "others with ntknas score, search among those that have it (`scored_only`), or score the pools of the "
            "searches (`compute`)."
        )


def remarks_on(score: Score, problem: Problem, seeds: int) -> list[str]:
    """Return what is to be said of a score: how many cells lack it, which counts as the worst.

    Args:
        score: The score.
        problem: What is searched.
        seeds: Number of searches.

    Returns:
        A sentence, or none.
    """
    cells = cells_of_pools(problem, seeds)
    lacking = len(cells) - score.has(cells) if isinstance(score, KnownScore) else 0
    if not lacking:
        return []
    return [f"{lacking:,} of the {len(cells):,} {_which(problem)} have no {score.name}, which counts as the worst."]


def _which(problem: Problem) -> str:
    return "cells that can be trained" if problem.pool is None else "cells in the pools of the searches"
