"""How long tracks take, from a trial of one network: a record of its kernel, and an epoch of few images."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from ntknas.core.errors import NtknasError
from ntknas.scoring.faults import ANY_FAULT
from ntknas.scoring.fewer_images import fewer_trained
from ntknas.scoring.recipe import Group
from ntknas.scoring.reckoning import OVERHEAD, multiply_adds, passes_of, seconds_of_passes
from ntknas.scoring.tracking import Key, Tracking

_IMAGES = {"cuda": 2048}
_IMAGES_ON_CPU = 128
"""Images that the epoch of a trial trains on."""


def seconds_of_tracks(
    tracking: Tracking,
    keys: Sequence[Key],
    device: torch.device,
    least: float = 0.0,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """Return about how long tracks take.

    The network in the middle by multiply-adds is tried; the others take as much longer as they have more of them.

    Args:
        tracking: What is trained and followed.
        keys: Cells and seeds.
        device: Where to try.
        least: Seconds by reckoning from which on a network is tried.
        clock: Tells the seconds.

    Returns:
        Seconds of all; those of the reckoning where nothing was tried, and none where the trial failed.

    Raises:
        NtknasError: If the choices are impossible for such networks.
    """
    job = tracking.job
    connected = [key for key in keys if not job.space.is_disconnected(job.space[key[0]])]
    if not connected:
        return 0.0
    adds = {cell: multiply_adds(job, [cell]) for cell, _ in connected}
    of_all = sum(adds[cell] for cell, _ in connected)
    if (reckoned := _reckoned(tracking, len(connected), of_all)) < least:
        return reckoned
    middle = sorted(connected, key=lambda key: (adds[key[0]], key))[len(connected) // 2]
    try:
        record, epoch = _tried(tracking, middle, device, clock)
    except NtknasError:
        raise
    except ANY_FAULT:  # the run says whose fault it is
        return 0.0
    seconds = tracking.records * record + tracking.recording.epochs * epoch
    return seconds * of_all / adds[middle[0]]


def _reckoned(tracking: Tracking, networks: int, adds: float) -> float:
    """Return what is the most on a slow core: of so many networks, which have so many multiply-adds together."""
    job, recording = tracking.job, tracking.recording
    group = Group("kernel", job.recipe.choices.output, ())
    images = recording.epochs * len(tracking.training.images)
    passes = tracking.records * passes_of(job, group) + images
    return networks * tracking.records * OVERHEAD + seconds_of_passes(passes * adds)


def _tried(tracking: Tracking, key: Key, device: torch.device, clock: Callable[[], float]) -> tuple[float, float]:
    """Return seconds of a record, and of an epoch with the accuracy after it."""
    images = len(tracking.training.images)
    share = min(1.0, _IMAGES.get(device.type, _IMAGES_ON_CPU) / images)
    few = replace(tracking.job, training=fewer_trained(tracking.training, share))
    tracker, trainer = replace(tracking, job=few).starting(*key, device)
    tracker.record(0)  # the first one also loads libraries, and is proved
    start = clock()
    tracker.record(1)
    recorded = clock()
    trainer.train_epoch()
    trainer.validation_accuracy()
    return recorded - start, (clock() - recorded) / share
