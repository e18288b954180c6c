"""What scores and stand-ins choose, judged by the targets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from ntknas.core.score import Status
from ntknas.correlation.bootstrap import MIN_CELLS, MIN_RESAMPLES, Interval, middle
from ntknas.correlation.choice import Choice
from ntknas.correlation.coefficients import Array
from ntknas.correlation.estimate import Estimate
from ntknas.correlation.front import Mask, Places, Points
from ntknas.correlation.plane import RANKS, SCALES, VALUES, Plane
from ntknas.correlation.scored import Scored
from ntknas.correlation.stand_in import StandIn
from ntknas.correlation.trade_off import TradeOff

_DRAWS = 100
"""Random orders of tied cells over which a choice within a budget is averaged."""


@dataclass(frozen=True)
class Judge:
    """Judges what scores choose by the targets.

    Attributes:
        plane: The cells with both targets.
        choice: How cells are chosen.
        resamples: Number of resamples.
        seed: Seed of resamples and of ties.
    """

    plane: Plane
    choice: Choice
    resamples: int
    seed: int

    @cached_property
    def drawn(self) -> list[Mask]:
        """The cells of each resample: networks, or measurements, are drawn with replacement, as many as there are.

        How often one is drawn does not matter to a front. None where intervals are not to be had.
        """
        number = int(self.plane.units.max()) + 1
        if self.resamples < MIN_RESAMPLES or number < MIN_CELLS:
            return []
        random = np.random.default_rng(self.seed)
        masks = []
        for _ in range(self.resamples):
            is_drawn = np.zeros(number, np.bool_)
            is_drawn[random.integers(0, number, number)] = True
            masks.append(is_drawn[self.plane.units])
        return masks

    @cached_property
    def _whole(self) -> dict[str, Array]:
        """Hypervolume of the true front of each resample."""
        fronts = [self.plane.front_of(present) for present in self.drawn]
        return {scale: np.array([self.plane.area(scale, front) for front in fronts]) for scale in SCALES}

    def row(self, item: Scored, stand: StandIn) -> tuple[TradeOff, Places]:
        """Return the row of a score and a stand-in, and the places of the cells that they choose."""
        points, can = self._points(item, stand)
        random = np.random.default_rng(self.seed)
        chosen = self.choice.of(points, can)
        choices = [chosen.draw(points, random) for _ in range(_DRAWS if chosen.is_cut else 1)]
        number = len(choices[0])
        values, ranks = (self._reached(scale, choices) for scale in SCALES)
        ends = self._ends(points, can)
        row = TradeOff(
            measure=item.measure,
            recipe=item.recipe,
            setting=item.setting,
            kernel=item.kernel,
            epoch=item.epoch,
            stand_in=stand.name,
            n=int(can.sum()),
            left_out=_reasons(item, stand, self.plane.cells[~can]),
            chosen=number,
            reached=Estimate(values, *ends[VALUES]),
            reached_ranks=Estimate(ranks, *ends[RANKS]),
            random=self.plane.of_random(VALUES, number),
            random_ranks=self.plane.of_random(RANKS, number),
            missed=float(np.mean([self.plane.missed(places) for places in choices])) if number else None,
            found=float(np.mean([self.plane.found(places) for places in choices])),
            fitted=item.fitted,
        )
        return row, choices[0]

    def _points(self, item: Scored, stand: StandIn) -> tuple[Points, Mask]:
        """Return the points of the cells by score and stand-in, and which cells have both."""
        cells = self.plane.cells
        can = np.asarray(cells.isin(item.scored_cells) & cells.isin(stand.values.index))
        score, other = np.zeros(len(cells)), np.zeros(len(cells))
        score[can] = item.sign * item.cells.loc[cells[can], "value"].to_numpy(np.float64)
        other[can] = stand.values[cells[can]].to_numpy(np.float64)
        return Points.of(score, other), can

    def _reached(self, scale: str, choices: list[Places]) -> float:
        return float(np.mean([self.plane.reached(scale, places) for places in choices]))

    def _ends(self, points: Points, can: Mask) -> dict[str, Interval]:
        """Return the middle 95 % of what is reached in resamples, front and choice being made anew in each."""
        if not self.drawn:
            return dict.fromkeys(SCALES, (None, None))
        random = np.random.default_rng(self.seed)
        chosen = [self.choice.of(points, present & can).draw(points, random) for present in self.drawn]
        ends = {}
        for scale, whole in self._whole.items():
            areas = np.array([self.plane.area(scale, places) for places in chosen])
            ends[scale] = middle(np.divide(areas, whole, out=np.full(len(areas), np.nan), where=whole > 0))
        return ends


def _reasons(item: Scored, stand: StandIn, cells: pd.Index) -> dict[str, int]:
    """Return why cells cannot be chosen, by the number of them."""
    status = item.cells["status"].astype(object).reindex(cells).fillna("not scored")
    status = status.where(status != Status.OK.value, f"no {stand.name}")
    return {str(reason): int(count) for reason, count in status.value_counts().items()}
