"""Trains a network and follows its kernel."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from ntknas.core.errors import ChoiceError, check_known
from ntknas.core.score import Status
from ntknas.kernels.memory import is_out_of_memory
from ntknas.tracking.track import COLUMNS, EMPTY, Track
from ntknas.tracking.tracker import KernelTracker, Snapshot
from ntknas.training import DivergedError, Trainer

UNITS = {"epoch": "at the end of every n-th epoch", "step": "after every n-th step"}


@dataclass(frozen=True)
class Recording:
    """When the kernel is taken: before training, then every so often, and at the end.

    Attributes:
        epochs: Epochs of training.
        every: n.
        unit: A key of ``UNITS``.

    Raises:
        ChoiceError: If one is out of range.
    """

    epochs: int
    every: int = 1
    unit: str = "epoch"

    def __post_init__(self) -> None:
        """Check the numbers."""
        check_known("unit of recording", self.unit, UNITS)
        if self.epochs < 1 or self.every < 1:
            raise ChoiceError(f"`epochs` and `every` must be at least 1, got {self.epochs} and {self.every}.")

    def describe(self) -> dict[str, object]:
        """Return what identifies it."""
        return {f"recording_{name}": value for name, value in asdict(self).items()}


def follow(
    tracker: KernelTracker,
    trainer: Trainer,
    recording: Recording,
    identity: Mapping[str, object],
    *,
    keep_kernels: bool = False,
    about: Mapping[str, object] | None = None,
    on_epoch: Callable[[], None] = lambda: None,
) -> Track:
    """Train a network, and record its kernel, loss and accuracy.

    At the end of an epoch ``train_loss`` and ``train_accuracy`` are those of the epoch, each batch before its step, and
    ``valid_accuracy`` that of the source's test images now; after a step those of its batch, before the step.

    Args:
        tracker: A fresh tracker of the trainer's network.
        trainer: A fresh trainer.
        recording: When to record.
        identity: What decides the track.
        keep_kernels: Whether the track has every kernel, and not its spectrum alone.
        about: What else to keep with the track.
        on_epoch: Called after every epoch.

    Returns:
        The track; one that ended early, since the loss diverged, memory ran out or the network cannot do it, has the
        status and what was recorded until then.
    """
    start = time.perf_counter()
    record = _Record(tracker, keep_kernels)
    status, reason = Status.OK, ""
    try:
        record.take(0)
        for _ in range(recording.epochs):
            _epoch(record, trainer, recording)
            on_epoch()
        if tracker.snapshots[-1].step < trainer.step:  # the end, whatever the rhythm
            record.take(trainer.step)
    except DivergedError as error:
        status, reason = Status.DIVERGED, str(error)
    except (RuntimeError, MemoryError) as error:  # what torch raises; errors of ntknas itself are neither, and pass
        status = Status.OOM if is_out_of_memory(error) else Status.ERROR
        reason = (str(error).splitlines() or [type(error).__name__])[0]
    about = {**(about or {}), "seconds": time.perf_counter() - start}
    return record.track(identity, status, reason, about)


def ended(identity: Mapping[str, object], status: Status, reason: str) -> Track:
    """Return the track of a network that was never trained."""
    frame = pd.DataFrame({name: [] for name in COLUMNS})
    return Track(identity, frame, *EMPTY, None, status, reason)


def _epoch(record: _Record, trainer: Trainer, recording: Recording) -> None:
    if recording.unit == "step":
        trainer.train_epoch(on_step=lambda step, loss, accuracy: _step(record, recording, step, loss, accuracy))
        return
    epoch = trainer.train_epoch()
    if epoch.epoch % recording.every == 0 or epoch.epoch == recording.epochs:
        record.take(
            epoch.step,
            train_loss=epoch.loss,
            train_accuracy=epoch.accuracy,
            valid_accuracy=trainer.validation_accuracy(),
            learning_rate=epoch.learning_rate,
        )


def _step(record: _Record, recording: Recording, step: int, loss: float, accuracy: float) -> None:
    if step % recording.every == 0:
        record.take(step, train_loss=loss, train_accuracy=accuracy)


class _Record:
    """What a track will hold."""

    def __init__(self, tracker: KernelTracker, keep_kernels: bool):
        self._tracker = tracker
        self._spectra: list[np.ndarray] = []
        self._alignments: list[np.ndarray] = []
        self._kernels: list[np.ndarray] | None = [] if keep_kernels else None

    def take(self, step: int, **extra: float) -> Snapshot:
        snapshot = self._tracker.record(step, **extra)
        kernel = self._tracker.kernel
        spectrum = kernel.spectrum.numpy() if kernel.is_finite else np.full(kernel.size, np.nan)
        self._spectra.append(spectrum)
        shares = np.full(kernel.size, np.nan) if snapshot.alignment is None else snapshot.alignment.shares.numpy()
        self._alignments.append(shares)
        if self._kernels is not None:
            self._kernels.append(kernel.matrix.numpy())
        return snapshot

    def track(self, identity: Mapping[str, object], status: Status, reason: str, about: Mapping[str, object]) -> Track:
        snapshots, labels = self._tracker.snapshots, self._tracker.row_labels
        return Track(
            identity,
            self._tracker.frame(),
            # A record that ran out of memory may have its snapshot, and not its spectrum.
            np.array([snapshot.step for snapshot in snapshots[: len(self._spectra)]], dtype=np.int64),
            np.array(self._spectra) if self._spectra else np.empty((0, 0)),
            np.empty(0, dtype=np.int64) if labels is None else labels.numpy(),
            None if self._kernels is None else np.array(self._kernels),
            status,
            reason,
            about,
            None if labels is None or not self._alignments else np.array(self._alignments),
        )
