"""Which cells a score and a stand-in choose for a front: whole fronts, or as many cells as can be trained."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import numpy as np

from ntknas.correlation.coefficients import Array
from ntknas.correlation.front import Mask, Places, Points


@dataclass(frozen=True)
class Chosen:
    """The cells that are chosen.

    Attributes:
        certain: Places of those of whole fronts.
        cut: Of the front that does not fit its points and the places of its cells; ``None`` where all fit.
        number: How many of these are chosen.
    """

    certain: Places
    cut: tuple[Places, Places] | None = None
    number: int = 0

    @property
    def is_cut(self) -> bool:
        """Whether a front does not fit, so that chance may decide."""
        return self.cut is not None

    def draw(self, points: Points, random: np.random.Generator) -> Places:
        """Return the places of all that are chosen.

        Args:
            points: Points of the cells, by score and stand-in.
            random: What breaks ties.
        """
        if self.cut is None:
            return self.certain
        return np.concatenate([self.certain, _least_crowded(points, *self.cut, self.number, random)])


@dataclass(frozen=True)
class Choice:
    """How cells are chosen.

    Attributes:
        fronts: Number of fronts to take.
        budget: Number of cells to take in place of fronts, or of all where there are fewer.
    """

    fronts: int = 1
    budget: int | None = None

    def of(self, points: Points, present: Mask) -> Chosen:
        """Return the cells that are chosen.

        With a budget whole fronts are taken while they fit. Of the first that does not, cells come in the order of
        their crowding distance, as in NSGA-II (Deb et al., 2002), here of ranks, since a score says no more: one of
        each point, then a second one where several cells share it, and so on. Ties are broken at random.

        Args:
            points: Points of the cells, by score and stand-in.
            present: The cells that may be chosen.
        """
        taken = np.zeros(len(points.first), np.bool_)
        if self.budget is None:
            for front in islice(points.fronts(present), self.fronts):
                taken[front] = True
            return Chosen(_chosen(points, present, taken))
        cells_of, left = np.bincount(points.point[present], minlength=len(taken)), self.budget
        for front in points.fronts(present):
            number = int(cells_of[front].sum())
            if number > left:
                cut = (front, _cells_at(points, present, front))
                return Chosen(_chosen(points, present, taken), cut if left else None, left)
            taken[front] = True
            left -= number
        return Chosen(_chosen(points, present, taken))


def _chosen(points: Points, present: Mask, taken: Mask) -> Places:
    return np.flatnonzero(taken[points.point] & present)


def _cells_at(points: Points, present: Mask, front: Places) -> Places:
    is_on = np.zeros(len(points.first), np.bool_)
    is_on[front] = True
    return _chosen(points, present, is_on)


def _least_crowded(points: Points, front: Places, cells: Places, number: int, random: np.random.Generator) -> Places:
    distance = np.zeros(len(points.first))
    distance[front] = crowding(points.first[front], points.second[front])
    mixed = random.permutation(cells)
    of_point = points.point[mixed]
    by_point = np.argsort(of_point, kind="stable")
    _, starts = np.unique(of_point[by_point], return_index=True)
    turn = np.empty(len(mixed), np.int64)
    turn[by_point] = np.arange(len(mixed)) - np.repeat(starts, np.diff(np.append(starts, len(mixed))))
    return mixed[np.lexsort((-distance[of_point], turn))[:number]]


def crowding(first: Array | Places, second: Array | Places) -> Array:
    """Return the crowding distance of the points of a front: the sides of the box between its neighbours.

    Args:
        first: First quantity, from the highest to the lowest.
        second: Second quantity, which rises.

    Returns:
        The distances, in shares of the front's ranges; infinite at both ends.
    """
    distance = np.full(len(first), np.inf)
    if len(first) > 2:
        width, height = first[0] - first[-1], second[-1] - second[0]
        distance[1:-1] = (first[:-2] - first[2:]) / width + (second[2:] - second[:-2]) / height
    return distance
