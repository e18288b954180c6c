"""What a run is recorded with: versions, device, threads and time."""

from __future__ import annotations

import os
import platform
import re
from datetime import UTC, datetime

import numpy

from ntknas import __version__
from ntknas.core.errors import NtknasError, did_you_mean
from ntknas.core.lazy import torch


def resolve_device(name: str) -> torch.device:
    """Return the device to compute on.

    Args:
        name: ``auto`` (a GPU if there is one), ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        NtknasError: If the device does not exist here.
    """
    check_device(name)
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cpu":
        return torch.device("cpu")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if int(name.removeprefix("cuda").removeprefix(":") or 0) >= count:
        raise NtknasError(f"No device {name!r}: torch {torch.__version__} sees {count} GPU(s) here. Use `device` cpu.")
    return torch.device(name)


def check_device(name: str) -> None:
    """Check how a device is written, which takes no torch.

    Raises:
        NtknasError: If it is not written as devices are.
    """
    if name not in ("auto", "cpu") and not re.fullmatch(r"cuda(:\d{1,9})?", name, re.ASCII):
        hint = did_you_mean(name, ("auto", "cpu", "cuda"))
        raise NtknasError(f"Unknown device {name!r}: expected auto, cpu, cuda or cuda:N.{hint}")


def describe(device: torch.device) -> dict[str, object]:
    """Return versions, device and threads as plain data."""
    is_gpu = device.type == "cuda"
    return {
        "ntknas": __version__,
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "device": torch.cuda.get_device_name(device)
        if is_gpu
        else f"cpu ({platform.machine()}, {os.cpu_count()} cores)",
        "threads": torch.get_num_threads(),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }
