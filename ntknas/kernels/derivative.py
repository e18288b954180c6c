"""Whether a backward pass is the derivative: ⟨Jᵀu, t⟩ against uᵀ(J t), which no backward pass takes part in."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ntknas.core.errors import KernelError
from ntknas.kernels import differences, forward_mode, preparation
from ntknas.kernels.projections import TOLERANCE, Projections

_OF_DIFFERENCES = {torch.float32: 5e-2, torch.float64: 1e-4}
"""Relative tolerance of central differences in either precision."""


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
        _check_by_differences(side)
        return
    changes = _along(side, tangents)
    if not _agree(side, side.along, changes, TOLERANCE[side.network.precision]):
        raise _disagreement(side, side.along, changes, "forward mode")


def _by_forward_mode(side: Projections) -> list[Tensor] | None:
    """Return J t of every chunk, or ``None`` where an operation has no forward-mode derivative."""
    found = []
    for x, _ in side.chunks():
        change = forward_mode.directional(side.network.model, side.network.chosen, side.direction, x)
        if change is None:
            return None
        found.append(change)
    return found


def _along(side: Projections, changes: list[Tensor]) -> list[float]:
    """Return uᵀ(J t) of every pass."""
    totals = [0.0] * side.passes
    weights = side.weights.split(side.chunk)
    for (_, labels), change, some in zip(side.chunks(), changes, weights, strict=True):
        for number in range(side.passes):
            totals[number] += float((side.network.cotangent(change, labels, some, number) * change).double().sum())
    return totals


def _check_by_differences(side: Projections) -> None:
    """Compare in float64, and where that cannot be done in the network's own precision."""
    network = side.network
    what = (network.model, network.policy, network.parameters, side.direction)
    doubled = _in_float64(side)
    if doubled is None:
        along = side.along
        changes = _along(side, [differences.in_place(*what, x) for x, _ in side.chunks()])
        tolerance = _OF_DIFFERENCES[network.precision]
    else:
        along, changes = doubled
        tolerance = _OF_DIFFERENCES[torch.float64]
    if not _agree(side, along, changes, tolerance):
        raise _disagreement(side, along, changes, "central differences")


def _in_float64(side: Projections) -> tuple[list[float], list[float]] | None:
    """Return ⟨Jᵀu, t⟩ and uᵀ(J t) of every pass in float64, or ``None`` if the network does not run in it."""
    network = side.network
    along, changes = [0.0] * side.passes, []
    for (x, labels), weights in zip(side.chunks(), side.weights.split(side.chunk), strict=True):
        difference = differences.in_float64(network.model, network.policy, network.parameters, side.direction, x)
        if difference is None:
            return None
        changes.append(difference.change)
        for number in range(side.passes):
            found = difference.along(network.cotangent(difference.output, labels, weights, number), side.direction)
            if found is None:
                return None
            along[number] += found
    return along, _along(side, changes)


def _agree(side: Projections, backward: list[float], changes: list[float], tolerance: float) -> bool:
    """Whether two lists of ⟨Jᵀu, t⟩ agree; where one is no finite number there is nothing to say."""
    return all(
        abs(one - other) <= tolerance * max(side.norms[number], abs(other)) + side.rounding(number)
        for number, (one, other) in enumerate(zip(backward, changes, strict=True))
        if math.isfinite(one) and math.isfinite(other)
    )


def _disagreement(side: Projections, backward: list[float], changes: list[float], how: str) -> KernelError:
    gaps = [abs(one - other) for one, other in zip(backward, changes, strict=True)]
    worst = max(range(len(gaps)), key=lambda number: gaps[number] if math.isfinite(gaps[number]) else -1.0)
    causes = (
        f"the backward of {', '.join(side.functions)} (torch.autograd.Function)"
        if side.functions
        else "a hook on a gradient (register_hook in forward), or gradients that are scaled (scale_grad_by_freq)"
    )
    stopped = ", or what detach() and no_grad() stop, which differences do not" if "differences" in how else ""
    return KernelError(
        f"The backward pass of this network is not its derivative: along a random direction in the parameters its "
        f"outputs change by {changes[worst]:.6g} ({how}), and by backward passes they would by {backward[worst]:.6g}. "
        f"Likely: {causes}{stopped}. Its gradients are no rows of J. Remove it, or call with verify=False, which "
        "computes what autograd returns."
    )
