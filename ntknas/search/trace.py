"""What one search found, for how many trainings and seconds."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ntknas.core.shown import Shown, counted, in_digits
from ntknas.search.objective import Array
from ntknas.search.problem import Search
from ntknas.search.strategy import LAST, Strategy, Training

TRAININGS, SECONDS = "trainings", "seconds"
"""What is spent."""
PATIENCE = 1_000
"""Proposals in a row that are known already, after which a strategy has nothing more to say."""


@dataclass(frozen=True, repr=False)
class Trace(Shown):
    """A search, training by training; each cell is trained once to each budget.

    Attributes:
        cells: The cells in the order in which they were trained.
        trainings: Trainings spent so far, in trainings to the largest budget.
        seconds: Seconds of training and scoring spent so far; ``None`` where trainings have none.
        found: Reported value of the best cell so far by validation among those with the largest budget so far; NaN
            before the first training.
    """

    cells: NDArray[np.int64] = field(repr=False)
    trainings: Array = field(repr=False)
    seconds: Array | None = field(repr=False)
    found: Array = field(repr=False)

    def after(self, spent: Array, axis: str = "trainings") -> Array:
        """Return what had been found when so much was spent; NaN before the first training had ended.

        Args:
            spent: Trainings or seconds.
            axis: Which of the two: ``trainings`` or ``seconds``.
        """
        ends = self.trainings if axis == "trainings" or self.seconds is None else self.seconds
        place = np.searchsorted(ends, spent + 1e-9, side="right") - 1
        return np.append(self.found, np.nan)[place]  # −1, before the first, is the last

    def _line(self) -> str:
        found = in_digits(float(self.found[-1])) if len(self.found) else "nothing"
        return f"{counted(len(self.cells), 'training')}, found {found}"


def follow(strategy: Strategy, search: Search) -> Trace:
    """Search until the budget is spent or the strategy has nothing more to say.

    A proposal that was trained before costs nothing and is answered again.

    Args:
        strategy: The strategy.
        search: The search.

    Returns:
        What it found.
    """
    record = _Record(search)
    proposals = strategy.propose(search)
    known_in_a_row = 0
    try:
        training = next(proposals)
        while known_in_a_row < PATIENCE:
            if record.knows(training):
                known_in_a_row += 1
            elif not record.affords(training):
                break
            else:
                known_in_a_row = 0
            training = proposals.send(record.train(training))
    except StopIteration:
        pass
    proposals.close()
    return record.trace()


class _Record:
    """Trainings so far and what they cost."""

    def __init__(self, search: Search):
        self._search, self._objective = search, search.problem.objective
        self._levels = len(self._objective.levels)
        self._done: dict[Training, float] = {}
        self._spent = self._seconds = 0.0
        self._best: tuple[int, float, int] | None = None
        self._rows: list[tuple[int, float, float, float]] = []

    def _exact(self, training: Training) -> Training:
        return Training(int(training.cell), self._levels - 1 if training.level == LAST else training.level)

    def knows(self, training: Training) -> bool:
        return self._exact(training) in self._done

    def affords(self, training: Training) -> bool:
        level = self._objective.levels[self._exact(training).level]
        return self._spent + level.cost <= self._search.problem.budget + 1e-9

    def train(self, training: Training) -> float:
        exact = self._exact(training)
        if exact in self._done:
            return self._done[exact]
        value = self._done[exact] = self._search.value(*exact)
        level = self._objective.levels[exact.level]
        self._spent += level.cost
        if level.seconds is not None:
            self._seconds += float(np.nan_to_num(level.seconds[exact.cell]))
        # The larger budget first: a value after few epochs says less.
        if self._best is None or (exact.level, value) > self._best[:2]:
            self._best = (exact.level, value, exact.cell)
        found = float(self._objective.reported[self._best[2]])
        self._rows.append((exact.cell, self._spent, self._seconds + self._search.scoring_seconds, found))
        return value

    def trace(self) -> Trace:
        rows = np.array(self._rows, np.float64).reshape(-1, 4)
        seconds = rows[:, 2] if self._objective.has_seconds else None
        return Trace(rows[:, 0].astype(np.int64), rows[:, 1], seconds, rows[:, 3])
