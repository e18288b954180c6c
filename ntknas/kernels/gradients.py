"""A parameter's gradient as columns of J: dense and real, a complex parameter's as real and imaginary parts.

For a real output and w = a + ib autograd's gradient is ∂/∂a + i ∂/∂b.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def columns(parameters: Sequence[Tensor]) -> int:
    """Return the length of a row of J."""
    return sum(width(parameter) for parameter in parameters)


def width(parameter: Tensor) -> int:
    """Return how many real numbers a parameter holds."""
    return parameter.numel() * (2 if parameter.is_complex() else 1)


def real(tensor: Tensor) -> Tensor:
    """Return a gradient or a parameter as real numbers in a dense tensor."""
    dense = tensor if tensor.layout == torch.strided else tensor.to_dense()
    return torch.view_as_real(dense.resolve_conj()) if dense.is_complex() else dense


def flat(gradients: Sequence[Tensor | None], parameters: Sequence[Tensor]) -> Tensor:
    """Return the gradients of all parameters end to end, in float64; zeros for what the output does not depend on."""
    pieces = [
        parameter.new_zeros(width(parameter), dtype=torch.float64)
        if gradient is None
        else real(gradient).reshape(-1).double()
        for gradient, parameter in zip(gradients, parameters, strict=True)
    ]
    return torch.cat(pieces)


def split(vector: Tensor, parameters: Sequence[Tensor]) -> list[Tensor]:
    """Return a vector of columns as one tensor for each parameter, in its shape and precision."""
    pieces = vector.split([width(parameter) for parameter in parameters])
    return [_like(piece, parameter) for piece, parameter in zip(pieces, parameters, strict=True)]


def _like(piece: Tensor, parameter: Tensor) -> Tensor:
    if not parameter.is_complex():
        return piece.to(parameter.dtype).view(parameter.shape)
    return torch.view_as_complex(piece.to(parameter.real.dtype).view(*parameter.shape, 2))
