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

from ntknas.kernels import derivative, memory
from ntknas.kernels.batch import Batch
from ntknas.kernels.network import NetworkUnderPolicy
from ntknas.kernels.projections import TOLERANCE, Projections


@dataclass(frozen=True, eq=False)
class Proof:
    """What a Gram matrix has to agree with.

    Attributes:
        expected: ⟨Jᵀu, Jᵀv⟩ by backward passes.
        scale: ‖Jᵀu‖‖Jᵀv‖.
        rounding: What such a number is of rounding alone.
        u: Random vector of the rows, float64.
        v: Random vector of the columns.
        tolerance: Relative to the scale.
    """

    expected: float
    scale: float
    rounding: float
    u: Tensor
    v: Tensor
    tolerance: float

    def agrees(self, gram: Tensor) -> bool:
        """Return whether a Gram matrix, rows of the first batch by rows of the last, has this quadratic form."""
        form = float(self.u @ gram @ self.v)
        scale = max(self.scale, abs(form))
        if not math.isfinite(scale):
            return not math.isfinite(form)  # measures say so of a kernel that holds NaN; it is no fault here
        return abs(form - self.expected) <= self.tolerance * scale + self.rounding


def proof(network: NetworkUnderPolicy, sides: Sequence[Batch], chunk: int | None = None) -> Proof:
    """Compute what a Gram matrix has to agree with, and check that backward passes are the derivative.

    Args:
        network: The network.
        sides: One batch or two.
        chunk: Samples per forward pass where they are not coupled; ``None`` for all.

    Returns:
        The quadratic form and its tolerance.

    Raises:
        KernelError: If the backward pass is not the derivative, or the network computes in a lower precision.
    """
    chunk = None if network.couples_samples else chunk
    projections = [Projections(network, side, seed, chunk) for seed, side in enumerate(sides)]
    first, second = projections[0], projections[-1]
    at_once = max(1, memory.room(sides[0].x.device) // (8 * network.columns * len(sides)))  # float64 vectors
    expected, start = 0.0, 0
    while start == 0 or start < first.passes:  # how many there are only the first forward pass tells
        vectors = [side.project(start, at_once) for side in projections]
        expected += sum(float(a @ b) for a, b in zip(vectors[0], vectors[-1], strict=True))
        start += at_once
    for side in projections:
        derivative.check(side)
    return Proof(
        expected,
        first.total_norm * second.total_norm,
        first.total_rounding * second.total_rounding,
        first.weights.flatten(),
        second.weights.flatten(),
        TOLERANCE[network.dtype],
    )
