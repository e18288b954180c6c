"""The same change by central differences, where an operation has no forward-mode derivative.

In float64, at parameters a little beside the network's own: there a ReLU is hardly ever at its kink, as it is at
biases and inputs of zero. Networks that do not run in float64 are compared in their own precision.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ntknas.core.errors import KernelError
from ntknas.kernels import gradients, graphs, outputs
from ntknas.kernels.memory import is_out_of_memory
from ntknas.kernels.network import NetworkUnderPolicy

_BESIDE = 1e-3
_STEPS = {torch.float64: 1e-6, torch.float32: 3e-3}
"""Relative to the norm of the parameters."""


@dataclass(frozen=True, eq=False)
class Difference:
    """How a network changes beside its own parameters.

    Attributes:
        change: Change of the outputs along the direction, N×C.
        output: Output with its graph.
        leaves: The parameters that the output was computed with.
    """

    change: Tensor
    output: Tensor
    leaves: list[Tensor]

    def along(self, cotangent: Tensor, direction: Sequence[Tensor]) -> float | None:
        """Return the change along the direction by a backward pass.

        Args:
            cotangent: Weights of the outputs, N×C.
            direction: t, one tensor per parameter.

        Returns:
            The weighted change, or ``None`` if the backward pass does not run in float64.

        Raises:
            RuntimeError: If memory runs out.
            KernelError: Likewise, where a module of the network wraps it.
        """
        try:
            transposed = gradients.vjp(self.output, self.leaves, cotangent)
        except (RuntimeError, KernelError) as error:  # a recomputation may call BatchNorm more often than recorded
            if is_out_of_memory(error):
                raise
            return None
        return float(gradients.flat(transposed, self.leaves) @ gradients.flat(direction, self.leaves))


def in_float64(network: NetworkUnderPolicy, direction: Sequence[Tensor], x: Tensor) -> Difference | None:
    """Return the change and the output in float64, beside the network's parameters, or ``None`` if it cannot."""
    model, parameters = network.model, network.parameters
    fixed = {name: _doubled(tensor) for name, tensor in (*model.named_parameters(), *model.named_buffers())}
    generator = torch.Generator().manual_seed(1)
    beside = torch.randn(network.columns, generator=generator, dtype=torch.float64)
    unit = _length(network.leaves) / max(float(beside.norm()), 1.0)
    offsets = gradients.split(beside.to(x.device), [fixed[name] for name in parameters])
    leaves = [
        (fixed[name] + _BESIDE * unit * offset).requires_grad_()
        for name, offset in zip(parameters, offsets, strict=True)
    ]
    x = _doubled(x)

    def run(step: float) -> Tensor:
        moved = [leaf + step * t for leaf, t in zip(leaves, direction, strict=True)] if step else leaves
        values = fixed | dict(zip(parameters, moved, strict=True))
        return outputs.as_matrix(torch.func.functional_call(model, values, (x.clone(),)), len(x))

    step = _STEPS[torch.float64] * unit
    try:
        with network.policy.held():
            output = run(0.0)
            change = ((run(step) - run(-step)) / (2 * step)).detach()
    except (RuntimeError, TypeError, ValueError) as error:  # a kernel or a constant of float32 alone
        if is_out_of_memory(error):
            raise
        return None
    ids = {id(parameter) for parameter in parameters.values()}
    if any(id(getattr(node, "variable", None)) in ids for node in graphs.nodes(output)):
        return None  # it holds parameters elsewhere than in its modules, and these were not moved
    return Difference(change, output, leaves)


def in_place(network: NetworkUnderPolicy, direction: Sequence[Tensor], x: Tensor) -> Tensor:
    """Return the change at the network's own parameters, in their precision."""
    leaves = network.leaves
    step = _STEPS[network.dtype] * _length(leaves) / max(network.columns**0.5, 1.0)
    ends: list[Tensor] = []
    with network.policy.held():
        for sign in (1, -1):
            with _moved(leaves, direction, sign * step):
                ends.append(network.output(x).detach().double())
    change: Tensor = (ends[0] - ends[1]) / (2 * step)
    return change


def _length(parameters: Sequence[Tensor]) -> float:
    """Return ‖θ‖, or 1 where all are zero."""
    return math.sqrt(gradients.squared_norm([p.detach() for p in parameters])) or 1.0


def _doubled(tensor: Tensor) -> Tensor:
    tensor = tensor.detach()
    if tensor.is_complex():
        return tensor.to(torch.complex128)
    return tensor.double() if tensor.is_floating_point() else tensor


@contextmanager
def _moved(parameters: Sequence[nn.Parameter], direction: Sequence[Tensor], step: float) -> Iterator[None]:
    values = [parameter.detach().clone() for parameter in parameters]
    try:
        for parameter, t in zip(parameters, direction, strict=True):
            parameter.data.add_(t, alpha=step)
        yield
    finally:
        for parameter, value in zip(parameters, values, strict=True):
            parameter.data.copy_(value)  # subtracting the step again would leave its rounding
