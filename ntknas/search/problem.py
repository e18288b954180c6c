"""A search problem, and one search of it: the random numbers that all strategies share, trainings and scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ntknas.core.errors import ChoiceError
from ntknas.core.shown import Shown, counted
from ntknas.search.objective import Array, Objective
from ntknas.search.score import Score
from ntknas.spaces import Space
from ntknas.spaces.neighbourhood import neighbours

_DRAWS, _ORDER, _STRATEGY = range(3)
"""Streams of random numbers of one seed."""


@dataclass(frozen=True, repr=False)
class Problem(Shown):
    """What is searched.

    Attributes:
        space: The space.
        objective: What is chosen by and reported.
        budget: Trainings to the largest epoch budget that a search may spend.
        pool: Number of cells, the first of the search's random order, that a strategy may score before it trains; all
            without it.
    """

    space: Space
    objective: Objective
    budget: int
    pool: int | None = None
    _neighbours: dict[int, list[int]] = field(default_factory=dict, repr=False, compare=False)
    cells: NDArray[np.int64] = field(init=False, repr=False)
    _can_be_trained: NDArray[np.bool_] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Check the budget.

        Raises:
            ChoiceError: If there is nothing to train with it, or more than there are cells; or the cells are not the
                space's.
        """
        trainable = self.objective.trainable
        if len(trainable) != len(self.space):
            raise ChoiceError(
                f"{self.objective.levels[-1].name} is of {len(trainable):,} cells, and {self.space.name} has "
                f"{len(self.space):,}."
            )
        cells = np.flatnonzero(trainable)
        object.__setattr__(self, "_can_be_trained", trainable)
        object.__setattr__(self, "cells", cells)
        if not 1 <= self.budget <= len(cells):
            raise ChoiceError(
                f"`budget` must be from 1 to {len(cells):,}, the cells of {self.space.name} that can be trained, got "
                f"{self.budget}."
            )
        if self.pool is not None and not 1 <= self.pool <= len(cells):
            raise ChoiceError(f"`pool` must be from 1 to {len(cells):,}, got {self.pool}.")

    def is_trainable(self, cell: int) -> bool:
        """Return whether a cell can be trained."""
        return bool(self._can_be_trained[cell])

    def neighbours(self, cell: int) -> list[int]:
        """Return the cells one step from a cell that can be trained; see ``spaces.neighbourhood``."""
        if cell not in self._neighbours:
            near = neighbours(self.space, cell)
            self._neighbours[cell] = [other for other in near if self.is_trainable(other)]
        return self._neighbours[cell]

    def _line(self) -> str:
        pool = "" if self.pool is None else f", pool of {self.pool:,}"
        trainings = counted(self.budget, "training")
        return f"{self.space.name}, {trainings}{pool}; {self.objective._line()}"


class Search:
    """One search: one seed, one strategy, perhaps one score.

    Args:
        problem: The problem.
        seed: Its seed. Two searches of one seed draw the same runs of all cells and have the same random order.
        score: The score that guides it.

    Attributes:
        problem: The problem.
        order: The cells in random order.
        generator: Random numbers of the strategy.
        scoring_seconds: Seconds that scores have taken so far.
    """

    def __init__(self, problem: Problem, seed: int, score: Score | None = None):
        streams = [np.random.default_rng([seed, stream]) for stream in (_DRAWS, _ORDER, _STRATEGY)]
        self.problem, self._score = problem, score
        self._values = problem.objective.draw(streams[_DRAWS])
        self.order: NDArray[np.int64] = streams[_ORDER].permutation(problem.cells)
        self.generator = streams[_STRATEGY]
        self.scoring_seconds = 0.0
        self._paid = np.zeros(len(problem.space), bool)
        self._asked: set[int] = set()

    @property
    def pool(self) -> NDArray[np.int64]:
        """The cells that may be scored before the first training, in random order."""
        return self.order if self.problem.pool is None else self.order[: self.problem.pool]

    def value(self, cell: int, level: int) -> float:
        """Return the validation value of a cell's training."""
        self._asked.add(cell)
        return float(self._values[level][cell])

    def announce(self, cells: Sequence[int] | NDArray[np.int64]) -> None:
        """Say which cells are trained next: where values are computed, those of these are computed together."""
        left = self.problem.budget - len(self._asked)
        new = [cell for cell in map(int, cells[: left + len(self._asked)]) if cell not in self._asked]
        self.problem.objective.prepare(new[:left])

    def scores(self, cells: Sequence[int] | NDArray[np.int64]) -> Array:
        """Return the scores of some cells, −∞ for those that have none; each is paid for once.

        Raises:
            ChoiceError: If no score guides this search.
        """
        if self._score is None:
            raise ChoiceError("This search has no score.")
        indices = np.asarray(cells, np.int64)
        new = np.unique(indices[~self._paid[indices]])
        values = self._score.of(indices)
        self.scoring_seconds += self._score.seconds(new)
        self._paid[new] = True
        return np.where(np.isnan(values), -np.inf, values)

    def best_scored(self, cells: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
        """Return cells by their score, best first; tied ones stay in the order in which they are given."""
        return np.asarray(cells)[np.argsort(-self.scores(cells), kind="stable")]

    def neighbours(self, cell: int) -> list[int]:
        """Return the cells one step away, in random order."""
        return [int(near) for near in self.generator.permutation(self.problem.neighbours(cell))]


def cells_of_pools(problem: Problem, seeds: int) -> NDArray[np.int64]:
    """Return the cells that any of some searches may score before it trains: all without a pool.

    Args:
        problem: The problem.
        seeds: Number of searches: the seeds from 0 on.

    Returns:
        Their indices, in ascending order.
    """
    if problem.pool is None:
        return problem.cells
    return np.unique(np.concatenate([Search(problem, seed).pool for seed in range(seeds)]))
