"""A short trial before a run: are rows of coupled kernels faster one by one here, or several at once?"""

from __future__ import annotations

import time
from dataclasses import replace

import torch

from ntknas.core.choices import Choices
from ntknas.core.errors import NtknasError
from ntknas.kernels import Batch, open_operator
from ntknas.kernels.memory import is_out_of_memory
from ntknas.kernels.operator import KernelOperator
from ntknas.scoring.cell_kernel import cell_network, prepare_images
from ntknas.scoring.coupling import with_whole_passes
from ntknas.scoring.faults import ANY_FAULT, reason_of
from ntknas.scoring.job import Job, Strategy
from ntknas.scoring.plan import Plan, WorkItem
from ntknas.spaces import is_own

CANDIDATES = {"cpu": (1, 8), "cuda": (1, 8, 32)}
MIN_ITEMS = 20
"""With fewer kernels to compute a trial is not worth its time."""


def choose_rows(plan: Plan, job: Job, device: torch.device) -> tuple[Strategy, dict[str, object]]:
    """Choose how many rows of a coupled kernel to compute at once.

    Args:
        plan: What will be computed.
        job: What it belongs to, with the strategy that was asked for.
        device: Where it will be computed.

    Returns:
        The strategy to use, and what a run is recorded with: seconds per row by number of rows at once, on the network
        in the middle of the plan by FLOPs. Without coupled kernels, or with few, nothing is tried.

    Raises:
        NtknasError: If the choices are impossible for such networks.
    """
    if len(plan.items) < MIN_ITEMS:
        return job.strategy, {}
    items, space = with_whole_passes(plan.items, job), job.space
    if len(items) < MIN_ITEMS:
        return job.strategy, {}
    middle = sorted(items, key=lambda item: (space.flops(space[item.cell]), item.cell))[len(items) // 2]
    try:
        seconds = _seconds_per_row(job, middle, device)
    except NtknasError:
        raise
    except ANY_FAULT as error:  # the run says whose fault it is, of every network that has it
        return job.strategy, {"cell": middle.cell, "failed": reason_of(error)}
    best = min(seconds, key=lambda rows: seconds[rows])
    record = {"cell": middle.cell, "seconds_a_row": {str(rows): round(value, 6) for rows, value in seconds.items()}}
    return replace(job.strategy, rows_at_once=best), record


def _seconds_per_row(job: Job, item: WorkItem, device: torch.device) -> dict[int, float]:
    images = prepare_images(job.probe.of_seed(item.seed).images, device, item.choices.precision)
    network = cell_network(job.space, item.cell, item.seed, job.dataset, job.recipe.network, images)
    choices = Choices.of("sum", item.choices.batch_norm, item.choices.parameters)
    with open_operator(network, Batch(images), choices, verify=not is_own(job.space)) as kernel:
        candidates = CANDIDATES.get(device.type, (1,))
        count = min(max(candidates), len(images))
        seconds = {rows: _timed(kernel, count, rows, device) for rows in candidates}
    return {rows: value for rows, value in seconds.items() if value is not None}


def _timed(kernel: KernelOperator, count: int, at_once: int, device: torch.device) -> float | None:
    """Return seconds per row, or ``None`` where as many rows do not fit into memory."""
    try:
        kernel.rows(min(at_once, count), at_once)  # the first call prepares what later ones reuse
        _finish(device)
        start = time.perf_counter()
        kernel.rows(count, at_once)
        _finish(device)
    except (RuntimeError, MemoryError) as error:
        if at_once == 1 or not is_out_of_memory(error):
            raise
        return None
    return (time.perf_counter() - start) / count


def _finish(device: torch.device) -> None:
    """Wait until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
