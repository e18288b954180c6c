"""What studies over widths have in common: family, data, parametrisation, widths, repeats."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ntknas.core.errors import ChoiceError, check_known
from ntknas.studies import families
from ntknas.studies.base import STEP, seed_of
from ntknas.studies.data import StudyData, load
from ntknas.studies.families import FAMILIES, PARAMETRISATIONS

_COPIES = 6
"""Activations, gradients and kernels that are held at a time, by experience."""
_MOVING = 50
"""Multiplications that a core makes while it reads and writes one activation, by experience."""
_ACTIVATIONS = {"mlp": 1, "cnn": 4, "transformer": 10}
"""Activations of a position, in widths."""


def check_widths(widths: tuple[int, ...]) -> None:
    """Check that there are widths to fit a slope to.

    Raises:
        ChoiceError: If there are fewer than two, or they do not ascend.
    """
    if list(widths) != sorted(set(widths)) or len(widths) < 2 or widths[0] < 1:
        raise ChoiceError(f"--widths expects two or more numbers that ascend, got {widths}.")


@dataclass(frozen=True)
class Widths:
    """Networks of one family at several widths, each initialised several times.

    Attributes:
        family: A key of ``FAMILIES``.
        data: A key of ``ntknas.studies.data.DATA``.
        samples: Number of samples.
        parametrisation: A key of ``PARAMETRISATIONS``.
        widths: The widths, ascending.
        repeats: Initialisations of each.
        seed: Seed of the first initialisation.
        folder: Folder of downloaded images.
        device: Where to compute.

    Raises:
        ChoiceError: If a name is unknown, or the widths do not ascend.
    """

    family: str
    data: str
    samples: int
    parametrisation: str
    widths: tuple[int, ...]
    repeats: int
    seed: int = 0
    folder: Path = Path("image_data")
    device: str = "cpu"

    def __post_init__(self) -> None:
        """Check names and numbers."""
        check_known("family of networks", self.family, FAMILIES)
        check_known("parametrisation", self.parametrisation, PARAMETRISATIONS)
        check_widths(self.widths)
        if self.repeats < 2 or self.samples < 2:
            raise ChoiceError(f"At least two repeats and two samples are needed, got {self.repeats}, {self.samples}.")

    def describe(self) -> dict[str, Any]:
        """Return every choice, as plain data."""
        return {
            "family": self.family,
            "data": self.data,
            "samples": self.samples,
            "parametrisation": self.parametrisation,
            "seed": self.seed,
            "source": self.loaded.source,
        }

    @cached_property
    def loaded(self) -> StudyData:
        """The data, on the device."""
        found = load(self.data, self.samples, self.folder)
        return StudyData(found.name, found.x.to(self.device), found.y.to(self.device), found.source)

    def network(self, width: int, repeat: int) -> nn.Module:
        """Build one network; a repeat has another seed at every width."""
        data, seed = self.loaded, seed_of(self.seed, width, repeat)
        return families.build(self.family, self.parametrisation, data.x, width, data.outputs, seed)

    def parameters(self, width: int) -> int:
        """Return the number of parameters at a width, without making them."""
        with torch.device("meta"):
            network = FAMILIES[self.family].build(
                families.Layers(self.parametrisation), self.loaded.x, width, self.loaded.outputs
            )
        return sum(parameter.numel() for parameter in network.parameters())

    def pass_cost(self, width: int) -> float:
        """Return about how many multiplications a forward and a backward pass take; see ``Study.cost``."""
        activations = _ACTIVATIONS[self.family.removesuffix("-wide")] * width
        return STEP + 3.0 * self.samples * self._positions * (self.parameters(width) + _MOVING * activations)

    def kernel_cost(self, width: int) -> float:
        """Return about how many multiplications a kernel takes: a backward pass an output, and the products of rows."""
        rows = width + self.loaded.x[0].numel() if self.family == "mlp" else self.parameters(width)
        return self.loaded.outputs * (self.pass_cost(width) + float(self.samples**2 * rows))

    @property
    def _positions(self) -> int:
        """Places of a sample at which weights are used: pixels, or steps."""
        shape = self.loaded.x.shape
        if self.family == "mlp":
            return 1
        return shape[2] * shape[3] // 4 if len(shape) == 4 else shape[1]  # most weights come after the pooling

    def bytes_at(self, width: int, kernels: int) -> int:
        """Return about how much memory a width takes.

        Args:
            width: The width.
            kernels: Kernels that are held at a time.
        """
        positions = self.loaded.x[0, 0].numel() if self.loaded.x.dim() == 4 else self.loaded.x[0].numel()
        activations = self.samples * width * (positions if self.family != "mlp" else 1)
        return 8 * (_COPIES * activations + 4 * self.parameters(width) + kernels * self.samples**2)

    @property
    def text(self) -> str:
        """What is studied, for a heading."""
        return f"{self.family} on {self.samples} samples of {self.data}, {self.parametrisation} parametrisation"
