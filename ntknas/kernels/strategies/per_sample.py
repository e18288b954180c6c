"""Rows of J restricted to one layer, from the layer's input and output gradient."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor


def linear_weight(x: Tensor, gradient: Tensor) -> Tensor:
    """Rows of a linear layer's weight: Σ_positions g ⊗ a, shape B×(out·in); dimension 0 is the sample."""
    g = gradient.reshape(len(gradient), -1, gradient.shape[-1])
    a = x.reshape(len(x), -1, x.shape[-1])
    return (g.transpose(1, 2) @ a).flatten(1)


def linear_bias(gradient: Tensor) -> Tensor:
    """Rows of a linear layer's bias: the gradient summed over positions."""
    return gradient.reshape(len(gradient), -1, gradient.shape[-1]).sum(1)


def convolution_weight(x: Tensor, gradient: Tensor, kernel: Sequence[int], geometry: tuple) -> Tensor:
    """Rows of a convolution's weight, shape B×(out·in/groups·kernel), in the weight's own order.

    Args:
        x: Input, B×in×length or B×in×height×width.
        gradient: Gradient of the output.
        kernel: Size of the kernel.
        geometry: (stride, padding, dilation, groups).
    """
    stride, padding, dilation, groups = geometry
    if x.dim() == 3:
        x, kernel = x.unsqueeze(2), (1, *kernel)
        stride, padding, dilation = (1, *stride), (0, *padding), (1, *dilation)
    if all(size == 1 for size in (*kernel, *stride)) and not any(padding):
        patches = x.flatten(2)
    else:
        patches = F.unfold(x, tuple(kernel), dilation, padding, stride)
    a = patches.unflatten(1, (groups, -1))
    g = gradient.flatten(2).unflatten(1, (groups, -1))
    return (g @ a.transpose(-1, -2)).flatten(1)


def channel_sums(values: Tensor) -> Tensor:
    """Sum over everything but sample and channel, shape B×channels."""
    return values.flatten(2).sum(2) if values.dim() > 2 else values
