"""A job with fewer images: what a short trial computes in its place."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import torch

from ntknas.data.image_set import ImageSet
from ntknas.data.probe import Probe
from ntknas.scoring.job import Job
from ntknas.scoring.training import Training
from ntknas.training import TrainingImages

MIN_IMAGES = 4


def sizes(images: int) -> Iterator[int]:
    """Yield ever larger numbers of images, each four times the one before, up to all."""
    number = MIN_IMAGES
    while number < images:
        yield number
        number *= 4
    yield images


def fewer(job: Job, images: int) -> Job:
    """Return a job of so many images, whose networks train on as small a share of theirs, without checkpoints."""
    training = job.training and fewer_trained(job.training, images / len(job.probe))
    return replace(job, probe=_fewer_probed(job.probe, images), training=training)


def _fewer_probed(probe: Probe, images: int) -> Probe:
    """Images at equal distances, since classes may lie one after the other."""
    if images >= len(probe):
        return probe
    positions = torch.arange(images) * len(probe) // images
    held_out, redraw = probe.held_out, probe.redraw
    return replace(
        probe,
        images=probe.images[positions],
        labels=probe.labels[positions],
        held_out=held_out and _fewer_probed(held_out, images),
        redraw=redraw and (lambda seed: _fewer_probed(redraw(seed), images)),
    )


def fewer_trained(training: Training, share: float) -> Training:
    """Return a training on a share of its images and of those that accuracies are taken of, without checkpoints."""
    images = training.images
    if share < 1:
        images = _FewerTrained(images.source, images.request, math.ceil(share * len(images)), share=share)
    return replace(training, images=images, checkpoints=None)


@dataclass(frozen=True)
class _FewerTrained(TrainingImages):
    """The first of a training's images, and as small a share of the test images."""

    share: float = 1.0

    @cached_property
    def validation(self) -> ImageSet:
        images = super().validation
        return replace(images, labels=images.labels[: math.ceil(self.share * len(images))])
