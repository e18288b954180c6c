"""Vector-Jacobian products, and a parameter's gradient as columns of J: dense and real.

A complex parameter counts as its real and imaginary parts: for a real output and w = a + ib autograd's gradient is
∂/∂a + i ∂/∂b.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

Gradients = tuple[Tensor | None, ...]
"""One gradient per tensor; ``None`` where the output does not depend on it."""


def vjp(
    output: Tensor | Sequence[Tensor],
    tensors: Sequence[Tensor],
    cotangent: Tensor | Sequence[Tensor],
    *,
    retain_graph: bool = True,
    create_graph: bool = False,
    batched: bool = False,
) -> Gradients:
    """Return Jᵀv, the one backward pass that everything here is made of.

    Args:
        output: What to differentiate: a tensor, with or without a graph, or several that have one.
        tensors: By what to differentiate: all require gradients.
        cotangent: v, in the shape of the output; several stacked in dimension 0 if ``batched``.
        retain_graph: Whether further passes follow.
        create_graph: Whether the result is to be differentiated by v.
        batched: Whether to compute the products of several cotangents, vectorised.

    Returns:
        The product by tensor, sparse or complex as autograd gives it.
    """
    if isinstance(output, Tensor) and not output.requires_grad:
        return (None,) * len(tensors)
    return torch.autograd.grad(
        output,
        tensors,
        cotangent,
        retain_graph=retain_graph,
        create_graph=create_graph,
        allow_unused=True,  # None tells a parameter that is not used from one whose gradient is zero
        is_grads_batched=batched,
    )


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
    """Return a vector of columns as one tensor per parameter, in its shape and precision."""
    pieces = vector.split([width(parameter) for parameter in parameters])
    return [_like(piece, parameter) for piece, parameter in zip(pieces, parameters, strict=True)]


def squared_norm(gradients: Sequence[Tensor]) -> float:
    """Return ‖g‖² of gradients or parameters, summed in float64 tensor by tensor."""
    return sum(float(real(gradient).double().square().sum()) for gradient in gradients)


def _like(piece: Tensor, parameter: Tensor) -> Tensor:
    if not parameter.is_complex():
        return piece.to(parameter.dtype).view(parameter.shape)
    return torch.view_as_complex(piece.to(parameter.real.dtype).view(*parameter.shape, 2))
