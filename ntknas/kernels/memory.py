"""Memory: what is free, and the errors that say it ran out, whichever way torch says it."""

from __future__ import annotations

from pathlib import Path

import torch

from ntknas.core.errors import KernelError


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error means that memory ran out; on the CPU torch raises a plain ``RuntimeError`` for it."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "allocate memory" in str(error)


def available() -> int | None:
    """Return the bytes of memory that can be had without swapping, or ``None`` where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    kibibytes = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(kibibytes[0]) * 1024 if kibibytes else None


MAX_HELD = 1 << 29
"""Bytes of rows that are held at most."""


def room(device: torch.device) -> int:
    """Return how many bytes of rows to hold: a quarter of what is free, 512 MiB at most."""
    if device.type == "cuda":
        # To the driver what torch's allocator keeps for later is taken.
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        free: int | None = torch.cuda.mem_get_info(device)[0] + unused
    else:
        free = available()
    return MAX_HELD if free is None else min(MAX_HELD, free // 4)


def check_fits(needed: int, contents: str, remedy: str) -> None:
    """Check that something fits into memory before it is made.

    Args:
        needed: Bytes.
        contents: What they hold.
        remedy: What would need less.

    Raises:
        KernelError: If it does not.
    """
    free = available()
    if free is not None and needed > free:
        raise KernelError(
            f"{contents} need {needed / 2**30:,.1f} GiB, and {free / 2**30:,.1f} GiB of memory are free: take {remedy}."
        )
