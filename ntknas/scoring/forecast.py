"""What a run would take: networks to compute after recognising equal ones, time and memory from a short trial."""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, replace

import torch

from ntknas.scoring.computation import Computation
from ntknas.scoring.job import Job
from ntknas.scoring.plan import Plan, Task
from ntknas.scoring.progress import Progress
from ntknas.scoring.recipe import WITHOUT_KERNEL

TRIALS = 5
LIMIT_SECONDS = 60.0
"""A kind of item that has taken so long gets no further trial."""


@dataclass(frozen=True)
class Forecast:
    """The answer, for all items of one kind: those with the same setting and measures.

    Attributes:
        kind: ``kernel``, ``regression`` or ``network``; ``trained`` for everything that is measured while a network
            trains, of which one epoch is tried and multiplied.
        output: Output reduction of the kernel.
        measures: The measures.
        items: How many networks have to be computed.
        tried: Seconds of each that was tried, from the lightest network to the heaviest.
    """

    kind: str
    output: str
    measures: tuple[str, ...]
    items: int
    tried: list[float]

    @property
    def seconds(self) -> float:
        """Seconds for all items on one worker."""
        return self.items * statistics.fmean(self.tried)

    @property
    def uncertainty(self) -> float | None:
        """Standard error of ``seconds``, from the spread of the trials; ``None`` with one."""
        if len(self.tried) < 2:
            return None
        return self.items * statistics.stdev(self.tried) / len(self.tried) ** 0.5


def forecast(plan: Plan, job: Job, device: torch.device) -> list[Forecast]:
    """Try a few items of each kind, spread over the networks' FLOPs; nothing is stored.

    Args:
        plan: What would be computed.
        job: What it belongs to.
        device: Where to try.
    """
    kinds: dict[tuple[tuple[str, tuple[str, ...]], ...], list[Task]] = defaultdict(list)
    for task in plan.tasks:
        kinds[tuple((item.setting, item.measures) for item in task)].append(task)
    if job.training is not None:
        job = replace(job, training=replace(job.training, checkpoints=None))
    compute = Computation(job, device)
    found = []
    for tasks in kinds.values():
        chosen = _spread(tasks, job)
        _seconds(compute, chosen[0])  # the first one also loads libraries
        found.append(Forecast(*_kind(tasks[0]), len(tasks), _try(compute, chosen)))
    return found


def _kind(task: Task) -> tuple[str, str, tuple[str, ...]]:
    first = task[0]
    measures = tuple(dict.fromkeys(name for item in task for name in item.measures))
    output = "–" if first.kind in WITHOUT_KERNEL else first.choices.output
    return "trained" if first.epoch else first.kind, output, measures


def _spread(tasks: list[Task], job: Job) -> list[Task]:
    """Tasks at the middles of equally many, ordered by FLOPs, so that their mean is that of all."""
    space = job.space
    by_flops = sorted(tasks, key=lambda task: (space.flops(space[task[0].cell]), task[0].cell))
    count = min(TRIALS, len(tasks))
    return [by_flops[int((place + 0.5) * len(tasks) / count)] for place in range(count)]


def _try(compute: Computation, tasks: list[Task]) -> list[float]:
    start, taken = time.monotonic(), []
    for task in tasks:
        taken.append(_seconds(compute, task))
        if time.monotonic() - start > LIMIT_SECONDS:
            break
    return taken


def _seconds(compute: Computation, task: Task) -> float:
    """Compute a task and return its time; of a training one epoch, multiplied, and every kernel after it."""
    epochs, start = max(item.epoch for item in task), time.perf_counter()
    tried = compute(tuple(replace(item, epoch=min(item.epoch, 1)) for item in task))
    kernels = [done for done in tried if isinstance(done, Progress) and done.item.kind != "training"]
    measuring = sum(done.seconds for done in kernels)
    return measuring + epochs * (time.perf_counter() - start - measuring) if epochs else measuring


def peak_memory(device: torch.device) -> int:
    """Return the most bytes that were in use: of the GPU, or of this process."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
