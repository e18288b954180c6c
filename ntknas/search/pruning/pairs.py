"""Supernets with and without a candidate: condition numbers of their kernels, and numbers of linear regions."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntknas.core.errors import KernelError
from ntknas.core.lazy import torch
from ntknas.kernels import empirical_ntk
from ntknas.measures.activations import relu_outputs
from ntknas.measures.evaluation import measure
from ntknas.search.pruning.candidates import Candidate, Measurement
from ntknas.search.pruning.draws import Draw, Draws
from ntknas.spaces.supernets import Supernetted

if TYPE_CHECKING:
    from torch import Tensor, nn

Kept = tuple[tuple[str, ...], ...]
"""The choices that each position still holds."""


def without(kept: Kept, position: int, name: str) -> Kept:
    """Return what is kept when a position loses one of its choices."""
    left = tuple(other for other in kept[position] if other != name)
    return (*kept[:position], left, *kept[position + 1 :])


@dataclass(frozen=True)
class Pairs:
    """Measures candidates: in each repeat both supernets have the same weights, images and crops.

    Attributes:
        space: The space.
        draws: What is drawn.
        verify: Whether to prove the kernels.
    """

    space: Supernetted
    draws: Draws
    verify: bool = True

    def measured(self, kept: Kept, candidate: Candidate) -> Measurement:
        """Measure a candidate.

        Args:
            kept: What is kept with the candidate.
            candidate: The candidate.

        Returns:
            The measurement.
        """
        begin, processor_begin = time.perf_counter(), time.process_time()
        name = self.space.choices[candidate.position][candidate.choice]
        both = (kept, without(kept, candidate.position, name))
        conds, regions = [], []
        for draw in self.draws.of(candidate):
            conds.append(self._conds(both, draw))
            regions.append(self._regions(both, draw))
        spent, processor = time.perf_counter() - begin, time.process_time() - processor_begin
        return Measurement(candidate, tuple(conds), tuple(regions), spent, processor)

    def _conds(self, both: tuple[Kept, Kept], draw: Draw) -> tuple[float, float]:
        images = draw.batch()
        with_it, without_it = (self._cond(kept, draw.seed, images) for kept in both)
        return with_it, without_it

    def _cond(self, kept: Kept, seed: int, images: Tensor) -> float:
        settings = self.draws.settings
        network = self.space.supernet(
            kept,
            num_classes=self.draws.images.num_classes,
            seed=seed,
            channels=settings.channels,
            cells_per_stage=settings.cells_per_stage,
            init=settings.init,
        )
        return condition_number(network, images, verify=self.verify)

    def _regions(self, both: tuple[Kept, Kept], draw: Draw) -> tuple[float, float]:
        settings, crops = self.draws.settings, draw.crops()
        channels, init = settings.region_channels, settings.region_init
        with_it, without_it = (
            count_regions(self.space.super_cell(kept, channels=channels, seed=draw.region_seed, init=init), crops)
            for kept in both
        )
        return float(with_it), float(without_it)


def condition_number(network: nn.Module, images: Tensor, *, verify: bool = True) -> float:
    """Return the condition number of a network's kernel: of summed logits, BatchNorm coupled, by all weights.

    Eigenvalues are those of a float64 matrix of float32 rows; the published code takes those of a float32 one.

    Args:
        network: The network.
        images: The batch.
        verify: Whether to prove the kernel.

    Returns:
        The condition number; infinity where the kernel is singular, as where nothing leads from the input to the
        output.

    Raises:
        KernelError: If the kernel is not finite.
    """
    kernel = empirical_ntk(network, images, output="sum", batch_norm="coupled", parameters="weights", verify=verify)
    if not kernel.is_finite:
        raise KernelError("The kernel of a supernet holds NaN or infinity: take another `init`.")
    value = measure("cond", kernel).value
    return math.inf if value is None else value


def count_regions(network: nn.Module, batches: Iterable[Tensor]) -> int:
    """Return the number of different patterns of a network's ReLUs over all samples, BatchNorm in training mode.

    Args:
        network: The network.
        batches: The samples; each batch is normalised by itself.

    Returns:
        The number.
    """
    network.train()
    patterns = [_patterns(network, samples) for samples in batches]
    return len(torch.unique(torch.cat(patterns), dim=0))


def _patterns(network: nn.Module, samples: Tensor) -> Tensor:
    with torch.no_grad(), relu_outputs(network) as outputs:
        network(samples)
    return torch.cat([(output > 0).flatten(1) for output in outputs], dim=1)
