"""What measures of a network draw for themselves: noise in the place of images, weights in the place of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntknas.core.cases import NetworkCase
from ntknas.core.lazy import nn, torch

if TYPE_CHECKING:
    from torch import Generator, Tensor


def noise(case: NetworkCase, generator: Generator, count: int | None = None) -> Tensor:
    """Draw standard normal inputs in the shape of the probe's images, on their device and in their precision.

    Args:
        case: The network and its probe.
        generator: Generator on the CPU, so that every device draws the same.
        count: Number of inputs; as many as the probe has without one.

    Returns:
        The inputs.
    """
    shape = (len(case.images) if count is None else count, *case.images.shape[1:])
    # In the layout of the probe: convolutions add up in another order in another one.
    last = case.images.is_contiguous(memory_format=torch.channels_last)
    layout = torch.channels_last if last else torch.contiguous_format
    return torch.randn(shape, generator=generator).to(case.images).contiguous(memory_format=layout)


def draw_weights(network: nn.Module, generator: Generator) -> None:
    """Give every convolution and linear layer of a network weights N(0, 1) and biases 0.

    Args:
        network: The network; it is changed.
        generator: Generator on the CPU.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.weight.data.copy_(torch.randn(module.weight.shape, generator=generator))
            if module.bias is not None:
                nn.init.zeros_(module.bias)
