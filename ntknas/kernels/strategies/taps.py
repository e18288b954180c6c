"""Layers that hand their input and output gradient to a callback during the backward pass.

Each function computes what its layer computes, with the parameters taken as constants: autograd then propagates to
the input alone, and the callback receives (input, output gradient), all that the layer's rows of J are made of. The
anchor, a scalar that requires a gradient, makes autograd visit layers whose input needs none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import Function, once_differentiable

from ntknas.kernels.channels import channel_shape
from ntknas.kernels.strategies.per_sample import Geometry

Receive = Callable[[Tensor, Tensor], None]
Gradients = tuple[Tensor | None, ...]
"""One gradient per argument of ``forward``."""


class _Saved(Protocol):
    """The context that autograd hands from ``forward`` to ``backward``."""

    saved_tensors: tuple[Tensor, Tensor]
    needs_input_grad: tuple[bool, ...]
    receive: Receive
    geometry: Geometry

    def save_for_backward(self, *tensors: Tensor) -> None: ...


class TappedLinear(Function):
    """y = x Wᵀ + b."""

    @staticmethod
    def forward(
        ctx: _Saved, anchor: Tensor, x: Tensor, weight: Tensor, bias: Tensor | None, receive: Receive
    ) -> Tensor:
        """Apply the layer."""
        ctx.save_for_backward(x, weight)
        ctx.receive = receive
        return F.linear(x, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: _Saved, gradient: Tensor) -> Gradients:
        """Hand over (x, ∂/∂y) and return ∂/∂x."""
        x, weight = ctx.saved_tensors
        ctx.receive(x, gradient)
        return None, gradient @ weight if ctx.needs_input_grad[1] else None, None, None, None


class TappedConvolution(Function):
    """A convolution with zero padding."""

    @staticmethod
    def forward(
        ctx: _Saved,
        anchor: Tensor,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        geometry: Geometry,
        receive: Receive,
    ) -> Tensor:
        """Apply the layer."""
        ctx.save_for_backward(x, weight)
        ctx.geometry, ctx.receive = geometry, receive
        stride, padding, dilation, groups = geometry
        no_output_padding = [0] * len(stride)
        return torch.convolution(x, weight, bias, stride, padding, dilation, False, no_output_padding, groups)

    @staticmethod
    @once_differentiable
    def backward(ctx: _Saved, gradient: Tensor) -> Gradients:
        """Hand over (x, ∂/∂y) and return ∂/∂x."""
        x, weight = ctx.saved_tensors
        ctx.receive(x, gradient)
        if not ctx.needs_input_grad[1]:
            return None, None, None, None, None, None
        stride, padding, dilation, groups = ctx.geometry
        to_input = torch.ops.aten.convolution_backward(
            gradient, x, weight, None, stride, padding, dilation, False, [0] * len(stride), groups, [True, False, False]
        )[0]
        return None, to_input, None, None, None, None


class TappedAffine(Function):
    """y = γ·x + β by channel, on values that BatchNorm has normalised."""

    @staticmethod
    def forward(
        ctx: _Saved, anchor: Tensor, x: Tensor, weight: Tensor, bias: Tensor | None, receive: Receive
    ) -> Tensor:
        """Apply scale and shift."""
        ctx.save_for_backward(x, weight)
        ctx.receive = receive
        shape = channel_shape(x)
        return x * weight.view(shape) if bias is None else torch.addcmul(bias.view(shape), x, weight.view(shape))

    @staticmethod
    @once_differentiable
    def backward(ctx: _Saved, gradient: Tensor) -> Gradients:
        """Hand over (x, ∂/∂y) and return ∂/∂x."""
        x, weight = ctx.saved_tensors
        ctx.receive(x, gradient)
        return None, gradient * weight.view(channel_shape(x)) if ctx.needs_input_grad[1] else None, None, None, None


class TappedNorm(Function):
    """BatchNorm with constant statistics: y = γ·(x − mean)/√(variance + ε) + β by channel.

    Takes x for its gradient alone: what it computes with is x − mean and the scale 1/√(variance + ε).
    """

    @staticmethod
    def forward(
        ctx: _Saved,
        anchor: Tensor,
        x: Tensor,
        centred: Tensor,
        scale: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        receive: Receive,
    ) -> Tensor:
        """Normalise, scale and shift."""
        shape = channel_shape(x)
        ctx.save_for_backward(centred, factor := (weight * scale).view(shape))
        ctx.receive = receive
        y = centred * factor
        return y if bias is None else y.add_(bias.view(shape))  # in place: y is not among what was saved

    @staticmethod
    @once_differentiable
    def backward(ctx: _Saved, gradient: Tensor) -> Gradients:
        """Hand over (x − mean, ∂/∂y) and return ∂/∂x."""
        centred, factor = ctx.saved_tensors
        ctx.receive(centred, gradient)
        return None, gradient * factor if ctx.needs_input_grad[1] else None, None, None, None, None, None


def explicitly_padded(conv: nn.Conv1d | nn.Conv2d, x: Tensor) -> tuple[Tensor, tuple[int, ...]]:
    """Return the input and the zero padding that is left to the convolution.

    Circular, reflected and ``same`` padding are applied to the input, so that the convolution has none.
    """
    if conv.padding_mode != "zeros":
        return F.pad(x, conv._reversed_padding_repeated_twice, mode=conv.padding_mode), (0,) * len(conv.stride)
    if conv.padding == "same":
        return F.pad(x, conv._reversed_padding_repeated_twice), (0,) * len(conv.stride)
    if isinstance(conv.padding, str):
        return x, (0,) * len(conv.stride)
    return x, conv.padding
