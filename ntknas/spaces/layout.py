"""The memory layout that our own networks compute in."""

from __future__ import annotations

from torch import Tensor
from torch.fx import Proxy


def laid_out(images: Tensor) -> Tensor:
    """Return a network's input in the layout that the network computes in: channels last on the CPU.

    Layers follow their input's layout, and sum in another order in another one: an activation that is all but zero
    then has another sign, and scores differ by per cents. So the network decides, not its caller. With channels last
    average pooling and its gradient above all are faster (``python scripts/memory_format.py``).
    """
    if isinstance(images, Proxy) or images.device.type != "cpu" or images.dim() != 4:
        return images  # a Proxy records operations, and has no device: how values lie in memory is none of them
    return images.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)  # vmap knows no memory_format
