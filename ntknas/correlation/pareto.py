"""How close a front that was chosen without training comes to the true front of two targets."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

import pandas as pd

from ntknas.benchmarks.table import AccuracyTable
from ntknas.core.errors import ChoiceError
from ntknas.correlation.arguments import names_of, whole_number
from ntknas.correlation.choice import Choice
from ntknas.correlation.combination import combinations
from ntknas.correlation.judge import Judge
from ntknas.correlation.meant import Meant, absent
from ntknas.correlation.plane import Plane
from ntknas.correlation.row import BASELINE
from ntknas.correlation.scored import Scored
from ntknas.correlation.stand_in import StandIn
from ntknas.correlation.stand_in import stand_ins as all_stand_ins
from ntknas.correlation.trade_off import TradeOffs
from ntknas.spaces import Space
from ntknas.spaces.populations import ALL

Pair = tuple[Scored, StandIn]
"""What one row is made of."""
Meter = Callable[[list[Pair]], Iterable[Pair]]
"""Shows how far a list is that is gone through."""


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
    pairs = [
        (item, stand) for stand in all_stand_ins(stand_ins, meant) for item in items if _is_choice(item, stand, choice)
    ]
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
