"""How a network is trained; the defaults are the setting of Mok et al. (CVPR 2022)."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Annotated

from ntknas.core.errors import ChoiceError, check_known
from ntknas.core.options import Option
from ntknas.data.augmentation import AUGMENTATIONS

SCHEDULES = {
    "constant": "the same learning rate all through",
    "cosine": "η_t = η (1 + cos(π t / T)) / 2 at step t of the T steps up to the last listed epoch",
}


@dataclass(frozen=True)
class TrainingOptions:
    """Stochastic gradient descent on cross-entropy.

    Attributes:
        batch_size: Images of a step; the last step of an epoch takes what is left.
        learning_rate: η.
        momentum: Factor of the velocity.
        weight_decay: L2 penalty, on all parameters.
        nesterov: Whether momentum is Nesterov's.
        schedule: A key of ``SCHEDULES``.
        label_smoothing: Share of the label that is spread over all classes.
        augmentation: A key of ``AUGMENTATIONS``, drawn afresh in every epoch.
        mixed_precision: Whether forward and backward passes compute in bfloat16 where torch's autocast does.

    Raises:
        ChoiceError: If one is out of range.
    """

    batch_size: Annotated[int, Option("Images of a training step.")] = 1024
    learning_rate: Annotated[float, Option("Learning rate of SGD.")] = 0.025
    momentum: Annotated[float, Option("Momentum of SGD.")] = 0.9
    weight_decay: Annotated[float, Option("Weight decay.")] = 3e-4
    nesterov: Annotated[bool, Option("Nesterov's momentum.")] = False
    schedule: Annotated[str, Option("Learning rate over the epochs, up to the last listed.", choices=SCHEDULES)] = (
        "constant"
    )
    label_smoothing: Annotated[float, Option("Label smoothing.")] = 0.0
    augmentation: Annotated[
        str, Option("Augmentation of the training images.", name="train_augment", choices=AUGMENTATIONS)
    ] = "crop-flip"
    mixed_precision: Annotated[bool, Option("Train in bfloat16 where torch's autocast does.")] = False

    def __post_init__(self) -> None:
        """Check every option."""
        check_known("learning-rate schedule", self.schedule, SCHEDULES)
        check_known("augmentation", self.augmentation, AUGMENTATIONS)
        _check("batch size", self.batch_size, 1, math.inf, "from 1")
        _check("learning rate", self.learning_rate, 0, math.inf, "from 0")
        _check("momentum", self.momentum, 0, 1, "in [0, 1)", open_end=True)
        _check("weight decay", self.weight_decay, 0, math.inf, "from 0")
        _check("label smoothing", self.label_smoothing, 0, 1, "in [0, 1)", open_end=True)
        if self.nesterov and not self.momentum:
            raise ChoiceError("Nesterov's momentum needs a momentum: give one above 0, or leave Nesterov out.")

    def rate(self, step: int, steps: int) -> float:
        """Return the learning rate at a step.

        Args:
            step: Number of steps made before.
            steps: Steps of the whole training.

        Example:
            >>> TrainingOptions(learning_rate=0.2, schedule="cosine").rate(5, 10)
            0.1
        """
        if self.schedule == "constant":
            return self.learning_rate
        return self.learning_rate * (1 + math.cos(math.pi * step / steps)) / 2

    def describe(self, epochs: int) -> dict[str, object]:
        """Return what identifies a training; the number of epochs only where it changes what the first ones do."""
        return asdict(self) | ({"schedule_epochs": epochs} if self.schedule != "constant" else {})


def _check(name: str, value: float, low: float, high: float, expected: str, *, open_end: bool = False) -> None:
    inside = low <= value < high if open_end or math.isinf(high) else low <= value <= high
    if not inside:
        raise ChoiceError(f"The {name} must be {expected}, got {value}.")
