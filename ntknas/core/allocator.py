"""Tells the C library to keep large blocks of memory for the next kernel instead of handing them back."""

from __future__ import annotations

import ctypes
import platform

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # M_TRIM_THRESHOLD and M_MMAP_MAX of malloc.h
_MAX_THRESHOLD = 2**31 - 1  # mallopt takes an int


def keep_freed_memory() -> bool:
    """Let glibc keep freed blocks for reuse, for the rest of this process.

    By default every tensor of some megabytes is mapped afresh and unmapped when freed, and each of its pages faults
    when first written: a good part of the time of a kernel on the CPU (``scripts/speed.py --default-allocator``). The
    process's memory stays at its peak instead. Does nothing without glibc.

    Returns:
        Whether it was set.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    libc = ctypes.CDLL(None)
    return bool(libc.mallopt(_MMAP_MAX, 0) and libc.mallopt(_TRIM_THRESHOLD, _MAX_THRESHOLD))
