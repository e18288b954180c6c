"""How long a run takes at the most, reckoned without trying anything: what is short by any reckoning needs no trial."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import Unpack

import torch

from ntknas.data.datasets import get_dataset
from ntknas.kernels.batch_norm import couples_samples
from ntknas.scoring.inputs import ScoringOptions, inputs_of
from ntknas.scoring.job import Job
from ntknas.scoring.recipe import WITHOUT_KERNEL, Group
from ntknas.spaces import CellLike, Space

RATE = 1e9
"""Multiply-adds a second of a slow core, by experience a tenth of what a usual one does."""
OVERHEAD = 0.25
"""Seconds of a kernel on such a core, however small its network is."""
_PASSES = 3.0
"""Forward, and backward by inputs and by weights."""
_SAMPLE = 20


def reckoned_seconds(
    space: Space | str, cells: str | Iterable[int | str | CellLike], **options: Unpack[ScoringOptions]
) -> float:
    """Reckon how long scoring takes at the most, whatever is stored of it.

    Args:
        space: As of ``ntknas.score``, and so are all others.
        cells: What would be scored.
        **options: What would be measured.

    Returns:
        Seconds.

    Raises:
        NtknasError: As ``ntknas.score`` does.
    """
    inputs = inputs_of(space, cells, **options)
    job, networks = inputs.job, len(inputs.cells) * len(inputs.seeds)
    if not networks:
        return 0.0
    adds = multiply_adds(job, inputs.cells)
    kernels = [group for epoch in job.epochs for group in job.groups(epoch)]
    passes = sum(passes_of(job, group) for group in kernels)
    if job.training is not None:
        passes += len(job.training.images) * job.training.epochs[-1]
    return networks * (len(kernels) * OVERHEAD + seconds_of_passes(passes * adds))


def seconds_of_passes(adds: float) -> float:
    """Return how long passes take whose forward parts have so many multiply-adds."""
    return _PASSES * adds / RATE


def multiply_adds(job: Job, cells: Sequence[int]) -> float:
    """Return the multiply-adds of a forward pass of one image, the mean over equally spaced cells."""
    space, dataset, size = job.space, get_dataset(job.dataset), job.recipe.network.resolved(job.space)
    return statistics.fmean(
        space.flops(
            space[cell],
            num_classes=dataset.num_classes,
            image_size=dataset.image_size,
            channels=size["channels"],
            cells_per_stage=size["cells_per_stage"],
        )
        for cell in cells[:: max(1, len(cells) // _SAMPLE)]
    )


def passes_of(job: Job, group: Group) -> int:
    """Return how often an image goes through a network for a kernel."""
    images = len(job.probe)
    if group.kind in WITHOUT_KERNEL:
        return 10 * images  # some measures take several passes
    times = 2 if group.kind == "regression" else 1
    outputs = get_dataset(job.dataset).num_classes if group.output in ("traced", "full", "label") else 1
    is_coupled = couples_samples(job.recipe.choices.batch_norm, torch.nn.BatchNorm2d(1, track_running_stats=False))
    return times * images * (images if is_coupled else 1) * outputs
