"""A short trial before a run: are rows of coupled kernels faster one by one here, or several at once?"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import torch

from ntknas.core.errors import NtknasError
from ntknas.kernels import kernel_operator
from ntknas.kernels.batch_norm import COUPLING
from ntknas.kernels.memory import is_out_of_memory
from ntknas.scoring.cell_kernel import brought, cell_network
from ntknas.scoring.computation import forms_suffice
from ntknas.scoring.faults import ANY_FAULT, reason_of
from ntknas.scoring.job import Job, Strategy
from ntknas.scoring.plan import Plan, WorkItem
from ntknas.scoring.recipe import WITHOUT_KERNEL
from ntknas.spaces import is_own

CANDIDATES = {"cpu": (1, 8), "cuda": (1, 8, 32)}
MIN_ITEMS = 20
"""With fewer kernels to compute a trial is not worth its time."""


def choose_rows(plan: Plan, job: Job, device: torch.device) -> tuple[Strategy, dict[str, Any]]:
    """Choose how many rows of a coupled kernel to compute at once.

    Args:
        plan: What will be computed.
        job: What it belongs to, with the strategy that was asked for.
        device: Where it will be computed.

    Returns:
        The strategy to use, and what a run is recorded with: seconds a row by number of rows at once, on the network
        in the middle of the plan by FLOPs. Without coupled kernels, or with few, nothing is tried.
    """
    items = [item for item in plan.items if _is_coupled(item)]
    if len(items) < MIN_ITEMS:
        return job.strategy, {}
    space = job.space
    middle = sorted(items, key=lambda item: (space.flops(space[item.cell]), item.cell))[len(items) // 2]
    try:
        seconds = _seconds_a_row(job, middle, device)
    except NtknasError:
        raise
    except ANY_FAULT as error:  # the run says whose fault it is, of every network that has it
        return job.strategy, {"cell": middle.cell, "failed": reason_of(error)}
    best = min(seconds, key=lambda rows: seconds[rows])
    record = {"cell": middle.cell, "seconds_a_row": {str(rows): round(value, 6) for rows, value in seconds.items()}}
    return replace(job.strategy, rows_at_once=best), record


def _is_coupled(item: WorkItem) -> bool:
    return item.kind not in WITHOUT_KERNEL and item.choices.batch_norm == COUPLING and not forms_suffice(item)


def _seconds_a_row(job: Job, item: WorkItem, device: torch.device) -> dict[int, float]:
    images = brought(job.probe.of_seed(item.seed).images, device, item.choices.precision)
    network = cell_network(job.space, item.cell, item.seed, job.dataset, job.recipe.network, images)
    choices = item.choices
    found = {}
    with kernel_operator(
        network, images, "sum", choices.batch_norm, choices.parameters, verify=not is_own(job.space)
    ) as kernel:
        candidates = CANDIDATES.get(device.type, (1,))
        rows = min(max(candidates), len(images))
        for at_once in candidates:
            try:
                kernel.rows(min(at_once, rows), at_once)  # the first call prepares what later ones reuse
                _finish(device)
                start = time.perf_counter()
                kernel.rows(rows, at_once)
                _finish(device)
            except (RuntimeError, MemoryError) as error:
                if at_once == 1 or not is_out_of_memory(error):
                    raise
                continue
            found[at_once] = (time.perf_counter() - start) / rows
    return found


def _finish(device: torch.device) -> None:
    """Wait until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
