"""How long a study takes, from trials of some of its units."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from ntknas.core.durations import TimeModel
from ntknas.studies.base import Study, Unit

BUDGET = 20.0
"""Seconds for the trials of a forecast."""


@dataclass(frozen=True)
class Trial:
    """What a study would take.

    Attributes:
        seconds: For all units.
        units: How many units were tried.
    """

    seconds: float
    units: int


def estimate(study: Study, budget: float = BUDGET, clock: Callable[[], float] = time.perf_counter) -> Trial:
    """Try some units, cheap ones first, and say how long all take; nothing is kept.

    Args:
        study: The study.
        budget: Seconds for all trials. Units are tried while the next one is expected to end within them, and the
            cheapest one in any case.
        clock: Tells the seconds.

    Returns:
        What it would take.
    """
    costs = {unit: study.cost(unit) for unit in study.units()}
    model, start, trials = TimeModel(), clock(), 0
    for unit in _ever_dearer(costs):
        remaining = budget - (clock() - start)
        if trials and model.seconds(1, costs[unit]) > remaining:
            break
        seconds = _seconds(study, unit, clock)
        if not trials and seconds < remaining / 2:  # the first one also loads libraries
            seconds = _seconds(study, unit, clock)
        model.add(costs[unit], seconds)
        trials += 1
    return Trial(model.seconds(len(costs), sum(costs.values())), trials)


def _ever_dearer(costs: dict[Unit, float]) -> list[Unit]:
    """Return the cheapest unit, and those that cost at least half as much again as the one before."""
    steps: list[Unit] = []
    for unit in sorted(costs, key=lambda unit: costs[unit]):
        if not steps or costs[unit] >= 1.5 * costs[steps[-1]]:
            steps.append(unit)
    return steps


def _seconds(study: Study, unit: Unit, clock: Callable[[], float]) -> float:
    start = clock()
    study.measure(unit)
    return clock() - start
