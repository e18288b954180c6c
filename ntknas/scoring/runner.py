"""Runs a plan in this process: one kernel after the other, each journalled before it is reported as done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch

from ntknas.core.score import Score
from ntknas.scoring.computation import Computation
from ntknas.scoring.job import Job
from ntknas.scoring.plan import Plan, WorkItem
from ntknas.store import ScoreRecord, ScoreStore


@dataclass(frozen=True)
class Progress:
    """What one finished kernel gave.

    Attributes:
        item: The kernel.
        scores: Its scores by measure.
        seconds: The time it took.
    """

    item: WorkItem
    scores: Mapping[str, Score]
    seconds: float

    def records(self, run_id: str) -> Iterator[ScoreRecord]:
        """Yield what a store keeps of it, for each cell that is this network."""
        for cell in self.item.members:
            yield ScoreRecord(self.item.setting, run_id, cell, self.item.seed, self.seconds, self.scores)


def run(plan: Plan, job: Job, store: ScoreStore, device: torch.device, run_id: str) -> Iterator[Progress]:
    """Carry out a plan.

    Args:
        plan: What to compute.
        job: What it belongs to.
        store: Where scores go.
        device: Where to compute.
        run_id: Identifier of this run in the store.

    Yields:
        One entry for each kernel, after its scores are safe.

    Raises:
        NtknasError: If the recipe is impossible for these networks, or the store cannot be written.
    """
    for record in plan.copies:
        store.append(record)
    compute = Computation(job, device)
    for item in plan.items:
        done = Progress(item, *compute(item))
        for record in done.records(run_id):
            store.append(record)
        yield done
