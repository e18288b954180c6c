"""The tracks of cells: each cell's network trained as a job says, and its kernel followed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ntknas.core.errors import ChoiceError, NtknasError
from ntknas.core.score import Status
from ntknas.data.datasets import get_dataset
from ntknas.kernels.memory import check_fits
from ntknas.scoring.cell_kernel import brought, cell_network
from ntknas.scoring.environment import describe
from ntknas.scoring.faults import ANY_FAULT, LOG, reason_of, status_of, whose
from ntknas.scoring.job import Job
from ntknas.scoring.recipe import Group
from ntknas.spaces import is_own
from ntknas.tracking import KernelTracker
from ntknas.tracking.follow import Recording, ended, follow
from ntknas.tracking.track import Track, find, write
from ntknas.training import Trainer

_MATRICES = 6
"""K_0, K_t and the one before, and what drifts and eigenvalues make of them."""
Key = tuple[int, int]
"""Cell and seed."""


@dataclass(frozen=True)
class Tracking:
    """What is trained and followed.

    Attributes:
        job: Networks, kernel, probe and training.
        recording: When kernels are taken.
        measures: Measures to take of every kernel.
        keep_kernels: Whether kernels are kept.

    Raises:
        ChoiceError: If the job says nothing of a training.
    """

    job: Job
    recording: Recording
    measures: tuple[str, ...] = ()
    keep_kernels: bool = False

    def __post_init__(self) -> None:
        """Check that there is a training."""
        if self.job.training is None:
            raise ChoiceError("Tracking needs a job with a training.")

    @property
    def steps_an_epoch(self) -> int:
        """Steps of an epoch of training."""
        assert self.job.training is not None
        return self.job.training.images.steps(self.job.training.options.batch_size)

    @property
    def rows(self) -> int:
        """Number of rows of a kernel."""
        outputs = get_dataset(self.job.dataset).num_classes if self.job.recipe.choices.output == "full" else 1
        return len(self.job.probe) * outputs

    def check_memory(self) -> None:
        """Check that the kernels fit into memory.

        Raises:
            KernelError: If not.
        """
        a_recorded_epoch = self.steps_an_epoch if self.recording.unit == "step" else 1
        moments = 1 + self.recording.epochs * a_recorded_epoch // self.recording.every
        matrices = _MATRICES + moments * self.keep_kernels
        remedy = "a smaller --probe-size, or another --output than full" + ", or no --keep-kernels" * self.keep_kernels
        check_fits(matrices * self.rows**2 * 8, f"{matrices} kernels of {self.rows:,} rows", remedy)

    def identity(self, cell: int, seed: int) -> dict[str, Any]:
        """Return everything that decides a track."""
        group = Group("kernel", self.job.recipe.choices.output, ())
        setting = self.job.setting(group, self.recording.epochs)
        which = {"measures": list(self.measures), "cell": cell, "seed": seed}
        return {**setting.fields, **self.recording.describe(), **which}

    def find(self, folder: Path, cell: int, seed: int) -> Track | None:
        """Return a track that a folder holds, with kernels if they are to be kept.

        Raises:
            StoreError: If its file is damaged.
        """
        track = find(folder, self.identity(cell, seed))
        return None if track is not None and self.keep_kernels and track.kernels is None else track

    def make(
        self, keys: list[Key], folder: Path, device: torch.device, on_epochs: Callable[[int], None]
    ) -> Iterator[Track]:
        """Train and follow networks; a track is in the folder when it is yielded, unless it failed.

        Args:
            keys: Cells and seeds.
            folder: Where tracks go.
            device: Where to compute.
            on_epochs: Called with the number of epochs done, or spared by an early end.

        Raises:
            NtknasError: If the choices are impossible for such networks, or a track cannot be written.
        """
        for cell, seed in keys:
            track = self._tried(cell, seed, device, on_epochs)
            if not track.status.is_failure:
                write(folder, track)
            yield track

    def _tried(self, cell: int, seed: int, device: torch.device, on_epochs: Callable[[int], None]) -> Track:
        try:
            return self._made(cell, seed, device, on_epochs)
        except NtknasError:
            raise
        except ANY_FAULT as error:  # what a space or a measure does wrong costs this track alone
            LOG.warning("Cell %s, seed %s has no track:", cell, seed, exc_info=error)
            culprit = "" if is_own(self.job.space) else whose(self.job.space)
            return ended(self.identity(cell, seed), status_of(error), reason_of(error, culprit))

    def _made(self, cell: int, seed: int, device: torch.device, on_epochs: Callable[[int], None]) -> Track:
        job, choices, identity = self.job, self.job.recipe.choices, self.identity(cell, seed)
        if job.training is None or job.space.is_disconnected(job.space[cell]):
            on_epochs(self.recording.epochs)
            return ended(identity, Status.DISCONNECTED, "no path from input to output")
        probe = job.probe.of_seed(seed)
        images = brought(probe.images, device, choices.precision)
        network = cell_network(job.space, cell, seed, job.dataset, job.recipe.network, images)
        tracker = KernelTracker(
            network,
            images,
            probe.labels,
            output=choices.output,
            batch_norm=choices.batch_norm,
            parameters=choices.parameters,
            normalisation=choices.normalisation,
            measures=self.measures,
        )
        trainer = Trainer(network, job.training.images, job.training.options, seed, self.recording.epochs)
        about = {**describe(device), "recipe": job.recipe.name}
        followed = (tracker, trainer, self.recording, identity)
        track = follow(*followed, keep_kernels=self.keep_kernels, about=about, on_epoch=lambda: on_epochs(1))
        on_epochs(self.recording.epochs - len(trainer.history))
        return track
