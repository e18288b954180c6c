"""Short trials of a few networks, within a budget of seconds, and what follows for all of their kind."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from ntknas.core.durations import TimeModel
from ntknas.scoring.computation import Computation
from ntknas.scoring.coupling import with_whole_passes
from ntknas.scoring.fewer_images import fewer, sizes
from ntknas.scoring.job import Job
from ntknas.scoring.plan import Task
from ntknas.scoring.progress import KernelDone

TRIALS = 5
SAMPLE = 1000
"""Networks of a kind whose FLOPs are looked up: of more than this many, equally many from the whole plan."""

Clock = Callable[[], float]
Try = Callable[[Task, int], float]


@dataclass(frozen=True)
class CellTried:
    """A network was tried.

    Attributes:
        cell: Its cell.
        images: Number of images that it was tried with.
        probe_size: Number of images of the probe.
        seconds: Time that it took.
    """

    cell: int
    images: int
    probe_size: int
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """What the trials of one kind say.

    Attributes:
        seconds: Seconds for all networks of the kind.
        tried: Seconds of each that was tried, from the lightest to the heaviest.
        images: With how many images they were tried.
        spread: Whether they stand for all.
    """

    seconds: float
    tried: list[float]
    images: int
    spread: bool


class Trials:
    """The trials of one kind of tasks.

    Args:
        job: What the tasks belong to.
        tasks: The tasks.
        share: Seconds that the trials may take; the last one may exceed it.
        attempt: Computes a task with so many images, and returns the seconds.
        clock: Tells the seconds.
        on_trial: Told what was tried.
    """

    def __init__(
        self,
        job: Job,
        tasks: list[Task],
        share: float,
        attempt: Try,
        clock: Clock,
        on_trial: Callable[[CellTried], None],
    ) -> None:
        self._images, self._tasks, self._clock, self._try = len(job.probe), tasks, clock, attempt
        self._on_trial = on_trial
        self._end = clock() + share
        self._flops = _flops(job, tasks)
        self._power = 2 if with_whole_passes(tasks[0], job) else 1  # of the number of images that times grow with
        self._chosen = _spread(tasks, self._flops)
        self._spent = self._last_seconds = 0.0

    def run(self) -> Outcome:
        """Try networks as long as there is time."""
        images, spent, light = self._lightest()
        times = max(light, 1e-9) / max(spent, 1e-9)  # a disconnected network takes no time
        model, seconds_of_each = TimeModel(), [light]
        model.add(self._flops_of(self._chosen[0]), light)
        for task in self._chosen[1:] if images == self._images else self._chosen[1:][-1:]:
            if self._shortened(model.seconds(1, self._flops_of(task)) / times) > self._left():
                break
            seconds_of_each.append(self._attempt(task, images) * times)
            model.add(self._flops_of(task), seconds_of_each[-1])
        spread, number = len(seconds_of_each) == len(self._chosen), len(self._tasks)
        seconds = number * statistics.fmean(seconds_of_each)
        if not spread:
            seconds = model.seconds(number, number * statistics.fmean(self._flops.values()))
        return Outcome(seconds, seconds_of_each, images, spread)

    def _lightest(self) -> tuple[int, float, float]:
        """Try the lightest network with ever more images, as long as they leave time for others.

        Returns:
            The most images that were tried, its seconds with them, and with all.
        """
        light, number, seconds = self._chosen[0], 0, 0.0
        model = _TimeByImages(self._power)
        for more in sizes(self._images):
            if number and self._shortened(model.next(more)) > self._left() / 2:
                break
            seconds = self._attempt(light, more)
            if not number and self._spent < self._left():  # the first one also loads libraries
                seconds = self._attempt(light, more)
            number = more
            model.add(number, seconds)
        return number, seconds, seconds if number == self._images else model.seconds(self._images)

    def _attempt(self, task: Task, images: int) -> float:
        start = self._clock()
        self._last_seconds = self._try(task, images)
        self._spent = self._clock() - start
        self._on_trial(CellTried(task[0].cell, images, self._images, self._spent))
        return self._last_seconds

    def _shortened(self, seconds: float) -> float:
        """What a trial spends that stands for so many seconds: of a training one epoch."""
        return seconds * self._spent / max(self._last_seconds, 1e-9)

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
    candidates = [task for task in tasks if task[0].cell in flops]
    by_flops = sorted(candidates, key=lambda task: (flops[task[0].cell], task[0].cell))
    count = min(TRIALS, len(candidates))
    return [by_flops[int((number + 0.5) * len(candidates) / count)] for number in range(count)]


def trying(job: Job, device: torch.device, clock: Clock) -> Try:
    """Return what tries a task of a job with so many images, and tells the seconds."""

    def attempt(task: Task, images: int) -> float:
        return _seconds(Computation(fewer(job, images), device), task, clock)

    return attempt


def _seconds(compute: Computation, task: Task, clock: Clock) -> float:
    """Compute a task and return its time; of a training one epoch, multiplied, and every kernel after it."""
    epochs, start = max(item.epoch for item in task), clock()
    reports = compute(tuple(replace(item, epoch=min(item.epoch, 1)) for item in task))
    kernels = [report for report in reports if isinstance(report, KernelDone) and report.item.kind != "training"]
    measuring = sum(report.seconds for report in kernels)
    return measuring + epochs * (clock() - start - measuring) if epochs else measuring
