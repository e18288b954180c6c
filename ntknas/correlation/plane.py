"""The plane of two targets: cells, their true front, and what of it a choice of them reaches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from ntknas.core.errors import NtknasError
from ntknas.correlation.bootstrap import MIN_CELLS
from ntknas.correlation.coefficients import Array
from ntknas.correlation.drawn import Codes, joined
from ntknas.correlation.front import (
    Mask,
    Places,
    Points,
    area_by_dominating,
    area_of_falling,
    attained,
    inverted_distance,
    share_of_choices,
)
from ntknas.correlation.targets import Accuracies

VALUES, RANKS = "values", "ranks"
SCALES = (VALUES, RANKS)
"""In what areas are taken: values, as shares of their range; or the share of the other cells that are worse."""


@dataclass(frozen=True)
class Plane:
    """Cells that have both targets.

    Attributes:
        first: The first target, signed so that higher is better.
        second: The second.
        cells: The cells.
        units: A number for each cell's unit: cells of one network, or that share a measurement, are one.
    """

    first: Accuracies
    second: Accuracies
    cells: pd.Index
    units: Codes

    @classmethod
    def of(cls, targets: Sequence[Accuracies], cells: pd.Index, networks: pd.Series | None) -> Plane:
        """Return the plane of the first two targets.

        Args:
            targets: The targets.
            cells: The cells that are meant.
            networks: A number for each cell's network, where it is known.

        Returns:
            The plane.

        Raises:
            NtknasError: If there are not two different targets, fewer than ten cells have both, or all have the same
                value of one.
        """
        if len(targets) < 2:
            names = " and ".join(target.name for target in targets) or "none"
            raise NtknasError(f"A trade-off is between two different targets, got {names}: name two as `target`.")
        first, second = targets[:2]
        both = cells.intersection(first.means.index).intersection(second.means.index)
        if len(both) < MIN_CELLS:
            raise NtknasError(
                f"{len(both) or 'None'} of the {len(cells):,} scored cells {'have' if len(both) > 1 else 'has'} both "
                f"{first.name} and {second.name}, and {MIN_CELLS} are needed: these have values of "
                f"{len(first.means):,} and {len(second.means):,} cells."
            )
        _check_trade_off(first, second, both)
        grouped = [target.units(both, networks) for target in (first, second)]
        units = joined(*grouped)
        return cls(first, second, both, np.arange(len(both)) if units is None else units)

    def __len__(self) -> int:
        return len(self.cells)

    @cached_property
    def points(self) -> dict[str, Array]:
        """Both targets in each scale, cells × 2, from 0 for the worst of the cells."""
        values = self.values
        spans = values.max(axis=0) - values.min(axis=0)
        worse = [np.searchsorted(np.sort(column), column) for column in values.T]
        return {
            VALUES: (values - values.min(axis=0)) / spans,
            RANKS: np.stack(worse, axis=1) / (len(values) - 1),
        }

    @cached_property
    def on_front(self) -> Places:
        """Places of the cells on the true front, equal ones all."""
        return self.front_of(np.ones(len(self), np.bool_))

    def front_of(self, present: Mask) -> Places:
        """Return the places on the true front of some of the cells."""
        is_on = np.zeros(len(self._distinct.first), np.bool_)
        is_on[next(self._distinct.fronts(present), ())] = True
        return np.flatnonzero(is_on[self._distinct.point] & present)

    @cached_property
    def _distinct(self) -> Points:
        return Points.of(*self.points[VALUES].T)

    def area(self, scale: str, cells: Places) -> float:
        """Return the hypervolume of some cells; the worst value of each target is the reference point.

        Args:
            scale: One of ``SCALES``.
            cells: Their places.
        """
        place, falling = self._falling
        first, second = falling[scale][np.sort(place[cells])].T
        return area_of_falling(first, second)

    @cached_property
    def _falling(self) -> tuple[Places, dict[str, Array]]:
        """The place of each cell in the order of falling first values, and the points in it."""
        order = np.argsort(-self.values[:, 0], kind="stable")
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        return place, {scale: points[order] for scale, points in self.points.items()}

    def reached(self, scale: str, cells: Places) -> float:
        """Return the hypervolume of some cells over that of the true front.

        Args:
            scale: One of ``SCALES``.
            cells: Their places.
        """
        return self.area(scale, cells) / self._whole[scale]

    @cached_property
    def _whole(self) -> dict[str, float]:
        return {scale: self.area(scale, self.on_front) for scale in SCALES}

    def missed(self, cells: Places) -> float:
        """Return how far some cells stay behind the true front, in shares of the targets' ranges: IGD⁺."""
        points = self.points[VALUES]
        return inverted_distance(np.unique(points[self.on_front], axis=0), points[cells])

    def found(self, cells: Places) -> int:
        """Return the number of distinct points of the true front that some cells reach."""
        on_front = cells[np.isin(cells, self.on_front)]
        return len(np.unique(self.points[VALUES][on_front], axis=0))

    @cached_property
    def _dominated(self) -> dict[str, Array]:
        points = self.points
        scales = [(points[scale][:, 0], points[scale][:, 1]) for scale in SCALES]
        return dict(zip(SCALES, area_by_dominating(*points[VALUES].T, *scales), strict=True))

    def of_random(self, scale: str, number: int) -> float:
        """Return what as many cells drawn at random reach in expectation, exactly."""
        shares = share_of_choices(len(self), number, np.arange(len(self) + 1))
        return float(self._dominated[scale] @ shares) / self._whole[scale]

    def random_line(self, number: int, probability: float) -> Array:
        """Return the line below which as many random cells attain every place with a probability or more.

        Args:
            number: Number of cells.
            probability: The probability.

        Returns:
            Corners in the targets' own values, n×2.
        """
        shares = share_of_choices(len(self), number, np.arange(len(self) + 1))
        dominating = int(np.searchsorted(shares, probability - 1e-12))
        line = np.stack(attained(self.values[:, 0], self.values[:, 1], dominating), axis=1)
        return self.own(line)

    @cached_property
    def values(self) -> Array:
        """Both targets, signed so that higher is better, cells × 2."""
        return np.stack([t.means[self.cells].to_numpy(np.float64) for t in (self.first, self.second)], axis=1)

    def own(self, signed: Array) -> Array:
        """Return signed values of both targets as they are in their tables."""
        return signed * [self.first.quantity.sign, self.second.quantity.sign]


def _check_trade_off(first: Accuracies, second: Accuracies, cells: pd.Index) -> None:
    """Check that there is a front between two targets.

    Raises:
        NtknasError: If all cells have the same value of one, both are the same, or no cell is better in both than the
            worst.
    """
    for target in (first, second):
        values = target.means[cells]
        if values.min() == values.max():
            value = target.quantity.sign * values.iloc[0]
            raise NtknasError(f"{target.name} is {value:g} for all {len(cells):,} cells: there is no trade-off.")
    a, b = first.means[cells], second.means[cells]
    if a.equals(b):
        raise NtknasError(f"{first.name} and {second.name} have the same values: a trade-off is between two.")
    if not ((a > a.min()) & (b > b.min())).any():
        raise NtknasError(
            f"Each of the {len(cells):,} cells is the worst in {first.name} or in {second.name}: a front between them "
            "has no area that could be reached."
        )
