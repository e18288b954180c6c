"""Supernets with and without a candidate: condition numbers of their kernels, and numbers of linear regions."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
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


def measured(space: Supernetted, kept: Kept, candidate: Candidate, draws: Draws) -> Measurement:
    """Measure a candidate: in each repeat both supernets have the same weights, images and crops.

    Args:
        space: The space.
        kept: What is kept with the candidate.
        candidate: The candidate.
        draws: What is drawn.

    Returns:
        The measurement.
    """
    begin, processor_begin = time.perf_counter(), time.process_time()
    both = (kept, without(kept, candidate.position, space.choices[candidate.position][candidate.choice]))
    conds, regions = [], []
    for draw in draws.of(candidate):
        conds.append(_conds(space, both, draw, draws))
        regions.append(_regions(space, both, draw, draws))
    spent, processor = time.perf_counter() - begin, time.process_time() - processor_begin
    return Measurement(candidate, tuple(conds), tuple(regions), spent, processor)


def _conds(space: Supernetted, both: tuple[Kept, Kept], draw: Draw, draws: Draws) -> tuple[float, float]:
    settings, images = draws.settings, draw.batch()
    with_it, without_it = (
        condition_number(
            space.supernet(
                kept,
                num_classes=draws.images.num_classes,
                seed=draw.seed,
                channels=settings.channels,
                cells_per_stage=settings.cells_per_stage,
                init=settings.init,
            ),
            images,
        )
        for kept in both
    )
    return with_it, without_it


def _regions(space: Supernetted, both: tuple[Kept, Kept], draw: Draw, draws: Draws) -> tuple[float, float]:
    settings, crops = draws.settings, draw.crops()
    with_it, without_it = (
        count_regions(
            space.super_cell(kept, channels=settings.region_channels, seed=draw.region_seed, init=settings.region_init),
            crops,
        )
        for kept in both
    )
    return float(with_it), float(without_it)


def condition_number(network: nn.Module, images: Tensor) -> float:
    """Return the condition number of a network's kernel: of summed logits, BatchNorm coupled, by all weights.

    Eigenvalues are those of a float64 matrix of float32 rows; the published code takes those of a float32 one.

    Args:
        network: The network.
        images: The batch.

    Returns:
        The condition number; infinity where the kernel is singular, as where nothing leads from the input to the
        output.

    Raises:
        KernelError: If the kernel is not finite.
    """
    kernel = empirical_ntk(network, images, output="sum", batch_norm="coupled", parameters="weights", verify=False)
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
