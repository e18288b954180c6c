"""Rows of J restricted to one layer, from the layer's input and output gradient."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

MIN_CHANNELS = 8
"""Input channels from which a convolution with a group for each sample is faster than patches on the CPU, ..."""
PATCH_VALUES = 1 << 16
"""... if a sample's patches have more values than this."""


class Geometry(NamedTuple):
    """How a convolution's kernel moves; a tuple per axis each, but for the number of groups."""

    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int

    def of_images(self) -> Geometry:
        """Return the geometry of the same convolution along the second of two axes."""
        return Geometry((1, *self.stride), (0, *self.padding), (1, *self.dilation), self.groups)


def linear_weight(x: Tensor, gradient: Tensor) -> Tensor:
    """Return the rows of a linear layer's weight: Σ_positions g ⊗ a, shape B×(out·in); dimension 0 is the sample."""
    g = gradient.reshape(len(gradient), -1, gradient.shape[-1])
    a = x.reshape(len(x), -1, x.shape[-1])
    return (g.transpose(1, 2) @ a).flatten(1)


def linear_bias(gradient: Tensor) -> Tensor:
    """Return the rows of a linear layer's bias: the gradient summed over positions."""
    return gradient.reshape(len(gradient), -1, gradient.shape[-1]).sum(1)


def convolution_weight(
    x: Tensor, gradient: Tensor, kernel: Sequence[int], geometry: Geometry, *, any_order: bool = False
) -> Tensor:
    """Compute the rows of a convolution's weight, shape B×(out·in/groups·kernel), in the weight's own order.

    Args:
        x: Input, B×in×length or B×in×height×width.
        gradient: Gradient of the output.
        kernel: Size of the kernel.
        geometry: How it moves.
        any_order: Whether the columns may have another order, the same for all samples of these shapes.

    Returns:
        The rows, by whichever way is fastest here.
    """
    if x.dim() == 3:
        x, gradient, kernel = x.unsqueeze(2), gradient.unsqueeze(2), (1, *kernel)
        geometry = geometry.of_images()
    groups = geometry.groups
    if all(size == 1 for size in (*kernel, *geometry.stride)) and not any(geometry.padding):
        return _by_position(x.flatten(2), gradient, groups)
    on_cpu = x.device.type == "cpu"
    if any_order and groups == 1 and (not on_cpu or _few_values(x, gradient, kernel)):
        return convolution_weight_by_patches(x, gradient, kernel, geometry)
    # Grouped convolutions are fast by oneDNN alone, which has none in float64.
    if on_cpu and x.dtype == torch.float32 and x.shape[1] // groups >= MIN_CHANNELS:
        return convolution_weight_by_groups(x, gradient, kernel, geometry)
    return convolution_weight_unfolded(x, gradient, kernel, geometry)


def _few_values(x: Tensor, gradient: Tensor, kernel: Sequence[int]) -> bool:
    channels = x.shape[1]
    return channels < MIN_CHANNELS or channels * prod(kernel) * prod(gradient.shape[2:]) <= PATCH_VALUES


def convolution_weight_unfolded(x: Tensor, gradient: Tensor, kernel: Sequence[int], geometry: Geometry) -> Tensor:
    """Compute the rows in the weight's own order, from patches with channels first; on CUDA one launch per sample."""
    stride, padding, dilation, groups = geometry
    return _by_position(F.unfold(x, tuple(kernel), dilation, padding, stride), gradient, groups)


def convolution_weight_by_patches(x: Tensor, gradient: Tensor, kernel: Sequence[int], geometry: Geometry) -> Tensor:
    """Compute the rows with columns in the order kernel, in, out, from patches with channels last.

    A patch is gathered in runs of a kernel's row times all channels, as they lie in memory; groups must be 1.

    Returns:
        The rows, B×(kernel·in·out).
    """
    stride, padding, dilation, _ = geometry
    (vertical, horizontal), (samples, height, width) = padding, (len(x), *gradient.shape[2:])
    last = F.pad(x.permute(0, 2, 3, 1), (0, 0, horizontal, horizontal, vertical, vertical))
    by_sample, by_line, by_position, by_channel = last.stride()  # as it lies: padding need not return channels last
    steps = (by_line * stride[0], by_position * stride[1], by_line * dilation[0], by_position * dilation[1])
    shape = (samples, height, width, *kernel, last.shape[-1])
    patches = last.as_strided(shape, (by_sample, *steps, by_channel)).reshape(samples, height * width, -1)
    return (patches.mT @ gradient.permute(0, 2, 3, 1).reshape(samples, height * width, -1)).flatten(1)


def _by_position(patches: Tensor, gradient: Tensor, groups: int) -> Tensor:
    """Σ_positions g ⊗ patch, within each group of channels."""
    a = patches.unflatten(1, (groups, -1))
    g = gradient.flatten(2).unflatten(1, (groups, -1))
    rows: Tensor = g @ a.transpose(-1, -2)
    return rows.flatten(1)


def convolution_weight_by_groups(x: Tensor, gradient: Tensor, kernel: Sequence[int], geometry: Geometry) -> Tensor:
    """Compute the rows as the weight gradient of one convolution in which every sample is a group of its own.

    With B samples side by side as channels, 1×(B·in)×height×width, the gradient of the B·groups groups' weights holds
    one sample's rows after the other's. No patch is ever written to memory.

    Returns:
        The rows, in the weight's own order.
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
    return torch.reshape(rows, (samples, -1))
