"""Jᵀu of a batch by ordinary backward passes, and what is compared with it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from ntknas.kernels import gradients, graphs, outputs
from ntknas.kernels.batch import Batch
from ntknas.kernels.network import NetworkUnderPolicy

TOLERANCE = {torch.float32: 1e-2, torch.float64: 1e-7}
"""Relative; float32 allows for ReLUs that rounding switches."""
_ROUNDINGS = 1e3
"""Rows of nothing but rounding, as of a bias before BatchNorm, may differ by so many roundings of the outputs."""


@dataclass(eq=False)
class Projections:
    """One batch and its Jᵀu, pass by pass.

    Attributes:
        network: The network, without taps.
        batch: The batch.
        seed: Seed of u.
        chunk: Samples per forward pass; ``None`` for all.
        passes: Number of backward passes, known after the first forward pass.
        along: ⟨Jᵀu, t⟩ of every pass for the direction t.
        norms: ‖Jᵀu‖ of every pass.
        functions: Names of the ``autograd.Function`` classes that the network uses.
        weights: u, N×1, or N×C for ``full``.
        sizes: Σ_i u_i Σ_c |f_c(x_i)|, of the outputs of every pass.
    """

    network: NetworkUnderPolicy
    batch: Batch
    seed: int
    chunk: int | None
    passes: int = 1
    along: list[float] = field(default_factory=list)
    norms: list[float] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    weights: Tensor = field(default_factory=lambda: torch.zeros(0, 1))
    sizes: list[float] = field(default_factory=list)

    def weighted_chunks(self) -> Iterator[tuple[Batch, Tensor]]:
        """Yield the batch chunk by chunk with the entries of u that belong to it, once they are drawn."""
        chunks = self.batch.split(self.chunk)
        yield from zip(chunks, self.weights.split([len(chunk) for chunk in chunks]), strict=True)

    @cached_property
    def direction(self) -> list[Tensor]:
        """A random direction t in the parameters, of variance 1."""
        generator = torch.Generator().manual_seed(self.seed)
        vector = torch.randn(self.network.columns, generator=generator)  # on the CPU, as u is: the same on every device
        return gradients.split(vector.to(self.batch.x.device), self.network.leaves)

    def cotangent(self, output: Tensor, labels: Tensor | None, weights: Tensor, number: int) -> Tensor:
        """Return the cotangent of a pass, N×C, with every row of J times its weight (N×1, or N×C for ``full``)."""
        weights = weights.to(output)
        return weights if self._is_full else weights * self.network.passes(output, labels)[number]

    def project(self, start: int, count: int) -> list[Tensor]:
        """Return Jᵀu of some passes.

        Args:
            start: Number of the first pass.
            count: How many passes, as far as there are so many.

        Returns:
            One vector per pass, float64, the parameters end to end.
        """
        generator = torch.Generator().manual_seed(self.seed)  # afresh: u is the same for every pass
        sums: list[Tensor] = []
        sizes, weights = torch.zeros(count, dtype=torch.float64), []
        for chunk in self.batch.split(self.chunk):
            output = self._forward(chunk.x)
            weights.append(self._draw_weights(output, generator))
            numbers = range(start, min(start + count, self.passes))
            for index, number in enumerate(numbers):
                cotangent = self.cotangent(output, chunk.labels, weights[-1], number)
                sizes[index] += float((cotangent * output.detach()).abs().sum())
                vector = gradients.flat(self.network.vjp(output, cotangent), self.network.leaves)
                sums[index : index + 1] = [sums[index] + vector if index < len(sums) else vector]
        self.weights = torch.cat(weights)
        direction = gradients.flat(self.direction, self.network.leaves)
        self.along += [float(vector @ direction) for vector in sums]
        self.norms += [float(vector.norm()) for vector in sums]
        self.sizes += sizes[: len(sums)].tolist()
        return sums

    def rounding(self, number: int) -> float:
        """Return what ‖Jᵀu‖ of a pass may be of rounding alone."""
        return _ROUNDINGS * torch.finfo(self.network.dtype).eps * self.sizes[number] * self._relative_step

    @property
    def total_norm(self) -> float:
        """‖Jᵀu‖ over all passes."""
        return math.sqrt(sum(norm**2 for norm in self.norms))

    @property
    def total_rounding(self) -> float:
        """What ``total_norm`` may be of rounding alone."""
        return math.sqrt(sum(self.rounding(number) ** 2 for number in range(self.passes)))

    @cached_property
    def _relative_step(self) -> float:
        """‖t‖ / ‖θ‖: by how many times their size the direction moves the parameters."""
        squares = gradients.squared_norm([parameter.detach() for parameter in self.network.leaves])
        return math.sqrt(self.network.columns / squares) if squares else 1.0

    @property
    def _is_full(self) -> bool:
        return self.network.choices.output == "full"

    def _forward(self, x: Tensor) -> Tensor:
        # Where x requires a gradient, all the network's operations are in its graph.
        output = self.network.output(x.detach().requires_grad_() if x.is_floating_point() else x)
        outputs.check_precision(output, self.network.leaves)
        self.passes = output.shape[1] if self.network.choices.output == "traced" else 1
        if not self.functions:
            self.functions = graphs.own_functions(output)
            graphs.check_precision(output, self.network.dtype)
        return output

    def _draw_weights(self, output: Tensor, generator: torch.Generator) -> Tensor:
        columns = output.shape[1] if self._is_full else 1
        # Away from zero, so that every row counts; drawn on the CPU, so that u is the same on every device.
        return (torch.rand(len(output), columns, generator=generator, dtype=torch.float64) + 0.5).to(output.device)
