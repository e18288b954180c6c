"""Networks at the epochs at which they are measured: at initialisation, and while they train."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from torch import nn

from ntknas.core.cases import TrainingCase
from ntknas.core.errors import ChoiceError, DataError
from ntknas.core.shown import Shown, counted, listed
from ntknas.store.identity import TrainingIdentity
from ntknas.training import Trainer, TrainingImages, TrainingOptions
from ntknas.training.checkpoint import Checkpoint
from ntknas.training.state import check_state

CHECKPOINT_SECONDS = 30.0
"""A training that is killed loses at most this much, and its epoch."""


@dataclass(frozen=True, repr=False)
class Training(Shown):
    """When networks are measured, and how they get there.

    Attributes:
        images: What they are trained on.
        options: How.
        epochs: The epochs to measure at, ascending; 0 is initialisation.
        checkpoints: Folder of checkpoints; ``None`` for none.
        keep: Whether the checkpoint of a finished training stays, for more epochs later.

    Raises:
        ChoiceError: If the epochs do not ascend from 0.
    """

    images: TrainingImages
    options: TrainingOptions
    epochs: tuple[int, ...]
    checkpoints: Path | None = None
    keep: bool = False

    def __post_init__(self) -> None:
        """Check the epochs."""
        check_epochs(self.epochs)

    @property
    def identity(self) -> TrainingIdentity:
        """What identifies scores of trained networks beside the epoch."""
        options = self.options.describe(self.epochs[-1])
        images = {"images": self.images.source, "size": len(self.images), "data_hash": self.images.hash}
        steps = {"steps_an_epoch": self.images.steps(self.options.batch_size), "pixels": self.images.request.pixels}
        return TrainingIdentity({**options, **images, **steps})

    def check_classes(self, outputs: int) -> None:
        """Check that every class of the images has an output.

        Raises:
            DataError: If not.
        """
        if self.images.num_classes > outputs:
            raise DataError(
                f"{self.images.source} has {self.images.num_classes} classes, and the networks have {outputs} outputs: "
                "choose other `train_images`, or the `dataset` of these."
            )

    def _line(self) -> str:
        size = "all images" if self.images.size is None else counted(self.images.size, "image")
        return f"{self.images.source}, {size}, {self.options.batch_size} a batch, to {listed(self.epochs)} epochs"


def parse_epochs(text: str) -> tuple[int, ...]:
    """Read a list of epochs.

    Args:
        text: Epochs separated by commas, such as ``0,1,4,16``.

    Returns:
        The epochs.

    Raises:
        ChoiceError: If it is not one, or does not ascend.
    """
    fields = [field.strip() for field in text.split(",")]
    if not all(field.isascii() and field.isdigit() and len(field) < 10 for field in fields):
        raise ChoiceError(f"`epochs` expects whole numbers that ascend, such as 0,1,4,16: got {text!r}.")
    epochs = tuple(map(int, fields))
    check_epochs(epochs)
    return epochs


def check_epochs(epochs: Sequence[int]) -> None:
    """Check a list of epochs.

    Raises:
        ChoiceError: If it is empty, negative, or does not ascend.
    """
    if not epochs or epochs[0] < 0 or any(a >= b for a, b in pairwise(epochs)):
        text = ",".join(map(str, epochs))
        raise ChoiceError(f"Epochs must ascend from 0 or later, such as 0,1,4,16: got {text or 'none'}.")


@dataclass(frozen=True)
class Moment:
    """A network when it is measured.

    Attributes:
        epoch: Epochs of training so far.
        network: The network, to be left as it is.
        trainer: What trained it; ``None`` at initialisation.
        seconds: Time of building or training so far, without measuring.
        measured: Whether it is one of the epochs to measure at.
    """

    epoch: int
    network: nn.Module
    trainer: Trainer | None
    seconds: float
    measured: bool = True

    def case(self) -> TrainingCase:
        """Return what measures of the training itself are taken of.

        Raises:
            ValueError: At initialisation, where there has been no training.
        """
        if self.trainer is None:
            raise ValueError("there is no training before the first epoch")
        try:
            accuracy, reason = self.trainer.validation_accuracy(), ""
        except DataError as error:
            accuracy, reason = None, str(error)
        last = self.trainer.history[-1]
        return TrainingCase(last.loss, last.accuracy, accuracy, reason)


def moments(
    network: nn.Module, training: Training, epochs: Sequence[int], identity: Mapping[str, object], seed: int
) -> Iterator[Moment]:
    """Train a network and stop after every epoch; those to measure at are marked.

    Goes on from a checkpoint that is not beyond the first of them. What was measured at an epoch must be safe when the
    next moment is asked for, since a later checkpoint counts on that.

    Args:
        network: The network at initialisation, on the device and in the precision to train in.
        training: How.
        epochs: Where to measure, ascending, from 1.
        identity: What the network is, for the checkpoint.
        seed: Seed of order and augmentation.

    Yields:
        A moment for every epoch.

    Raises:
        DivergedError: If the loss is no longer finite.
        CheckpointError: If a checkpoint cannot be used.
    """
    saved = time.perf_counter()
    trainer = Trainer(network, training.images, training.options, seed, training.epochs[-1])
    checkpoint = _checkpoint(training, identity, seed)
    seconds = _resume(trainer, checkpoint, epochs[0])
    for epoch in range(trainer.epoch, epochs[-1] + 1):
        if epoch > trainer.epoch:
            start = time.perf_counter()
            trainer.train_epoch()
            seconds += time.perf_counter() - start
        yield Moment(epoch, network, trainer, seconds, epoch in epochs)
        last = epoch == epochs[-1]
        if checkpoint and (training.keep if last else time.perf_counter() - saved >= CHECKPOINT_SECONDS):
            checkpoint.save(trainer.state(), seconds)
            saved = time.perf_counter()
    if checkpoint and not training.keep:
        checkpoint.remove()


def _checkpoint(training: Training, identity: Mapping[str, object], seed: int) -> Checkpoint | None:
    if training.checkpoints is None:
        return None
    return Checkpoint(training.checkpoints, {**identity, **training.identity.as_fields(), "seed": seed})


def _resume(trainer: Trainer, checkpoint: Checkpoint | None, latest: int) -> float:
    """Take up a checkpoint, unless it is beyond the first epoch that is asked for; return the seconds it took."""
    loaded = checkpoint.load(next(trainer.network.parameters()).device) if checkpoint else None
    if checkpoint is None or loaded is None:
        return 0.0
    state, seconds = loaded
    try:
        check_state(state, trainer.state())
    except ValueError as error:
        raise checkpoint.unusable(f"cannot be used: {error}") from error
    epoch = state["epoch"]
    if not isinstance(epoch, int) or epoch > latest:
        return 0.0
    trainer.restore(state)
    return seconds
