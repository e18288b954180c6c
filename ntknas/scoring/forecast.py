"""What a run would take: networks to compute after recognising equal ones, time and memory from a short trial."""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections import defaultdict
from dataclasses import dataclass

import torch

from ntknas.scoring.computation import Computation
from ntknas.scoring.job import Job
from ntknas.scoring.plan import Plan, WorkItem

TRIALS = 5
LIMIT_SECONDS = 60.0
"""A kind of item that has taken so long gets no further trial."""


@dataclass(frozen=True)
class Forecast:
    """The answer, for all items of one kind: those with the same setting and measures.

    Attributes:
        kind: ``kernel``, ``regression`` or ``network``.
        output: Output reduction of the kernel.
        measures: The measures.
        items: How many have to be computed.
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
    kinds: dict[tuple[str, tuple[str, ...]], list[WorkItem]] = defaultdict(list)
    for item in plan.items:
        kinds[item.setting, item.measures].append(item)
    compute = Computation(job, device)
    found = []
    for items in kinds.values():
        chosen = _spread(items, job)
        compute(chosen[0])  # the first one also loads libraries
        first = items[0]
        output = first.choices.output if first.kind != "network" else "–"
        found.append(Forecast(first.kind, output, first.measures, len(items), _try(compute, chosen)))
    return found


def _spread(items: list[WorkItem], job: Job) -> list[WorkItem]:
    """Items at the middles of equally many, ordered by FLOPs, so that their mean is that of all."""
    space = job.space
    by_flops = sorted(items, key=lambda item: (space.flops(space[item.cell]), item.cell))
    count = min(TRIALS, len(items))
    return [by_flops[int((place + 0.5) * len(items) / count)] for place in range(count)]


def _try(compute: Computation, items: list[WorkItem]) -> list[float]:
    start, taken = time.monotonic(), []
    for item in items:
        taken.append(compute(item)[1])
        if time.monotonic() - start > LIMIT_SECONDS:
            break
    return taken


def peak_memory(device: torch.device) -> int:
    """Return the most bytes that were in use: of the GPU, or of this process."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
