"""Trains one network, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ntknas.core.errors import DataError
from ntknas.kernels.preparation import full_precision
from ntknas.training.images import TrainingImages
from ntknas.training.options import TrainingOptions
from ntknas.training.state import EpochState, OptimizerState, TrainerState, check_state

_EVALUATION_BATCH = 512
OnStep = Callable[[int, float, float], None]


class DivergedError(Exception):
    """The training loss is no longer a finite number."""


@dataclass(frozen=True)
class Epoch:
    """What one epoch of training gave.

    Attributes:
        epoch: Its number, from 1.
        step: Steps made since the beginning.
        loss: Mean cross-entropy of its batches, each before its step, over the images.
        accuracy: Percentage of its images that were classified rightly, likewise.
        learning_rate: η of its last step.
    """

    epoch: int
    step: int
    loss: float
    accuracy: float
    learning_rate: float


class Trainer:
    """Trains a network in place.

    Args:
        network: The network, on the device and in the precision to train in.
        images: What it is trained on.
        options: How.
        seed: Seed of order and augmentation.
        epochs: Length of the whole training, for the schedule.

    Attributes:
        epoch: Epochs made.
        step: Steps made.
        history: What each epoch gave.
    """

    def __init__(self, network: nn.Module, images: TrainingImages, options: TrainingOptions, seed: int, epochs: int):
        self.network, self.images, self.options, self.seed = network, images, options, seed
        self._steps = epochs * images.steps(options.batch_size)
        self._reference = next(network.parameters())
        self._optimizer = torch.optim.SGD(
            network.parameters(),
            options.learning_rate,
            options.momentum,
            weight_decay=options.weight_decay,
            nesterov=options.nesterov,
        )
        self.epoch = self.step = 0
        self.history: list[Epoch] = []

    def train_epoch(self, on_step: OnStep | None = None) -> Epoch:
        """Train for one epoch; the network is in training mode for that long.

        Args:
            on_step: Called after every step with the number of steps so far, and the loss and the accuracy of its batch
                before the step.

        Returns:
            What the epoch gave.

        Raises:
            DivergedError: If the loss is NaN or infinite; the network is of no use then.
        """
        was_training = self.network.training
        self.network.train()
        # By epoch, so that a training that goes on from a checkpoint draws as one that never stopped.
        seed_of_epoch = int(np.random.SeedSequence([self.seed, self.epoch]).generate_state(1)[0])
        with full_precision(), torch.random.fork_rng():
            torch.manual_seed(seed_of_epoch)  # for layers that draw, such as dropout
            totals = self._pass(on_step)
        self.network.train(was_training)
        loss, right = (float(total) / len(self.images) for total in totals)
        self.epoch += 1
        if not math.isfinite(loss):
            rate = self.options.learning_rate
            raise DivergedError(f"the training loss is {loss} in epoch {self.epoch} (learning rate {rate:g})")
        rate = self._optimizer.param_groups[0]["lr"]
        self.history.append(Epoch(self.epoch, self.step, loss, 100 * right, rate))
        return self.history[-1]

    def _pass(self, on_step: OnStep | None) -> Tensor:
        """Make the steps of one epoch; return the sums of losses and of right answers, on the device."""
        # Sums stay on the device until the epoch ends: a float() in every step would wait for a GPU each time.
        totals = torch.zeros(2, dtype=torch.float64, device=self._reference.device)
        options = self.options
        for images, labels in self.images.batches(options.batch_size, options.augmentation, self.seed, self.epoch):
            x, y = self._to_device(images), labels.to(self._reference.device, non_blocking=True)
            for group in self._optimizer.param_groups:
                group["lr"] = options.rate(self.step, self._steps)
            self._optimizer.zero_grad(set_to_none=True)
            with self._autocast():
                outputs = self.network(x)
            # In the network's own precision: what autocast gives may be bfloat16.
            loss = F.cross_entropy(outputs.to(self._reference.dtype), y, label_smoothing=options.label_smoothing)
            loss.backward()
            self._optimizer.step()
            self.step += 1
            sums = torch.stack([loss.detach().double() * len(y), (outputs.argmax(1) == y).sum().double()])
            totals += sums
            if on_step:
                on_step(self.step, float(sums[0]) / len(y), 100 * float(sums[1]) / len(y))
        return totals

    def _to_device(self, images: Tensor) -> Tensor:
        x = images.to(self._reference.device, self._reference.dtype, non_blocking=True)
        return x.contiguous(memory_format=torch.channels_last) if x.device.type == "cpu" and x.dim() == 4 else x

    @contextmanager
    def _autocast(self) -> Iterator[None]:
        kind, on = self._reference.device.type, self.options.mixed_precision
        with torch.autocast(kind, torch.bfloat16, enabled=on):
            yield

    def validation_accuracy(self) -> float:
        """Return the percentage of the source's test images that the network classifies rightly, in evaluation mode.

        Raises:
            DataError: If there are none.
        """
        images = self.images.validation
        if not len(images):
            raise DataError(f"{images.name} has no test images.")
        was_training = self.network.training
        self.network.eval()
        right = 0
        with torch.no_grad(), full_precision():
            for start in range(0, len(images), _EVALUATION_BATCH):
                batch = np.arange(start, min(start + _EVALUATION_BATCH, len(images)))
                predicted = self.network(self._to_device(images.take(batch))).argmax(1).cpu()
                right += int((predicted == torch.from_numpy(images.labels[batch])).sum())
        self.network.train(was_training)
        return 100 * right / len(images)

    def state(self) -> TrainerState:
        """Return everything that the rest of the training depends on."""
        optimizer = self._optimizer.state_dict()
        return {
            "network": self.network.state_dict(),
            "optimizer": OptimizerState(state=optimizer["state"], param_groups=optimizer["param_groups"]),
            "epoch": self.epoch,
            "step": self.step,
            "history": [_state_of(epoch) for epoch in self.history],
        }

    def restore(self, state: object) -> None:
        """Go on from a state of the same network and training.

        Args:
            state: What ``state`` gave, as it was read.

        Raises:
            ValueError: If it is something else; nothing is changed then.
        """
        check_state(state, self.state())
        checked = cast("TrainerState", state)
        self.network.load_state_dict(checked["network"])
        self._optimizer.load_state_dict({**checked["optimizer"]})
        self.epoch, self.step = checked["epoch"], checked["step"]
        self.history = [Epoch(**epoch) for epoch in checked["history"]]


def _state_of(epoch: Epoch) -> EpochState:
    return EpochState(
        epoch=epoch.epoch,
        step=epoch.step,
        loss=epoch.loss,
        accuracy=epoch.accuracy,
        learning_rate=epoch.learning_rate,
    )
