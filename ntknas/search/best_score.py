"""A search without a benchmark: the score itself is maximised, and what is found is a ranked list of architectures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ntknas.benchmarks.quantity import Quantity
from ntknas.core.errors import ChoiceError
from ntknas.core.shown import Shown, counted, listed
from ntknas.search.checks import check_strategy
from ntknas.search.objective import Level, Objective, Values
from ntknas.search.problem import Problem, Search
from ntknas.search.registry import get_strategy
from ntknas.search.score import Score
from ntknas.search.trace import Trace, follow
from ntknas.spaces import Space
from ntknas.spaces.neighbourhood import has_neighbours
from ntknas.spaces.populations import network_of


@dataclass(frozen=True)
class ScoreObjective(Objective):
    """A score in place of trainings: a cell's value is its score, −∞ where it has none.

    Attributes:
        score: The score.
    """

    score: Score = field(kw_only=True)

    @classmethod
    def of_score(cls, score: Score, space: Space) -> ScoreObjective:
        """Return the objective of maximising a score.

        Args:
            score: The score.
            space: The space.
        """
        unknown = np.full(len(space), np.nan)
        level = Level(score.name, unknown[:, None])
        return cls((level,), score.name, unknown.copy(), Quantity(score.name, ""), score=score)

    @property
    def trainable(self) -> NDArray[np.bool_]:
        """Every cell: whether it has a score is seen when it is looked at."""
        return np.ones(len(self.reported), bool)

    def prepare(self, cells: Sequence[int]) -> None:
        """Score some cells together."""
        if cells:
            self.reported[list(cells)] = self.score.of(cells)

    def draw(self, generator: np.random.Generator) -> Sequence[Values]:
        """Return the scores, computed as they are asked for."""
        return [_Scores(self)]


@dataclass(frozen=True)
class _Scores:
    objective: ScoreObjective

    def __getitem__(self, cell: int, /) -> float:
        if np.isnan(self.objective.reported[cell]):
            value = float(self.objective.score.of([cell])[0])
            self.objective.reported[cell] = -np.inf if np.isnan(value) else value
        return float(self.objective.reported[cell])


@dataclass(frozen=True)
class Found:
    """An architecture that a search found.

    Attributes:
        rank: Its place, 1 for the best score.
        cell: Its index.
        architecture: Its text.
        score: Its score, signed so that higher is better.
        code: A line of Python that builds its network.
    """

    rank: int
    cell: int
    architecture: str
    score: float
    code: str


@dataclass(frozen=True, repr=False)
class ScoreSearch(Shown):
    """What searches by a score alone found.

    Attributes:
        space: The space.
        score: Name of the score.
        traces: The searches of each strategy, seed by seed.
        scores: Score of each cell that was looked at, −∞ where it has none.
    """

    space: Space
    score: str
    traces: Mapping[str, Sequence[Trace]] = field(repr=False)
    scores: Mapping[int, float] = field(repr=False)

    @property
    def without_score(self) -> int:
        """Number of cells that were looked at and have no score."""
        return sum(value == -np.inf for value in self.scores.values())

    def top(self, number: int, num_classes: int = 10) -> list[Found]:
        """Return the best distinct architectures: of cells that are one network the first.

        Args:
            number: How many at most.
            num_classes: Outputs of the networks that the lines of code build.

        Returns:
            They, best first.
        """
        found: dict[object, Found] = {}
        identity = network_of(self.space)
        known = [(value, cell) for cell, value in self.scores.items() if np.isfinite(value)]
        for value, cell in sorted(known, key=lambda pair: (-pair[0], pair[1])):
            if len(found) == number:
                break
            network = identity(cell)
            if network not in found:
                text, code = str(self.space[cell]), code_of(self.space, cell, num_classes)
                found[network] = Found(len(found) + 1, cell, text, value, code)
        return list(found.values())

    def _line(self) -> str:
        looked = f"{counted(len(self.scores), 'cell')} looked at, {self.without_score:,} without a score"
        return f"{self.space.name} by {self.score}: {looked}, by {listed(self.traces)}"


def code_of(space: Space, cell: int, num_classes: int = 10) -> str:
    """Return a line of Python that builds the network of a cell, in its official size."""
    opened = f"(space := ntknas.load_space({space.name!r}))"
    return f"{opened}.build(space[{cell}], num_classes={num_classes}, seed=0)"


def maximise(
    space: Space,
    score: Score,
    budget: int,
    *,
    strategies: Sequence[str] = (),
    seeds: Iterable[int] = (0,),
) -> ScoreSearch:
    """Search for the cells with the highest score.

    Args:
        space: The space.
        score: The score, such as from ``computed_score``.
        budget: Number of cells that each search may look at.
        strategies: Names of strategies; without any local search where the space has neighbours, else random search.
        seeds: Seeds of the searches of each.

    Returns:
        What they found.

    Raises:
        ChoiceError: If the budget is none, or a strategy needs what there is not: trainings, or neighbours.
    """
    strategies = list(dict.fromkeys(strategies)) or ["local-search" if has_neighbours(space) else "random"]
    objective = ScoreObjective.of_score(score, space)
    problem = Problem(space, objective, budget)
    traces: dict[str, list[Trace]] = {}
    for name in strategies:
        strategy = get_strategy(name)
        if strategy.takes_score:
            raise ChoiceError(
                f"The strategy {name} is guided by a score while it trains, and nothing is trained here: the score "
                "itself is searched, by random, local-search, evolution or tpe."
            )
        check_strategy(strategy, problem, has_score=True)
        traces[name] = [follow(strategy, Search(problem, seed)) for seed in seeds]
    cells = sorted({int(cell) for of_seeds in traces.values() for trace in of_seeds for cell in trace.cells})
    return ScoreSearch(space, score.name, traces, {cell: float(objective.reported[cell]) for cell in cells})
