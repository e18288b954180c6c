"""Whether a backward pass is the derivative: ⟨Jᵀu, t⟩ against uᵀ(J t), which no backward pass takes part in."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ntknas.core.errors import KernelError
from ntknas.kernels import differences, forward_mode, preparation
from ntknas.kernels.projections import TOLERANCE, Projections

_TOLERANCE_OF_DIFFERENCES = {torch.float32: 5e-2, torch.float64: 1e-4}
"""Relative tolerance of central differences in either precision."""
_CENTRAL_DIFFERENCES = "central differences"


@dataclass(frozen=True)
class _Comparison:
    """The change of the outputs along t, by backward passes and by what takes their place, for every pass."""

    backward: list[float]
    changes: list[float]
    by: str
    tolerance: float


def check(side: Projections) -> None:
    """Compare the backward passes of a batch with the change of the outputs along one random direction.

    By forward mode; by central differences where an operation has no forward-mode derivative or the network uses an
    ``autograd.Function``, whose own forward-mode derivative may share its fault.

    Args:
        side: The batch, after all its backward passes.

    Raises:
        KernelError: If they disagree.
    """
    preparation.check_no_gradients(side.network.model)
    tangents = None if side.functions else _by_forward_mode(side)
    if tangents is None:
        comparison = _by_differences_in_float64(side) or _by_differences_in_place(side)
    else:
        tolerance = TOLERANCE[side.network.dtype]
        comparison = _Comparison(side.along, _along(side, tangents), "forward mode", tolerance)
    if not _agree(side, comparison):
        raise KernelError(_disagreement(side, comparison))


def _by_forward_mode(side: Projections) -> list[Tensor] | None:
    """Return J t of every chunk, or ``None`` where an operation has no forward-mode derivative."""
    changes = []
    for chunk in side.batch.split(side.chunk):
        change = forward_mode.directional(side.network, side.direction, chunk.x)
        if change is None:
            return None
        changes.append(change)
    return changes


def _along(side: Projections, changes: list[Tensor]) -> list[float]:
    """Return uᵀ(J t) of every pass."""
    totals = [0.0] * side.passes
    for (chunk, weights), change in zip(side.weighted_chunks(), changes, strict=True):
        for number in range(side.passes):
            totals[number] += float((side.cotangent(change, chunk.labels, weights, number) * change).double().sum())
    return totals


def _by_differences_in_float64(side: Projections) -> _Comparison | None:
    """Compare in float64, beside the network's parameters; ``None`` if the network does not run in it."""
    along, changes = [0.0] * side.passes, []
    for chunk, weights in side.weighted_chunks():
        difference = differences.in_float64(side.network, side.direction, chunk.x)
        if difference is None:
            return None
        changes.append(difference.change)
        for number in range(side.passes):
            cotangent = side.cotangent(difference.output, chunk.labels, weights, number)
            by_backward_pass = difference.along(cotangent, side.direction)
            if by_backward_pass is None:
                return None
            along[number] += by_backward_pass
    tolerance = _TOLERANCE_OF_DIFFERENCES[torch.float64]
    return _Comparison(along, _along(side, changes), _CENTRAL_DIFFERENCES, tolerance)


def _by_differences_in_place(side: Projections) -> _Comparison:
    """Compare in the network's own precision, at its own parameters."""
    chunks = side.batch.split(side.chunk)
    changes = [differences.in_place(side.network, side.direction, chunk.x) for chunk in chunks]
    tolerance = _TOLERANCE_OF_DIFFERENCES[side.network.dtype]
    return _Comparison(side.along, _along(side, changes), _CENTRAL_DIFFERENCES, tolerance)


def _agree(side: Projections, comparison: _Comparison) -> bool:
    """Return whether the two agree in every pass; where one is no finite number there is nothing to say."""
    return all(
        abs(backward - change) <= comparison.tolerance * max(side.norms[number], abs(change)) + side.rounding(number)
        for number, (backward, change) in enumerate(zip(comparison.backward, comparison.changes, strict=True))
        if math.isfinite(backward) and math.isfinite(change)
    )


def _disagreement(side: Projections, comparison: _Comparison) -> str:
    backward, changes = comparison.backward, comparison.changes
    gaps = [abs(a - b) for a, b in zip(backward, changes, strict=True)]
    worst = max(range(len(gaps)), key=lambda number: gaps[number] if math.isfinite(gaps[number]) else -1.0)
    causes = (
        f"the backward of {', '.join(side.functions)} (torch.autograd.Function)"
        if side.functions
        else "a hook on a gradient (register_hook in forward), or gradients that are scaled (scale_grad_by_freq)"
    )
    by_differences = comparison.by == _CENTRAL_DIFFERENCES
    stops = ", or what detach() and no_grad() stop, which differences do not" if by_differences else ""
    return (
        f"The backward pass of this network is not its derivative: along a random direction in the parameters its "
        f"outputs change by {changes[worst]:.6g} ({comparison.by}), and by backward passes they would by "
        f"{backward[worst]:.6g}. Likely: {causes}{stops}. Its gradients are no rows of J. Remove it, or call with "
        "verify=False, which computes what autograd returns."
    )
