"""A space: chains of two operations."""

from dataclasses import dataclass
from itertools import product
from typing import ClassVar

from torch import nn

from ntknas.core.errors import ChoiceError
from ntknas.spaces import CellSpace, NetworkSpec
from ntknas.spaces.initialisation import initialise
from ntknas.spaces.parametrisation import parametrised

KERNELS = {"skip": 0, "conv1x1": 1, "conv3x3": 3, "conv5x5": 5}
ORDER = list(product(KERNELS, repeat=2))


@dataclass(frozen=True)
class Chain:
    """A cell: it knows its index and prints as its text."""

    index: int
    operations: tuple[str, ...]

    def __str__(self) -> str:
        return "-".join(self.operations)


class Chains(CellSpace[Chain]):
    """All 16 chains such as ``conv1x1-skip``."""

    name = "chains"
    size = len(ORDER)
    defaults: ClassVar = {"channels": 8, "cells_per_stage": 1}
    variants = ("official", "without-norm")

    def at(self, index: int) -> Chain:
        """Return the chain of an index."""
        return Chain(index, ORDER[index])

    def index(self, text: str) -> int:
        """Return the index of a text."""
        if (operations := tuple(text.split("-"))) not in ORDER:
            raise ChoiceError(f"Not a chain: {text!r}. Expected two of {', '.join(KERNELS)} joined by '-'.")
        return ORDER.index(operations)

    def network(self, cell: Chain, spec: NetworkSpec) -> nn.Module:
        """Build a stem, the chain as often as is asked for, and a classifier."""
        ntk, has_norm = spec.init == "ntk", spec.variant == "official"
        layers = [parametrised(nn.Conv2d(3, spec.channels, 3, padding=1), ntk)]
        for kernel in (KERNELS[name] for _ in range(spec.cells_per_stage) for name in cell.operations):
            if kernel:
                layers.append(parametrised(nn.Conv2d(spec.channels, spec.channels, kernel, padding=kernel // 2), ntk))
                layers.append(nn.BatchNorm2d(spec.channels) if has_norm else nn.Identity())
                layers.append(nn.ReLU())
        head = [nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        network = nn.Sequential(*layers, *head, parametrised(nn.Linear(spec.channels, spec.num_classes), ntk))
        initialise(network, spec.init, spec.seed, str(cell))
        return network
