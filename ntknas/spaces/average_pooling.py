"""Average pooling that is as fast with channels first as with channels last, to the same bits."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor, nn
from torch.autograd.function import Function
from torch.fx import Proxy


class AveragePool(nn.AvgPool2d):
    """``nn.AvgPool2d``, which on the CPU takes images with channels first by way of channels last.

    torch adds up a window's values in one order in both layouts, so that the results are equal bit for bit, but
    several channels at once in only one of them: two to four times as fast, both copies included. Networks compute
    with channels last, until a normalisation by sample returns channels first (``F.instance_norm`` does).
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the averages, laid out as the input is."""
        if not _first_on_cpu(input):
            return super().forward(input)
        return _relaid(super().forward(_relaid(input, True)), False)


def _first_on_cpu(images: Tensor) -> bool:
    """Return whether images lie on the CPU with channels first, and neither they nor averages fit both layouts."""
    if isinstance(images, Proxy) or images.device.type != "cpu" or images.dim() != 4:
        return False
    alike = images.shape[2:].numel() <= 4 or images.permute(0, 2, 3, 1).is_contiguous()
    return images.is_contiguous() and not alike


def _relaid(images: Tensor, last: bool) -> Tensor:
    relaid: Tensor = _Relaid.apply(images, last)
    return relaid


class _Saved(Protocol):
    """The context that autograd hands from ``forward`` to ``backward``."""

    last: bool


class _Relaid(Function):
    """The same images with channels last or first in memory; gradients go the other way, in the other layout.

    With ``Tensor.contiguous`` gradients would keep the layout in which they come, by which pooling's own backward pass
    goes.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(images: Tensor, last: bool) -> Tensor:
        """Return a copy in the layout."""
        return images.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2) if last else images.contiguous()

    @staticmethod
    def setup_context(ctx: _Saved, inputs: tuple[Tensor, bool], output: Tensor) -> None:
        """Keep the layout."""
        ctx.last = inputs[1]

    @staticmethod
    def backward(ctx: _Saved, gradient: Tensor) -> tuple[Tensor, None]:
        """Return the gradient in the input's layout."""
        return _relaid(gradient, not ctx.last), None

    @staticmethod
    def jvp(ctx: _Saved, tangent: Tensor, _: None) -> Tensor:
        """Return the tangent in the output's layout."""
        return _relaid(tangent, ctx.last)
