"""What measures are taken of beside one kernel: a network with its probe, kernels of two probes, a training."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ntknas.core.choices import Choices
from ntknas.core.kernel import Kernel
from ntknas.core.lazy import nn

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class NetworkCase:
    """A network at initialisation and the probe it is looked at with.

    Attributes:
        network: The network; measures work on copies.
        images: The probe's images, N×3×H×W, on the network's device and in its precision.
        labels: The probe's labels, N.
        seed: Seed of the weights, from which measures seed their own draws.
        choices: What is chosen for kernels; measures that say so take batch-norm policy and parameter set from it.
        verify: Whether those prove on this network what they compute.
        held_out_images: Images of a held-out probe, for measures that say that they need one.
        held_out_labels: Their labels.
        resized: Builds the same cell from the same seed with other channels and cells per stage, on the network's
            device and in its precision; ``None`` where nothing says how.
    """

    network: nn.Module = field(repr=False)
    images: Tensor = field(repr=False)
    labels: Tensor = field(repr=False)
    seed: int = 0
    choices: Choices = field(default_factory=Choices)
    verify: bool = True
    held_out_images: Tensor | None = field(default=None, repr=False)
    held_out_labels: Tensor | None = field(default=None, repr=False)
    resized: Callable[[int, int], nn.Module] | None = field(default=None, repr=False)

    def copy(self) -> nn.Module:
        """Return a copy of the network in training mode."""
        return copy.deepcopy(self.network).train()


@dataclass(frozen=True)
class TrainingCase:
    """What the training of a network has come to.

    Attributes:
        loss: Mean training loss of the last epoch, each batch before its step.
        accuracy: Percentage of training images classified rightly, likewise.
        validation_accuracy: Percentage of the source's test images classified rightly now; ``None`` without images.
        reason: Why there is none.
    """

    loss: float
    accuracy: float
    validation_accuracy: float | None
    reason: str = ""


@dataclass(frozen=True)
class RegressionCase:
    """A kernel on a probe, and between it and a held-out probe.

    Attributes:
        kernel: Kernel of the training probe, N×N, with labels.
        cross: Kernel between the training and the held-out probe, N×M.
        held_out_labels: Labels of the held-out probe, M.
    """

    kernel: Kernel
    cross: Kernel
    held_out_labels: Tensor = field(repr=False)
