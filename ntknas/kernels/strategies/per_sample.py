"""Rows of J restricted to one layer, from the layer's input and output gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

Geometry = tuple[Any, ...]
"""(stride, padding, dilation, groups) of a convolution."""
FEWEST_CHANNELS = 8
"""Input channels of a group from which a grouped convolution is faster than patches on the CPU."""


def linear_weight(x: Tensor, gradient: Tensor) -> Tensor:
    """Rows of a linear layer's weight: Σ_positions g ⊗ a, shape B×(out·in); dimension 0 is the sample."""
    g = gradient.reshape(len(gradient), -1, gradient.shape[-1])
    a = x.reshape(len(x), -1, x.shape[-1])
    return (g.transpose(1, 2) @ a).flatten(1)


def linear_bias(gradient: Tensor) -> Tensor:
    """Rows of a linear layer's bias: the gradient summed over positions."""
    return gradient.reshape(len(gradient), -1, gradient.shape[-1]).sum(1)


def convolution_weight(x: Tensor, gradient: Tensor, kernel: Sequence[int], geometry: Geometry) -> Tensor:
    """Rows of a convolution's weight, shape B×(out·in/groups·kernel), in the weight's own order.

    Args:
        x: Input, B×in×length or B×in×height×width.
        gradient: Gradient of the output.
        kernel: Size of the kernel.
        geometry: (stride, padding, dilation, groups).
    """
    stride, padding, dilation, groups = geometry
    if x.dim() == 3:
        x, gradient, kernel = x.unsqueeze(2), gradient.unsqueeze(2), (1, *kernel)
        stride, padding, dilation = (1, *stride), (0, *padding), (1, *dilation)
    if all(size == 1 for size in (*kernel, *stride)) and not any(padding):
        return _by_position(x.flatten(2), gradient, groups)
    if _suits_grouped(x, groups):
        return convolution_weight_by_groups(x, gradient, kernel, (stride, padding, dilation, groups))
    return _by_position(F.unfold(x, tuple(kernel), dilation, padding, stride), gradient, groups)


def _by_position(patches: Tensor, gradient: Tensor, groups: int) -> Tensor:
    """Σ_positions g ⊗ patch, within each group of channels."""
    a = patches.unflatten(1, (groups, -1))
    g = gradient.flatten(2).unflatten(1, (groups, -1))
    return (g @ a.transpose(-1, -2)).flatten(1)


def _suits_grouped(x: Tensor, groups: int) -> bool:
    """Whether a grouped convolution is faster than patches: float32 on the CPU, several channels a group."""
    return x.device.type == "cpu" and x.dtype == torch.float32 and x.shape[1] // groups >= FEWEST_CHANNELS


def convolution_weight_by_groups(x: Tensor, gradient: Tensor, kernel: Sequence[int], geometry: Geometry) -> Tensor:
    """The same rows as the weight gradient of one convolution, in which every sample is a group of its own.

    With B samples side by side as channels, 1×(B·in)×height×width, the gradient of the B·groups groups' weights holds
    one sample's rows after the other's. No patch is ever written to memory.
    """
    stride, padding, dilation, groups = geometry
    samples, channels = x.shape[:2]
    weight = x.new_empty(samples * gradient.shape[1], channels // groups, *kernel)
    _, rows, _ = torch.ops.aten.convolution_backward(
        gradient.reshape(1, -1, *gradient.shape[2:]),
        x.reshape(1, -1, *x.shape[2:]),
        weight,
        None,
        stride,
        padding,
        dilation,
        False,
        [0, 0],
        samples * groups,
        [False, True, False],
    )
    return rows.reshape(samples, -1)


def channel_sums(values: Tensor) -> Tensor:
    """Sum over everything but sample and channel, shape B×channels."""
    return values.flatten(2).sum(2) if values.dim() > 2 else values
