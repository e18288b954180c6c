"""Runs a plan in this process: one kernel after the other, each journalled before it is reported as done."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from ntknas.scoring.computation import Computation
from ntknas.scoring.job import Job
from ntknas.scoring.plan import Plan
from ntknas.scoring.progress import Progress, Report
from ntknas.store import ScoreStore


def run(plan: Plan, job: Job, store: ScoreStore, device: torch.device, run_id: str) -> Iterator[Report]:
    """Carry out a plan.

    Args:
        plan: What to compute.
        job: What it belongs to.
        store: Where scores go.
        device: Where to compute.
        run_id: Identifier of this run in the store.

    Yields:
        One entry for each kernel, after its scores are safe, and for each epoch of training.

    Raises:
        NtknasError: If the recipe is impossible for these networks, or the store cannot be written.
    """
    for record in plan.copies:
        store.append(record)
    compute = Computation(job, device)
    for task in plan.tasks:
        for done in compute(task):
            if isinstance(done, Progress):
                for record in done.records(run_id):
                    store.append(record)
            yield done
