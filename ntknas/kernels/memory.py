"""Memory that ran out, whichever way torch says it."""

from __future__ import annotations

import torch


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error means that memory ran out; on the CPU torch raises a plain ``RuntimeError`` for it."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "allocate memory" in str(error)
