"""The memory layout that our own networks compute in."""

from __future__ import annotations

import torch
from torch import Tensor


def laid_out(images: Tensor) -> Tensor:
    """Return a network's input in the layout that the network computes in: channels last on the CPU.

    Layers follow their input's layout, and sum in another order in another one: an activation that is all but zero
    then has another sign, and scores differ by per cents. So the network decides, not its caller. With channels last
    average pooling and its gradient above all are faster (``python scripts/memory_format.py``).
    """
    on_cpu = images.device.type == "cpu" and images.dim() == 4
    return images.contiguous(memory_format=torch.channels_last) if on_cpu else images
