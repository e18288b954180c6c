"""What a run would take: networks to compute after recognising equal ones, time and memory from short trials."""

from __future__ import annotations

import math
import resource
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace

import torch

from ntknas.core.durations import Amount, TimeLeft, TimeModel
from ntknas.scoring.computation import Computation
from ntknas.scoring.coupling import with_whole_passes
from ntknas.scoring.fewer_images import fewer, sizes
from ntknas.scoring.job import Job
from ntknas.scoring.plan import Plan, Task, WorkItem
from ntknas.scoring.progress import KernelDone
from ntknas.scoring.recipe import WITHOUT_KERNEL

TRIALS = 5
BUDGET = 60.0
"""Seconds for all trials; each kind of item may exceed its share by the last one."""
SAMPLE = 1000
"""Networks of a kind whose FLOPs are looked up: of more than this many, equally many from the whole plan."""

Clock = Callable[[], float]
Try = Callable[[Task, int], float]


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


@dataclass(frozen=True)
class Forecast:
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


@dataclass(frozen=True)
class CellTried:
    """A network was tried.

    Attributes:
        cell: Its cell.
        images: Number of images that it was tried with.
        whole: Number of images of the probe.
        seconds: Time that it took.
    """

    cell: int
    images: int
    whole: int
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
    forecasts, end = [], clock() + budget
    for number, tasks in enumerate(kinds.values()):
        share = max(0.0, end - clock()) / (len(kinds) - number)
        kind, output, measures = _kind(tasks[0])
        on_event(KindBegins(number + 1, len(kinds), len(tasks), measures, share))
        trial = _Trial(job, tasks, share, _trying(job, device, clock), clock)
        forecasts.append(KindForecast(kind, output, measures, len(tasks), *trial.run(on_event)))
    return forecasts


def _kind(task: Task) -> tuple[str, str, tuple[str, ...]]:
    first = task[0]
    measures = tuple(dict.fromkeys(name for item in task for name in item.measures))
    output = "–" if first.kind in WITHOUT_KERNEL else first.choices.output
    return "trained" if first.epoch else first.kind, output, measures


class _Trial:
    """The trials of one kind."""

    def __init__(self, job: Job, tasks: list[Task], share: float, attempt: Try, clock: Clock):
        self._images, self._tasks, self._clock, self._try = len(job.probe), tasks, clock, attempt
        self._end = clock() + share
        self._flops = _flops(job, tasks)
        self._power = 2 if with_whole_passes(tasks[0], job) else 1  # of the number of images that times grow with
        self._chosen = _spread(tasks, self._flops)
        self._spent = self._told_of = 0.0

    def run(self, on_event: OnEvent) -> tuple[float, list[float], int, bool]:
        """Return seconds for all, those of each trial, the number of images, and whether the trials stand for all."""
        images, spent, light = self._lightest(on_event)
        times = light / max(spent, 1e-9)
        model, tried = TimeModel(), [light]
        model.add(self._flops_of(self._chosen[0]), light)
        for task in self._chosen[1:] if images == self._images else self._chosen[1:][-1:]:
            if self._shortened(model.seconds(1, self._flops_of(task)) / times) > self._left():
                break
            tried.append(self._told(task, images, on_event) * times)
            model.add(self._flops_of(task), tried[-1])
        spread, number = len(tried) == len(self._chosen), len(self._tasks)
        seconds = number * statistics.fmean(tried)
        if not spread:
            seconds = model.seconds(number, number * statistics.fmean(self._flops.values()))
        return seconds, tried, images, spread

    def _lightest(self, on_event: OnEvent) -> tuple[int, float, float]:
        """Try the lightest network with ever more images, as long as they leave time for others.

        Returns:
            The most images that were tried, its seconds with them, and with all.
        """
        light, number, taken = self._chosen[0], 0, 0.0
        model = _TimeByImages(self._power)
        for more in sizes(self._images):
            if number and self._shortened(model.next(more)) > self._left() / 2:
                break
            taken = self._told(light, more, on_event)
            if not number and self._spent < self._left() / 4:  # the first one also loads libraries
                taken = self._told(light, more, on_event)
            number = more
            model.add(number, taken)
        return number, taken, taken if number == self._images else model.seconds(self._images)

    def _told(self, task: Task, images: int, on_event: OnEvent) -> float:
        start = self._clock()
        self._told_of = self._try(task, images)
        self._spent = self._clock() - start
        on_event(CellTried(task[0].cell, images, self._images, self._spent))
        return self._told_of

    def _shortened(self, seconds: float) -> float:
        """What a trial spends that stands for so many seconds: of a training one epoch."""
        return seconds * self._spent / max(self._told_of, 1e-9)

    def _left(self) -> float:
        return self._end - self._clock()

    def _flops_of(self, task: Task) -> float:
        return self._flops[task[0].cell]


class _TimeByImages:
    """Seconds of a task by its images: n^(p−1) passes, each of which has a fixed part and one that grows with n."""

    def __init__(self, power: int):
        self._power, self._model = power, TimeModel()
        self._last = 0, 0.0

    def add(self, images: int, seconds: float) -> None:
        self._last = images, seconds
        self._model.add(float(images), seconds / images ** (self._power - 1))

    def seconds(self, images: int) -> float:
        """Return what so many images take; from one number of images alone this is at the most."""
        return float(images ** (self._power - 1)) * self._model.seconds(1, float(images))

    def next(self, images: int) -> float:
        """Return what so many images may take, between what fixed parts alone and growing ones alone would."""
        number, seconds = self._last
        return float(seconds * (images / number) ** ((1 + self._power) / 2))


def _flops(job: Job, tasks: list[Task]) -> dict[int, float]:
    """FLOPs by cell, of all tasks or of equally spaced ones."""
    space = job.space
    return {
        task[0].cell: float(space.flops(space[task[0].cell])) for task in tasks[:: max(1, round(len(tasks) / SAMPLE))]
    }


def _spread(tasks: list[Task], flops: dict[int, float]) -> list[Task]:
    """Tasks at the middles of equally many, ordered by FLOPs, so that their mean is that of all."""
    known = [task for task in tasks if task[0].cell in flops]
    by_flops = sorted(known, key=lambda task: (flops[task[0].cell], task[0].cell))
    count = min(TRIALS, len(known))
    return [by_flops[int((place + 0.5) * len(known) / count)] for place in range(count)]


def _trying(job: Job, device: torch.device, clock: Clock) -> Try:
    """Return what tries a task of a job with so many images, and tells the seconds."""

    def attempt(task: Task, images: int) -> float:
        return _seconds(Computation(fewer(job, images), device), task, clock)

    return attempt


def _seconds(compute: Computation, task: Task, clock: Clock) -> float:
    """Compute a task and return its time; of a training one epoch, multiplied, and every kernel after it."""
    epochs, start = max(item.epoch for item in task), clock()
    tried = compute(tuple(replace(item, epoch=min(item.epoch, 1)) for item in task))
    kernels = [done for done in tried if isinstance(done, KernelDone) and done.item.kind != "training"]
    measuring = sum(done.seconds for done in kernels)
    return measuring + epochs * (clock() - start - measuring) if epochs else measuring


def kind_and_cost(job: Job, item: WorkItem) -> tuple[Hashable, float]:
    """Return which items an item is alike but for its network, and its cost among them: FLOPs."""
    return (item.setting, item.measures), float(job.space.flops(job.space[item.cell]))


def kernels_left(plan: Plan, job: Job) -> TimeLeft:
    """Return what tells how long a plan without training takes; FLOPs are those of equally spaced items."""
    kinds: dict[Hashable, list[WorkItem]] = defaultdict(list)
    for item in plan.items:
        kinds[item.setting, item.measures].append(item)
    return TimeLeft({kind: _amount(job, items) for kind, items in kinds.items()})


def _amount(job: Job, items: Sequence[WorkItem]) -> Amount:
    some = items[:: max(1, round(len(items) / SAMPLE))]
    return Amount(len(items), len(items) * statistics.fmean(kind_and_cost(job, item)[1] for item in some))


def peak_memory(device: torch.device) -> int:
    """Return the most bytes that were in use: of the GPU, or of this process."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
