"""Proof that a kernel is J Jᵀ and that backward passes give J, on the real batch.

For K = J Jᵀ and any u, v: uᵀ K v = ⟨Jᵀu, Jᵀv⟩, and Jᵀv is one ordinary backward pass. A symmetric matrix that is not
the kernel agrees at a random vector with probability zero, so one comparison finds whatever a strategy got wrong.

A fault of the backward pass itself is in both sides of that. So Jᵀu is held against the change of the outputs along a
random direction t in the parameters, ⟨Jᵀu, t⟩ = uᵀ(J t), which no backward pass takes part in: by forward mode, and by
central differences where an operation has no forward-mode derivative or a backward of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from ntknas.kernels import derivative, gradients, memory
from ntknas.kernels.projections import TOLERANCE, Network, Projections


@dataclass(frozen=True)
class Proof:
    """What a Gram matrix has to agree with.

    Attributes:
        expected: ⟨Jᵀu, Jᵀv⟩ by backward passes.
        scale: ‖Jᵀu‖‖Jᵀv‖.
        rounding: What such a number is of rounding alone.
        left: u, float64.
        right: v.
        tolerance: Relative to the scale.
    """

    expected: float
    scale: float
    rounding: float
    left: Tensor
    right: Tensor
    tolerance: float

    def agrees(self, gram: Tensor) -> bool:
        """Return whether a Gram matrix, rows of the first batch by rows of the last, has this quadratic form."""
        got = float(self.left @ gram @ self.right)
        scale = max(self.scale, abs(got))
        if not math.isfinite(scale):
            return not math.isfinite(got)
        return abs(got - self.expected) <= self.tolerance * scale + self.rounding


def proof(
    network: Network, batches: Sequence[Tensor], labels: Sequence[Tensor | None], chunk: int | None = None
) -> Proof:
    """Return what a Gram matrix has to agree with, after a comparison of backward passes with no backward pass.

    Args:
        network: The network.
        batches: One batch or two.
        labels: Their labels, or ``None`` each.
        chunk: How many samples to pass at a time, or ``None`` for all.

    Raises:
        KernelError: If the backward pass is not the derivative, or the network computes in a lower precision.
    """
    sides = [
        Projections(network, x, y, seed, chunk or len(x))
        for seed, (x, y) in enumerate(zip(batches, labels, strict=True))
    ]
    columns = gradients.columns(network.chosen)
    at_once = max(1, memory.room(batches[0].device) // (8 * columns * len(sides)))
    expected, start = 0.0, 0
    while start == 0 or start < sides[0].passes:
        vectors = [side.project(start, at_once) for side in sides]
        expected += sum(float(a @ b) for a, b in zip(vectors[0], vectors[-1], strict=True))
        start += at_once
    for side in sides:
        derivative.check(side)
    norms, roundings = ([values(side) for side in (sides[0], sides[-1])] for values in (_norm, _rounding))
    vectors_of_rows = (sides[0].weights.flatten(), sides[-1].weights.flatten())
    return Proof(expected, math.prod(norms), math.prod(roundings), *vectors_of_rows, TOLERANCE[network.precision])


def _norm(side: Projections) -> float:
    return math.sqrt(sum(norm**2 for norm in side.norms))


def _rounding(side: Projections) -> float:
    return math.sqrt(sum(side.rounding(number) ** 2 for number in range(side.passes)))
