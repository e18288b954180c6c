"""Proof that a kernel is J Jᵀ: a quadratic form in a random vector, against plain backward passes on the real batch.

For K = J Jᵀ and any u, v: uᵀ K v = ⟨Jᵀu, Jᵀv⟩, and Jᵀv is one ordinary backward pass. A symmetric matrix that is not
the kernel agrees at a random vector with probability zero, so one comparison finds whatever a strategy got wrong, on
the very batch that it was asked for.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ntknas.kernels import outputs

TOLERANCE = {torch.float32: 1e-2, torch.float64: 1e-7}
"""Relative; float32 allows for ReLUs that rounding switches."""


def agrees(
    gram: Tensor,
    model: nn.Module,
    parameters: Sequence[nn.Parameter],
    batches: Sequence[Tensor],
    labels: Sequence[Tensor | None],
    reduction: str,
    chunk: int | None = None,
) -> bool:
    """Return whether a Gram matrix has the quadratic form that plain backward passes give.

    Args:
        gram: Rows of the first batch by rows of the last.
        model: The network under its policy, without taps.
        parameters: What the Jacobian is taken by.
        batches: One batch or two.
        labels: Their labels, or ``None`` each.
        reduction: Output reduction.
        chunk: How many samples to pass at a time, or ``None`` for all.
    """
    sides = [
        _projections_by_chunks(model, parameters, x, y, reduction, seed, chunk or len(x))
        for seed, (x, y) in enumerate(zip(batches, labels, strict=True))
    ]
    (left, u), (right, v) = sides[0], sides[-1]
    expected = sum(float((a * b).sum()) for a, b in zip(left, right, strict=True))
    got = float(u @ gram @ v)
    scale = max(math.sqrt(_squares(left) * _squares(right)), abs(got))
    if not math.isfinite(scale):
        return not math.isfinite(got)
    return abs(got - expected) <= TOLERANCE[parameters[0].dtype] * scale


def _squares(projections: list[Tensor]) -> float:
    return sum(float(projection.square().sum()) for projection in projections)


def _projections_by_chunks(
    model: nn.Module,
    parameters: Sequence[nn.Parameter],
    x: Tensor,
    labels: Tensor | None,
    reduction: str,
    seed: int,
    chunk: int,
) -> tuple[list[Tensor], Tensor]:
    """Return Jᵀv of every pass (float64, the parameters end to end) and v, as sums and parts over chunks."""
    generator = torch.Generator().manual_seed(seed)
    samples = x.split(chunk)
    classes = [None] * len(samples) if labels is None else labels.split(chunk)
    found = [
        _projections(model, parameters, some, y, reduction, generator) for some, y in zip(samples, classes, strict=True)
    ]
    sums = [functools.reduce(torch.add, of_pass) for of_pass in zip(*(each for each, _ in found), strict=True)]
    return sums, torch.cat([vector for _, vector in found])


def _projections(
    model: nn.Module,
    parameters: Sequence[nn.Parameter],
    x: Tensor,
    labels: Tensor | None,
    reduction: str,
    generator: torch.Generator,
) -> tuple[list[Tensor], Tensor]:
    output = outputs.as_matrix(model(x), len(x))
    rows = output.numel() if reduction == "full" else len(x)
    vector = torch.rand(rows, generator=generator, dtype=torch.float64) + 0.5
    vector = vector.to(output.device)
    if reduction == "full":
        cotangents = [vector.view_as(output).to(output.dtype)]
    else:
        cotangents = [c * vector[:, None].to(output.dtype) for c in outputs.passes(reduction, output, labels)]
    return [_backward(output, cotangent, parameters) for cotangent in cotangents], vector


def _backward(output: Tensor, cotangent: Tensor, parameters: Sequence[nn.Parameter]) -> Tensor:
    if not output.requires_grad:
        return output.new_zeros(sum(p.numel() for p in parameters), dtype=torch.float64)
    gradients = torch.autograd.grad(output, parameters, cotangent, retain_graph=True, allow_unused=True)
    found = zip(gradients, parameters, strict=True)
    return torch.cat([(torch.zeros_like(p) if g is None else g).reshape(-1).double() for g, p in found])
