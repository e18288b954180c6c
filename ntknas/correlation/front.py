"""Pareto fronts of two quantities of which higher is better, and how much of the plane they dominate.

A point dominates another if it is no worse in both quantities and better in one; equal points do not dominate each
other. Everything here is exact for two quantities and made of sorts and running maxima.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappush, heappushpop

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from ntknas.correlation.coefficients import Array

Places = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Points:
    """The distinct points of some cells, from the highest first quantity to the lowest, of equal ones second first.

    Attributes:
        point: The point of each cell, by its place in this order.
        first: Place of each point's first quantity among its values, from 0 for the worst.
        second: The same of the second.
    """

    point: Places
    first: Places
    second: Places

    @classmethod
    def of(cls, first: Array, second: Array) -> Points:
        """Return the points of some cells.

        Args:
            first: First quantity of each cell, of which higher is better.
            second: Second quantity.
        """
        a, b = (np.unique(values, return_inverse=True)[1] for values in (first, second))
        size = int(b.max(initial=0)) + 1
        codes, point = np.unique(-(a * size + b), return_inverse=True)
        return cls(point, -codes // size, -codes % size)

    def fronts(self, present: Mask) -> Iterator[Places]:
        """Yield the points of one front after the other: those that no point dominates that is left.

        This is non-dominated sorting (Deb et al., IEEE Trans. Evol. Comput. 6(2), 2002) by peeling. In this order a
        point is dominated if an earlier one is as high.

        Args:
            present: Which cells there are.
        """
        is_there = np.zeros(len(self.first), np.bool_)
        is_there[self.point[present]] = True
        left = np.flatnonzero(is_there)
        heights = self.second[left]
        while len(left):
            is_first = np.append(True, heights[1:] > np.maximum.accumulate(heights)[:-1])
            yield left[is_first]
            left, heights = left[~is_first], heights[~is_first]


def is_on_front(first: Array, second: Array) -> Mask:
    """Return which cells no other dominates, equal ones all.

    Args:
        first: First quantity of each cell, of which higher is better.
        second: Second quantity.
    """
    points = Points.of(first, second)
    return np.isin(points.point, next(points.fronts(np.ones(len(first), np.bool_)), ()))


def hypervolume(first: Array, second: Array) -> float:
    """Return the area that points dominate above the reference point (0, 0): the S metric.

    Zitzler & Thiele, PPSN V, 1998.

    Args:
        first: First quantity, 0 or more.
        second: Second quantity, 0 or more.
    """
    order = np.argsort(-first, kind="stable")
    return area_of_falling(first[order], second[order])


def area_of_falling(first: Array, second: Array) -> float:
    """Return the hypervolume of points whose first quantity does not rise from one to the next."""
    return float(_steps(first) @ np.maximum.accumulate(second)) if len(first) else 0.0


def inverted_distance(front: Array, chosen: Array) -> float:
    """Return the mean over a front of what it is ahead of the nearest chosen point: IGD⁺, 0 where nothing is missed.

    Unlike the inverted generational distance it never calls the worse of two sets the better one. Ishibuchi et al.,
    EMO 2015.

    Args:
        front: The distinct points of the true front, shape m×2.
        chosen: Points, shape n×2; infinite without any.

    Returns:
        The distance.
    """
    if not len(chosen):
        return float("inf")
    chosen = np.unique(chosen[is_on_front(chosen[:, 0], chosen[:, 1])], axis=0)
    ahead = np.maximum(front[:, None, :] - chosen[None, :, :], 0.0)
    return float(np.sqrt((ahead**2).sum(axis=2)).min(axis=1).mean())


def share_of_choices(n: int, number: int, dominating: Places) -> Array:
    """Return the share of all choices of a number of n cells that hold one of those that dominate a place.

    Args:
        n: Number of cells.
        number: Number of them that are chosen.
        dominating: Numbers of cells that dominate.
    """
    others = n - dominating
    can_miss = others >= number
    kept = np.where(can_miss, others, number).astype(np.float64)
    log_ratio = gammaln(kept + 1) - gammaln(kept - number + 1) - gammaln(n + 1) + gammaln(n - number + 1)
    shares: Array = 1.0 - np.where(can_miss, np.exp(log_ratio), 0.0)
    return shares


def area_by_dominating(first: Array, second: Array, *scales: tuple[Array, Array]) -> list[Array]:
    """Return the area of the plane that 0, 1, 2, … n of the cells dominate, in each of some scales.

    Args:
        first: First quantity of each cell, of which higher is better.
        second: Second quantity.
        *scales: Both quantities in scales that rise with them, 0 or more.

    Returns:
        n + 1 areas for each scale; those that no cell dominates are 0.
    """
    n = len(first)
    (_, a, columns), (_, b, rows) = (
        np.unique(-values, return_index=True, return_inverse=True) for values in (first, second)
    )
    by_column = np.argsort(columns, kind="stable")
    ends = np.searchsorted(columns[by_column], np.arange(len(a)), side="right")
    steps = [(_steps(x[a]), _steps(y[b])) for x, y in scales]
    areas = [np.zeros(n + 1) for _ in scales]
    in_row, start = np.zeros(len(b), np.int64), 0
    for column, end in enumerate(ends):  # from the best first quantity on
        np.add.at(in_row, rows[by_column[start:end]], 1)
        dominating, start = np.cumsum(in_row), end
        for area, (widths, heights) in zip(areas, steps, strict=True):
            area += widths[column] * np.bincount(dominating, heights, n + 1)
    for area in areas:
        area[0] = 0.0
    return areas


def _steps(falling: Array) -> Array:
    steps: Array = falling - np.append(falling[1:], 0.0)
    return steps


def attained(first: Array, second: Array, number: int) -> tuple[Array, Array]:
    """Return the corners of the line below which a number of cells or more dominate every place.

    Places that a random choice attains with some probability are bounded by such a line: an attainment surface
    (Fonseca & Fleming, PPSN IV, 1996).

    Args:
        first: First quantity of each cell, of which higher is better.
        second: Second quantity.
        number: Number of dominating cells.

    Returns:
        First and second quantity of the corners, from the highest first quantity on; none for fewer cells.
    """
    highest: list[float] = []
    corners: list[tuple[float, float]] = []
    for place in np.lexsort((-second, -first)):
        heappush(highest, float(second[place])) if len(highest) < number else heappushpop(highest, float(second[place]))
        if len(highest) == number and (not corners or highest[0] > corners[-1][1]):
            corners.append((float(first[place]), highest[0]))
    x, y = np.array(corners, np.float64).reshape(-1, 2).T
    return x, y
