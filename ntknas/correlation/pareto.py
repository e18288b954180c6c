"""How close a front that was chosen without training comes to the true front of two targets."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property

import numpy as np
import pandas as pd

from ntknas.benchmarks.table import AccuracyTable
from ntknas.core.errors import ChoiceError, check_known
from ntknas.core.score import Status
from ntknas.correlation.arguments import names_of, whole_number
from ntknas.correlation.bootstrap import MIN_CELLS, MIN_RESAMPLES, middle
from ntknas.correlation.choice import Choice
from ntknas.correlation.coefficients import Array
from ntknas.correlation.combination import combinations
from ntknas.correlation.estimate import Estimate
from ntknas.correlation.front import Mask, Places, Points
from ntknas.correlation.meant import Meant, absent
from ntknas.correlation.plane import RANKS, SCALES, VALUES, Plane
from ntknas.correlation.row import BASELINE
from ntknas.correlation.scored import Scored
from ntknas.spaces import Space
from ntknas.spaces.populations import ALL
from ntknas.store.setting import Setting

MEASURED = "measured"
"""In place of a count: the second target itself, for what is known without training, such as a latency."""
DEFAULT_STAND_INS = ("flops", MEASURED)
_DRAWS = 100
"""Random orders of tied cells over which a choice within a budget is averaged."""


@dataclass(frozen=True)
class TradeOff:
    """What a score and a stand-in choose, held against the true front.

    Attributes:
        measure: Name of the score, in place of the first target.
        recipe: Recipe that it was computed with, or ``baseline`` for a count.
        setting: Digest of its setting.
        kernel: Name of the kernel.
        epoch: Epochs of training before it was taken.
        stand_in: What was there in place of the second target: a count, ``measured``, or another target.
        n: Number of cells that could be chosen: those with a score, the stand-in and both targets.
        left_out: Number of the other cells with both targets, by reason; they are on the true front all the same.
        chosen: Number of cells that are chosen.
        reached: Their hypervolume over that of the true front, of values.
        reached_ranks: The same of ranks.
        random: What as many cells drawn at random reach in expectation.
        random_ranks: The same of ranks.
        missed: IGD⁺ of the chosen cells, in shares of the targets' ranges.
        found: Number of points of the true front that are among them; a mean where chance decides.
        fitted: What of the score was chosen on cells with known accuracies, or may have been.
    """

    measure: str
    recipe: str
    setting: str
    kernel: str
    epoch: int
    stand_in: str
    n: int
    left_out: Mapping[str, int]
    chosen: int
    reached: Estimate
    reached_ranks: Estimate
    random: float
    random_ranks: float
    missed: float | None
    found: float
    fitted: str = ""

    @property
    def is_baseline(self) -> bool:
        """Whether the score is a count."""
        return self.recipe == BASELINE

    def as_json(self) -> dict[str, object]:
        """Return plain data."""
        return asdict(self)


@dataclass(frozen=True)
class TradeOffs:
    """The answer of ``trade_offs``.

    Attributes:
        rows: One for each score and stand-in.
        plane: The cells with both targets.
        chosen: Places in ``plane.cells`` of what each row chose; one choice of several where chance decides.
        choice: How cells were chosen.
        population: Population of the cells.
        resamples: Number of resamples behind intervals.
        settings: What the digests in the rows stand for.
        notes: What is to be said beside the rows.
    """

    rows: list[TradeOff]
    plane: Plane
    chosen: list[Places]
    choice: Choice
    population: str
    resamples: int
    settings: Mapping[str, Setting]
    notes: tuple[str, ...] = ()

    def frame(self) -> pd.DataFrame:
        """Return the rows as a data frame; values and ends of intervals are columns."""
        return pd.DataFrame([_flat(row) for row in self.rows])

    def as_json(self) -> dict[str, object]:
        """Return plain data: the targets with their quantities, the true front, and the rows."""
        plane = self.plane
        values, front = plane.own(plane.values), plane.on_front
        targets = {target.name: asdict(target.quantity) for target in (plane.first, plane.second)}
        settings = {row.setting: self.settings[row.setting] for row in self.rows if row.setting in self.settings}
        return {
            "targets": targets,
            "cells": len(plane),
            "units": int(plane.units.max()) + 1,
            "population": self.population,
            "fronts": None if self.choice.budget else self.choice.fronts,
            "budget": self.choice.budget,
            "resamples": self.resamples,
            "front": [
                {"cell": int(plane.cells[place]), **dict(zip(targets, values[place].tolist(), strict=True))}
                for place in front
            ],
            "rows": [
                {**row.as_json(), "cells": plane.cells[places].tolist()}
                for row, places in zip(self.rows, self.chosen, strict=True)
            ],
            "settings": {digest: dict(setting.fields) for digest, setting in settings.items()},
        }


def _flat(row: TradeOff) -> dict[str, object]:
    columns: dict[str, object] = {}
    for entry in fields(row):
        value = getattr(row, entry.name)
        if isinstance(value, Estimate):
            columns |= {entry.name: value.value, f"{entry.name}_low": value.low, f"{entry.name}_high": value.high}
        elif isinstance(value, Mapping):
            columns[entry.name] = " ".join(f"{reason}:{count}" for reason, count in value.items())
        else:
            columns[entry.name] = value
    return columns


Pair = tuple[Scored, "StandIn"]
Meter = Callable[[list[Pair]], Iterable[Pair]]


@dataclass(frozen=True)
class StandIn:
    """What is known of cells without training, in place of the second target.

    Attributes:
        name: Its name.
        values: By cell, signed so that higher is better.
    """

    name: str
    values: pd.Series = field(repr=False)


def trade_offs(
    scores: pd.DataFrame | pd.Series,
    targets: Mapping[str, pd.Series | AccuracyTable],
    *,
    stand_ins: Collection[str] | None = None,
    fronts: int = 1,
    budget: int | None = None,
    resamples: int = 1000,
    seed: int = 0,
    measures: Collection[str] = (),
    population: str = ALL,
    cells: Collection[int] | None = None,
    space: Space | str | None = None,
    dataset: str = "cifar10",
    combine: Collection[str] = (),
    lower_is_better: Collection[str] | None = None,
    progress: Meter = iter,
) -> TradeOffs:
    """Hold fronts chosen by scores against the true front of two targets.

    A score takes the place of the first target, something that needs no training that of the second; the cells that no
    other cell beats in both are chosen, and judged by the targets.

    Args:
        scores: As for ``correlate``.
        targets: The two targets by name, the one that scores stand for first; further ones may be stand-ins.
        stand_ins: Names of counts, ``measured`` for the second target itself, or names of further targets; ``flops``
            and ``measured`` without any. A count has the direction of the second target.
        fronts: Number of fronts to choose, one after the other.
        budget: Number of cells to choose in place of whole fronts.
        resamples: Number of bootstrap resamples; fewer than 200 give no intervals.
        seed: Seed of the resamples, and of the order of tied cells within a budget.
        measures: As for ``correlate``.
        population: As for ``correlate``.
        cells: As for ``correlate``.
        space: As for ``correlate``.
        dataset: As for ``correlate``.
        combine: As for ``correlate``; ranks are among the cells with both targets.
        lower_is_better: As for ``correlate``.
        progress: Wraps the list of what rows are computed from, to show how far it is.

    Returns:
        The rows and what belongs to them.

    Raises:
        NtknasError: If there are no scores, or fewer than ten scored cells have two different targets that vary.
        ChoiceError: If a name or number is none that may be chosen.
    """
    resamples, seed = whole_number("resamples", resamples), whole_number("seed", seed)
    meant = Meant.of(
        scores,
        targets,
        population=population,
        cells=cells,
        space=space,
        dataset=dataset,
        lower_is_better=lower_is_better,
    )
    plane = Plane.of(meant.targets, meant.cells, meant.networks)
    choice = _choice(fronts, budget, plane)
    combined = combinations(names_of(combine), meant.ranked, meant.settings)
    scored, missing = meant.of_measures(names_of(measures))
    counts = [item for item in scored if item.recipe == BASELINE]
    others = [item for item in scored if item.recipe != BASELINE]
    items = [*others, *(combination.on(plane.cells) for combination in combined), *counts]
    judge = Judge(plane, choice, resamples, seed)
    stands = _stand_ins(stand_ins, meant, plane)
    pairs = [(item, stand) for stand in stands for item in items if _is_choice(item, stand, choice)]
    made = [judge.row(item, stand) for item, stand in progress(pairs)]
    notes = [
        *absent(missing),
        *(note for combination in combined for note in combination.notes),
        *_partial(plane, meant),
    ]
    rows, chosen = [row for row, _ in made], [places for _, places in made]
    return TradeOffs(rows, plane, chosen, choice, population, resamples, meant.settings, tuple(notes))


def _choice(fronts: int, budget: int | None, plane: Plane) -> Choice:
    if budget is None:
        return Choice(whole_number("fronts", fronts, least=1))
    number = whole_number("budget", budget, least=1)
    if fronts != 1:
        raise ChoiceError("`fronts` and `budget` both say how many cells are chosen: give one of them.")
    if number > len(plane):
        raise ChoiceError(f"`budget` is {number:,}, and {len(plane):,} cells have both targets: choose fewer.")
    return Choice(budget=number)


def _is_choice(item: Scored, stand: StandIn, choice: Choice) -> bool:
    """Return whether a score chooses at all: a count of which more is better, and less too, has every cell in front."""
    return choice.budget is not None or item.recipe != BASELINE or item.measure != stand.name


def _partial(plane: Plane, meant: Meant) -> Iterable[str]:
    if len(plane) < len(meant.cells):
        both = f"{plane.first.name} and {plane.second.name}"
        yield f"{len(plane):,} of {len(meant.cells):,} scored cells have both {both}: the others are left out."


def _stand_ins(names: Collection[str] | None, meant: Meant, plane: Plane) -> list[StandIn]:
    """Return what stands in for the second target, by the names that were given or all of the default's there are."""
    counts = {item.measure: item for item in meant.ranked if item.recipe == BASELINE}
    further = {target.name: target for target in meant.targets[2:]}
    known = {*counts, MEASURED, *further}
    chosen = [name for name in DEFAULT_STAND_INS if name in known] if names is None else list(names_of(names))
    stands = []
    for name in dict.fromkeys(chosen):
        check_known("stand-in (`stand_in`)", name, sorted(known))
        if name in further:
            values = further[name].means
        elif name == MEASURED:
            values = plane.second.means
        else:
            values = plane.second.quantity.sign * counts[name].cells["value"].astype(np.float64)
        stands.append(StandIn(name, values))
    if not stands:
        raise ChoiceError("`stand_in` names none: a count, such as flops, or measured.")
    return stands


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
        plane, cells = self.plane, self.plane.cells
        able = item.scored_cells.intersection(stand.values.dropna().index)
        can = np.asarray(cells.isin(able))
        of_able = cells[can]
        score = np.zeros(len(plane))
        other = np.zeros(len(plane))
        score[can] = item.sign * item.cells.loc[of_able, "value"].to_numpy(np.float64)
        other[can] = stand.values[of_able].to_numpy(np.float64)
        points = Points.of(score, other)
        random = np.random.default_rng(self.seed)
        draws = _DRAWS if self.choice.cuts(points, can) else 1
        choices = [self.choice.of(points, can, random) for _ in range(draws)]
        ends = self._ends(points, can)
        reached = {scale: _mean([plane.reached(scale, places) for places in choices]) for scale in SCALES}
        missed = _mean([plane.missed(places) for places in choices])
        row = TradeOff(
            measure=item.measure,
            recipe=item.recipe,
            setting=item.setting,
            kernel=item.kernel,
            epoch=item.epoch,
            stand_in=stand.name,
            n=int(can.sum()),
            left_out=_reasons(item, stand, cells[~can]),
            chosen=len(choices[0]),
            reached=Estimate(reached[VALUES], *ends[VALUES]),
            reached_ranks=Estimate(reached[RANKS], *ends[RANKS]),
            random=plane.of_random(VALUES, len(choices[0])),
            random_ranks=plane.of_random(RANKS, len(choices[0])),
            missed=missed if np.isfinite(missed) else None,
            found=_mean([plane.found(places) for places in choices]),
            fitted=item.fitted,
        )
        return row, choices[0]

    def _ends(self, points: Points, can: Mask) -> dict[str, tuple[float | None, float | None]]:
        """Return the middle 95 % of what is reached in resamples, front and choice being made anew in each."""
        if not self.drawn:
            return dict.fromkeys(SCALES, (None, None))
        random = np.random.default_rng(self.seed)
        chosen = [self.choice.of(points, present & can, random) for present in self.drawn]
        ends = {}
        for scale, whole in self._whole.items():
            areas = np.array([self.plane.area(scale, places) for places in chosen])
            ratios = np.divide(areas, whole, out=np.full(len(areas), np.nan), where=whole > 0)
            ends[scale] = middle(ratios)
        return ends


def _reasons(item: Scored, stand: StandIn, cells: pd.Index) -> dict[str, int]:
    """Return why cells cannot be chosen, by the number of them."""
    status = item.cells["status"].astype(object).reindex(cells).fillna("not scored")
    status = status.where(status != Status.OK.value, f"no {stand.name}")
    return {str(reason): int(count) for reason, count in status.value_counts().items()}


def _mean(values: list[float] | list[int]) -> float:
    return float(np.mean(values))
