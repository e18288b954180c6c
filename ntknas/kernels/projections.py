"""Jᵀu of a batch by ordinary backward passes, and what is compared with it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor, nn

from ntknas.kernels import gradients, graphs, outputs
from ntknas.kernels.batch_norm import Policy

TOLERANCE = {torch.float32: 1e-2, torch.float64: 1e-7}
"""Relative; float32 allows for ReLUs that rounding switches."""
_ROUNDINGS = 1e3
"""Rows of nothing but rounding, as of a bias before BatchNorm, may differ by so many roundings of the outputs."""


@dataclass(frozen=True)
class Network:
    """A network of which a kernel is taken.

    Attributes:
        model: The network under its policy, without taps.
        policy: The policy.
        parameters: What the Jacobian is taken by.
        reduction: Output reduction.
    """

    model: nn.Module
    policy: Policy
    parameters: dict[str, nn.Parameter]
    reduction: str

    @property
    def chosen(self) -> list[nn.Parameter]:
        """The parameters."""
        return list(self.parameters.values())

    @property
    def precision(self) -> torch.dtype:
        """Their precision."""
        return gradients.real(self.chosen[0].detach()).dtype

    def passes(self, output: Tensor) -> int:
        """Return the number of backward passes of a reduction."""
        return output.shape[1] if self.reduction == "traced" else 1

    def cotangent(self, output: Tensor, labels: Tensor | None, weights: Tensor, number: int) -> Tensor:
        """Return the cotangent of a pass, N×C, with every row of J times its weight (N×1, or N×C for ``full``)."""
        weights = weights.to(output)
        return weights if self.reduction == "full" else weights * outputs.passes(self.reduction, output, labels)[number]


@dataclass
class Projections:
    """One batch and its Jᵀu, pass by pass.

    Attributes:
        network: The network.
        x: The batch.
        labels: Its labels.
        seed: Seed of u.
        chunk: How many samples to pass at a time.
        passes: Number of backward passes, known after the first.
        along: ⟨Jᵀu, t⟩ of every pass for the direction t.
        norms: ‖Jᵀu‖ of every pass.
        functions: Names of the ``autograd.Function`` classes that the network uses.
        weights: u, N×1, or N×C for ``full``.
        sizes: Σ_i u_i Σ_c |f_c(x_i)|, of the outputs of every pass.
    """

    network: Network
    x: Tensor
    labels: Tensor | None
    seed: int
    chunk: int
    passes: int = 1
    along: list[float] = field(default_factory=list)
    norms: list[float] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    weights: Tensor = field(default_factory=lambda: torch.zeros(0, 1))
    sizes: list[float] = field(default_factory=list)

    def chunks(self) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Yield the batch in parts, with their labels."""
        samples = self.x.split(self.chunk)
        yield from zip(
            samples, [None] * len(samples) if self.labels is None else self.labels.split(self.chunk), strict=True
        )

    @cached_property
    def direction(self) -> list[Tensor]:
        """A random direction t in the parameters, of variance 1."""
        generator = torch.Generator().manual_seed(self.seed)
        vector = torch.randn(gradients.columns(self.network.chosen), generator=generator)
        return gradients.split(vector.to(self.x.device), self.network.chosen)

    def project(self, start: int, count: int) -> list[Tensor]:
        """Return Jᵀu of some passes, float64, the parameters end to end."""
        generator = torch.Generator().manual_seed(self.seed)
        sums: list[Tensor] = []
        sizes, weights = torch.zeros(count, dtype=torch.float64), []
        for x, labels in self.chunks():
            output = self._forward(x)
            weights.append(self._weights(output, generator))
            numbers = range(start, min(start + count, self.passes))
            cotangents = (self.network.cotangent(output, labels, weights[-1], number) for number in numbers)
            for place, cotangent in enumerate(cotangents):
                sizes[place] += float((cotangent * output.detach()).abs().sum())
                vector = self._backward(output, cotangent)
                sums[place : place + 1] = [sums[place] + vector if place < len(sums) else vector]
        self.weights = torch.cat(weights)
        direction = gradients.flat(self.direction, self.network.chosen)
        self.along += [float(vector @ direction) for vector in sums]
        self.norms += [float(vector.norm()) for vector in sums]
        self.sizes += sizes[: len(sums)].tolist()
        return sums

    def rounding(self, number: int) -> float:
        """Return what ‖Jᵀu‖ of a pass may be of rounding alone."""
        return _ROUNDINGS * torch.finfo(self.network.precision).eps * self.sizes[number] * self._moved

    @cached_property
    def _moved(self) -> float:
        """‖t‖ / ‖θ‖: by how many times their size the direction moves the parameters."""
        chosen = self.network.chosen
        squares = sum(float(gradients.real(parameter.detach()).double().square().sum()) for parameter in chosen)
        return math.sqrt(gradients.columns(chosen) / squares) if squares else 1.0

    def _forward(self, x: Tensor) -> Tensor:
        x = (
            x.detach().requires_grad_() if x.is_floating_point() else x
        )  # so that all the network's operations are in its graph
        output = outputs.of(self.network.model, x)
        outputs.check_precision(output, self.network.chosen)
        self.passes = self.network.passes(output)
        if not self.functions:
            self.functions = graphs.own_functions(output)
            graphs.check_precision(output, self.network.precision)
        return output

    def _weights(self, output: Tensor, generator: torch.Generator) -> Tensor:
        columns = output.shape[1] if self.network.reduction == "full" else 1
        return (torch.rand(len(output), columns, generator=generator, dtype=torch.float64) + 0.5).to(output.device)

    def _backward(self, output: Tensor, cotangent: Tensor) -> Tensor:
        chosen = self.network.chosen
        nothing: tuple[Tensor | None, ...] = (None,) * len(chosen)
        found = (
            torch.autograd.grad(output, chosen, cotangent, retain_graph=True, allow_unused=True)
            if output.requires_grad
            else nothing
        )
        return gradients.flat(found, chosen)
