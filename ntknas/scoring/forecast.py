"""What a run would take: networks to compute after recognising equal ones, time and memory from short trials."""

from __future__ import annotations

import math
import resource
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import torch

from ntknas.core.shown import Shown, counted, in_digits
from ntknas.scoring.job import Job
from ntknas.scoring.plan import Plan, Task
from ntknas.scoring.recipe import WITHOUT_KERNEL
from ntknas.scoring.trials import CellTried, Clock, Trials, trying

BUDGET = 60.0
"""Seconds for all trials; each kind of item may exceed its share by the last one."""


@dataclass(frozen=True)
class KindForecast:
    """What all items of one kind would take: those with the same setting and measures.

    Attributes:
        kind: ``kernel``, ``regression`` or ``network``; ``trained`` for everything that is measured while a network
            trains, of which one epoch is tried and multiplied.
        output: Output reduction of the kernel.
        measures: The measures.
        items: How many networks have to be computed.
        seconds: Seconds for all of them on one worker.
        tried: Seconds of each that was tried, from the lightest network to the heaviest.
        images: With how many images they were tried; with fewer than the probe has, their time is multiplied by the
            ratio, or by its square where a backward pass of the whole batch is needed for every image.
        spread: Whether the networks that were tried stand for all: then ``seconds`` is their mean for each, else it
            follows from the FLOPs of those that are light.
    """

    kind: str
    output: str
    measures: tuple[str, ...]
    items: int
    seconds: float
    tried: list[float]
    images: int
    spread: bool

    @property
    def uncertainty(self) -> float | None:
        """Standard error of ``seconds``, from the spread of the trials; ``None`` where they do not stand for all."""
        if len(self.tried) < 2 or not self.spread:
            return None
        return self.items * statistics.stdev(self.tried) / math.sqrt(len(self.tried))

    def as_json(self) -> dict[str, object]:
        """Return the forecast as plain data."""
        return {**vars(self), "seconds": self.seconds, "uncertainty": self.uncertainty}


@dataclass(frozen=True, repr=False)
class Forecast(Shown):
    """What a run would take.

    Attributes:
        requested: Number of (cell, seed, kernel) that are asked for.
        stored: How many of them are stored.
        networks: Number of networks to compute, equal ones once.
        kinds: What each kind of items takes.
        workers: Workers that share the work.
        bytes_per_worker: Memory that each needs.
    """

    requested: int
    stored: int
    networks: int
    kinds: list[KindForecast]
    workers: int
    bytes_per_worker: int

    @property
    def seconds(self) -> float:
        """Time of the whole run."""
        return sum(kind.seconds for kind in self.kinds) / self.workers

    def as_json(self) -> dict[str, object]:
        """Return the forecast as plain data."""
        return {
            "requested": self.requested,
            "stored": self.stored,
            "to_compute": self.networks,
            "kinds": [kind.as_json() for kind in self.kinds],
            "workers": self.workers,
            "seconds": self.seconds,
            "bytes_per_worker": self.bytes_per_worker,
        }

    def _line(self) -> str:
        memory = f"{self.bytes_per_worker / 2**30:.2g} GiB for each of {counted(self.workers, 'worker')}"
        return f"{counted(self.networks, 'network')} to compute in about {in_digits(self.seconds, 2)} seconds, {memory}"


@dataclass(frozen=True)
class ForecastBegins:
    """A forecast of so many cells and seeds begins."""

    cells: int
    seeds: int


@dataclass(frozen=True)
class ForecastPlanned:
    """It is known how many networks would be computed, a few of which are tried somewhere."""

    networks: int
    where: torch.device


@dataclass(frozen=True)
class KindBegins:
    """Trials of one kind of items begin.

    Attributes:
        number: Which kind it is, from 1.
        kinds: Number of kinds.
        networks: Number of networks of this kind.
        measures: Its measures.
        seconds: Time that its trials may take.
    """

    number: int
    kinds: int
    networks: int
    measures: tuple[str, ...]
    seconds: float


ForecastEvent = ForecastBegins | ForecastPlanned | KindBegins | CellTried
OnEvent = Callable[[ForecastEvent], None]


def forecast_plan(
    plan: Plan,
    job: Job,
    device: torch.device,
    on_event: OnEvent = lambda event: None,
    budget: float = BUDGET,
    clock: Clock = time.perf_counter,
) -> list[KindForecast]:
    """Try a few items of each kind within a budget of seconds; nothing is stored.

    Light networks are tried with few images first, then with more, and other networks spread over their FLOPs, as long
    as the next trial is expected to end within the kind's share of the budget.

    Args:
        plan: What would be computed.
        job: What it belongs to.
        device: Where to try.
        on_event: Told what is tried.
        budget: Seconds for all trials.
        clock: Tells the seconds.

    Returns:
        What each kind takes.
    """
    kinds: dict[tuple[tuple[str, tuple[str, ...]], ...], list[Task]] = defaultdict(list)
    for task in plan.tasks:
        kinds[tuple((item.setting, item.measures) for item in task)].append(task)
    forecasts, deadline = [], clock() + budget
    for number, tasks in enumerate(kinds.values()):
        share = max(0.0, deadline - clock()) / (len(kinds) - number)
        kind, output, measures = _kind(tasks[0])
        on_event(KindBegins(number + 1, len(kinds), len(tasks), measures, share))
        outcome = Trials(job, tasks, share, trying(job, device, clock), clock, on_event).run()
        seconds, tried, images = outcome.seconds, outcome.tried, outcome.images
        forecasts.append(KindForecast(kind, output, measures, len(tasks), seconds, tried, images, outcome.spread))
    return forecasts


def _kind(task: Task) -> tuple[str, str, tuple[str, ...]]:
    first = task[0]
    measures = tuple(dict.fromkeys(name for item in task for name in item.measures))
    output = "–" if first.kind in WITHOUT_KERNEL else first.choices.output
    return "trained" if first.epoch else first.kind, output, measures


def peak_memory(device: torch.device) -> int:
    """Return the most bytes that were in use: of the GPU, or of this process."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss: bytes on macOS, KiB elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
