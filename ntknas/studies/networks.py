"""What studies over widths have in common: a subject, widths, repeats, and the published numbers of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from ntknas.core.errors import ChoiceError, check_known
from ntknas.studies import parametrised
from ntknas.studies.base import seed_of
from ntknas.studies.cost import STEP
from ntknas.studies.data import StudyData
from ntknas.studies.options import Numbers
from ntknas.studies.parametrised import NETWORKS
from ntknas.studies.subject import Subject
from ntknas.studies.words import counted, setting_of

_COPIES = 6
"""Activations, gradients and kernels that are held at a time, by experience."""
_MOVING = 50
"""Multiplications that a core makes while it reads and writes one activation, by experience."""
_ACTIVATIONS = {"dense": 1, "convolutional": 4, "attention": 10}
"""Activations of a position, in widths."""
_TRANSFORMER = Numbers(samples=100, widths=(64, 128, 256, 512, 1024), repeats=50)
_QUICK_MLP = Numbers(samples=60, widths=(64, 256, 1024), repeats=6)
_QUICK_TRANSFORMER = Numbers(samples=20, widths=(16, 32, 64), repeats=6)


def check_widths(widths: tuple[int, ...]) -> None:
    """Check that there are widths to fit a slope to.

    Raises:
        ChoiceError: If there are fewer than two, or they do not ascend.
    """
    if list(widths) != sorted(set(widths)) or len(widths) < 2 or widths[0] < 1:
        raise ChoiceError(f"`widths` expects two or more numbers that ascend, got {widths}.")


@dataclass(frozen=True)
class Widths:
    """Networks of one family at several widths, each initialised several times.

    Attributes:
        subject: Which networks, on which data.
        widths: The widths, ascending.
        repeats: Initialisations of each.

    Raises:
        ChoiceError: If the family has no networks of any parametrisation, or the widths do not ascend.
    """

    subject: Subject
    widths: tuple[int, ...]
    repeats: int

    FAMILIES: ClassVar = tuple(NETWORKS)
    PUBLISHED: ClassVar[dict[tuple[str, str], Numbers]] = {
        ("mlp-1", "boston"): Numbers(samples=500, widths=(50, 100, 250, 500, 1000, 2500, 5000, 10_000), repeats=50),
        ("mlp-1", "boston-file-order"): Numbers(
            samples=100, widths=(50, 100, 500, 1000, 5000, 10_000, 50_000, 100_000), repeats=50
        ),
        ("mlp-1", "mnist"): Numbers(samples=35, widths=(250, 500, 1000, 2500, 5000), repeats=50),
        ("mlp-1", "digits"): Numbers(samples=35, widths=(250, 500, 1000, 2500, 5000), repeats=50),  # as on MNIST
        ("cnn-average", "mnist"): Numbers(samples=35, widths=(16, 32, 64, 128, 256, 512), repeats=50),
        ("transformer-128", "sine"): _TRANSFORMER,
        ("transformer-wide", "sine"): _TRANSFORMER,
        ("transformer-128", "temperature"): _TRANSFORMER,
    }
    QUICK: ClassVar[dict[tuple[str, str], Numbers]] = {
        ("mlp-1", "boston"): _QUICK_MLP,
        ("mlp-1", "boston-file-order"): _QUICK_MLP,
        ("mlp-1", "mnist"): Numbers(samples=20, widths=(64, 256, 1024), repeats=6),
        ("mlp-1", "digits"): Numbers(samples=20, widths=(64, 256, 1024), repeats=6),
        ("cnn-average", "mnist"): Numbers(samples=10, widths=(8, 16, 32), repeats=6),
        ("transformer-128", "sine"): _QUICK_TRANSFORMER,
        ("transformer-wide", "sine"): _QUICK_TRANSFORMER,
        ("transformer-128", "temperature"): _QUICK_TRANSFORMER,
    }

    def __post_init__(self) -> None:
        """Check names and numbers."""
        check_known("family of networks", self.subject.family, NETWORKS)
        check_widths(self.widths)
        if self.repeats < 2:
            raise ChoiceError(f"At least two repeats are needed, got {self.repeats}.")

    @classmethod
    def preset(cls, family: str, data: str, *, quick: bool) -> Numbers:
        """Return the published or the quick numbers for a family on data.

        Returns:
            Samples, widths and repeats.

        Raises:
            ChoiceError: If there are none.
        """
        presets = cls.QUICK if quick else cls.PUBLISHED
        if (family, data) not in presets:
            names = [f"{Subject(name, on, 2).name} on {on}" for name, on in presets]
            name = Subject(family, data, 2).name
            raise ChoiceError(f"There is no preset for {name} on {data}: expected {', '.join(names)}.")
        return presets[family, data]

    def describe(self, **numbers: object) -> dict[str, object]:
        """Return every choice but widths and repeats, and the numbers that are given, as plain data."""
        return {**self.subject.identity(self.loaded.source, self.subject.data, **numbers)}

    @property
    def loaded(self) -> StudyData:
        """The data, on the device."""
        return self.subject.loaded

    def network(self, width: int, repeat: int) -> nn.Module:
        """Build one network; a repeat has another seed at every width."""
        subject, data = self.subject, self.loaded
        seed = seed_of(subject.seed, width, repeat)
        return parametrised.build(subject.family, subject.parametrisation, data.x, width, data.outputs, seed)

    def parameters(self, width: int) -> int:
        """Return the number of parameters at a width, without making them."""
        with torch.device("meta"):
            layers = parametrised.Layers(self.subject.parametrisation)
            network = NETWORKS[self.subject.family](layers, self.loaded.x, width, self.loaded.outputs)
        return sum(parameter.numel() for parameter in network.parameters())

    def pass_cost(self, width: int) -> float:
        """Return about how many multiplications a forward and a backward pass take; see ``Study.cost``."""
        activations = _ACTIVATIONS[self.subject.networks.kind] * width
        return STEP + 3.0 * self.subject.samples * self._positions * (self.parameters(width) + _MOVING * activations)

    def kernel_cost(self, width: int) -> float:
        """Return about how many multiplications a kernel takes: a backward pass per output, and products of rows."""
        rows = width + self.loaded.x[0].numel() if self._is_dense else self.parameters(width)
        return self.loaded.outputs * (self.pass_cost(width) + float(self.subject.samples**2 * rows))

    @property
    def _is_dense(self) -> bool:
        return self.subject.networks.kind == "dense"

    @property
    def _positions(self) -> int:
        """Places of a sample at which weights are used: pixels, or steps."""
        shape = self.loaded.x.shape
        if self._is_dense:
            return 1
        return shape[2] * shape[3] // 4 if len(shape) == 4 else shape[1]  # most weights come after the pooling

    def bytes_at(self, width: int, kernels: int) -> int:
        """Return about how much memory a width takes.

        Args:
            width: The width.
            kernels: Kernels that are held at a time.

        Returns:
            Bytes.
        """
        x, samples = self.loaded.x, self.subject.samples
        positions = x[0, 0].numel() if x.dim() == 4 else x[0].numel()
        activations = samples * width * (1 if self._is_dense else positions)
        return 8 * (_COPIES * activations + 4 * self.parameters(width) + kernels * samples**2)

    def setting(self, *details: str) -> str:
        """Return with what a study was made, to stand under its pictures.

        Args:
            *details: What else decides the numbers.
        """
        return setting_of(self.subject, *details, f"{counted(self.repeats, 'initialisation')} of each width")

    @property
    def text(self) -> str:
        """What is studied, for a heading."""
        subject = self.subject
        return (
            f"{subject.name} on {subject.samples} samples of {subject.data}, {subject.parametrisation} parametrisation"
        )
