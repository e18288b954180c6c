"""What this machine has to compute with: cores, the threads of each worker, the device of each."""

from __future__ import annotations

import os

from ntknas.core.lazy import torch

MAX_THREADS = 10_000
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""Variables that tell libraries their threads; what the user set in them holds."""


def devices_of(workers: int | None, device: torch.device) -> list[str]:
    """Return the device of each worker: GPUs in turn, or the CPU.

    Args:
        workers: Their number; ``None`` for one per GPU, or one per core.
        device: The device that was asked for; ``cuda`` stands for every GPU.
    """
    if device.type == "cuda" and device.index is None:
        gpus = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
        return [gpus[number % len(gpus)] for number in range(workers or len(gpus))]
    return [str(device)] * (workers or (cores() if device.type == "cpu" else 1))


def threads_of(workers: int) -> int:
    """Return the threads of each worker: what ``OMP_NUM_THREADS`` says, else so that all have this process' cores."""
    return threads_asked() or max(1, cores() // workers)


def threads_asked() -> int | None:
    """Return the threads that the user asks for in ``OMP_NUM_THREADS``; ``None`` if it asks for none."""
    first = os.environ.get(THREAD_VARIABLES[0], "").partition(",")[0].strip()  # more are for parallel regions within
    return int(first) if first.isascii() and first.isdigit() and 0 < int(first) < MAX_THREADS else None


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
