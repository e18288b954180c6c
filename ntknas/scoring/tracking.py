"""The tracks of cells: each cell's network trained as a job says, and its kernel followed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from ntknas.core.errors import ChoiceError, NtknasError
from ntknas.core.score import Status
from ntknas.data.datasets import get_dataset
from ntknas.kernels.memory import check_fits
from ntknas.measures import get_measure
from ntknas.scoring.cell_kernel import cell_network, prepare_images
from ntknas.scoring.environment import describe
from ntknas.scoring.faults import ANY_FAULT, LOG, reason_of, status_of, whose
from ntknas.scoring.job import Job
from ntknas.scoring.recipe import Group
from ntknas.scoring.training import Training
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
    def training(self) -> Training:
        """How networks are trained."""
        assert self.job.training is not None
        return self.job.training

    @property
    def steps_per_epoch(self) -> int:
        """Steps of an epoch of training."""
        return self.training.images.steps(self.training.options.batch_size)

    @property
    def rows(self) -> int:
        """Number of rows of a kernel."""
        outputs = get_dataset(self.job.dataset).num_classes if self.job.recipe.choices.output == "full" else 1
        return len(self.job.probe) * outputs

    @property
    def records(self) -> int:
        """How often the kernel is taken, about."""
        units_per_epoch = self.steps_per_epoch if self.recording.unit == "step" else 1
        return 1 + self.recording.epochs * units_per_epoch // self.recording.every

    def check_memory(self) -> None:
        """Check that the kernels fit into memory.

        Raises:
            KernelError: If not.
        """
        matrices = _MATRICES + self.records * self.keep_kernels
        remedy = "a smaller `probe_size`, or another `output` than full" + ", or no `keep_kernels`" * self.keep_kernels
        check_fits(matrices * self.rows**2 * 8, f"{matrices} kernels of {self.rows:,} rows", remedy)

    def identity(self, cell: int, seed: int) -> dict[str, object]:
        """Return everything that decides a track."""
        group = Group("kernel", self.job.recipe.choices.output, ())
        setting = self.job.setting(group, self.recording.epochs)
        key = {"measures": list(self.measures), "cell": cell, "seed": seed}
        return {**setting.fields, **self.recording.describe(), **key}

    def find(self, folder: Path, cell: int, seed: int) -> Track | None:
        """Return a track that a folder holds, with kernels if they are to be kept; raises as ``tracking.find``."""
        track = find(folder, self.identity(cell, seed))
        return None if track is not None and self.keep_kernels and track.kernels is None else track

    def make(
        self, keys: list[Key], folder: Path | None, device: torch.device, on_epochs: Callable[[int], None]
    ) -> Iterator[Track]:
        """Train and follow networks; a track is in the folder when it is yielded, unless it failed.

        Args:
            keys: Cells and seeds.
            folder: Where tracks go; ``None`` for nowhere.
            device: Where to compute.
            on_epochs: Called with the number of epochs done, or spared by an early end.

        Yields:
            The track of each key.

        Raises:
            NtknasError: If the choices are impossible for such networks, or a track cannot be written.
        """
        for cell, seed in keys:
            track = self._track(cell, seed, device, on_epochs)
            if folder is not None and not track.status.is_failure:
                write(folder, track)
            yield track

    def _track(self, cell: int, seed: int, device: torch.device, on_epochs: Callable[[int], None]) -> Track:
        try:
            if self.job.space.is_disconnected(self.job.space[cell]):
                on_epochs(self.recording.epochs)
                return ended(self.identity(cell, seed), Status.DISCONNECTED, "no path from input to output")
            return self._follow(cell, seed, device, on_epochs)
        except NtknasError:
            raise
        except ANY_FAULT as error:  # what a space or a measure does wrong costs this track alone
            LOG.warning("Cell %s, seed %s has no track:", cell, seed, exc_info=error)
            culprit = "" if is_own(self.job.space) else whose(self.job.space)
            return ended(self.identity(cell, seed), status_of(error), reason_of(error, culprit))

    def _follow(self, cell: int, seed: int, device: torch.device, on_epochs: Callable[[int], None]) -> Track:
        job, recording = self.job, self.recording
        tracker, trainer = self.starting(cell, seed, device)
        track = follow(
            tracker,
            trainer,
            recording,
            self.identity(cell, seed),
            keep_kernels=self.keep_kernels,
            about={**describe(device), "recipe": job.recipe.name},
            on_epoch=lambda: on_epochs(1),
        )
        on_epochs(recording.epochs - len(trainer.history))
        return track

    def starting(self, cell: int, seed: int, device: torch.device) -> tuple[KernelTracker, Trainer]:
        """Return the tracker and the trainer of a network at initialisation."""
        job, choices, probe = self.job, self.job.recipe.choices, self.job.probe.of_seed(seed)
        images = prepare_images(probe.images, device, choices.precision)
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
        training = self.training
        return tracker, Trainer(network, training.images, training.options, seed, self.recording.epochs)


def defined_for(output: str, measures: tuple[str, ...]) -> tuple[str, ...]:
    """Return those measures that are defined for an output reduction."""
    return tuple(name for name in measures if not (outputs := get_measure(name).outputs) or output in outputs)
