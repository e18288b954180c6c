"""Supernets of NAS-Bench-201: every edge holds some operations at once, and returns the mean of what they return.

So does the supernet that TE-NAS prunes: its operations are weighted by the softmax of parameters that are 0 for those
that are kept and −1000 for the others, and nothing ever trains them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

import torch
from torch import Tensor, nn

from ntknas.core.errors import ChoiceError
from ntknas.spaces.base import NetworkSpec
from ntknas.spaces.layout import laid_out
from ntknas.spaces.nb201.cells import EDGES, OPERATIONS
from ntknas.spaces.nb201.network import GraphCell, StagedNetwork, operation, staged
from ntknas.spaces.starting import start

Kept = tuple[tuple[str, ...], ...]
"""The operations on each edge, in the order of ``OPERATIONS``."""


class SuperEdge(nn.Module):
    """Several operations at once: the mean of what they return; one operation alone is itself."""

    def __init__(self, operations: Iterable[tuple[str, nn.Module]]):
        super().__init__()
        self.operations = nn.ModuleDict(dict(operations))

    def forward(self, x: Tensor) -> Tensor:
        """Return the mean over the operations."""
        first, *others = self.operations.values()
        total: Tensor = first(x)
        for other in others:
            total = total + other(x)  # never in place: an Identity returns the node itself
        return total / len(self.operations) if others else total


class SuperCell(GraphCell):
    """A cell of which every edge holds several operations."""

    def __init__(self, kept: Kept, channels: int, ntk: bool = False, zero_cost: bool = False):
        super().__init__(
            SuperEdge((name, operation(name, channels, channels, ntk, zero_cost)) for name in names) for names in kept
        )

    def named_operations(self) -> Iterator[tuple[str, nn.Module]]:
        """Yield every operation with the name that seeds it: its edge and its own."""
        for number, edge in enumerate(self.edges):
            assert isinstance(edge, SuperEdge)
            yield from ((f"super{number}/{name}", module) for name, module in edge.operations.items())


class SuperNetwork(StagedNetwork):
    """The network of the benchmark around cells that hold several operations on each edge."""

    def __init__(self, kept: Kept, spec: NetworkSpec):
        ntk, zero_cost = spec.init == "ntk", spec.variant == "zero-cost"
        layers, width = staged(
            lambda width: SuperCell(kept, width, ntk, zero_cost), spec.channels, spec.cells_per_stage, ntk
        )
        super().__init__(spec.channels, layers, width, spec.num_classes, ntk)

    def named_operations(self) -> Iterator[tuple[str, nn.Module]]:
        """Yield every operation that has parameters, with the name that seeds it."""
        yield from ((name, module) for name, module in self.operations(str) if not isinstance(module, SuperCell))
        for depth, layer in enumerate(self.cells):
            if isinstance(layer, SuperCell):
                yield from ((f"{depth}/{name}", module) for name, module in layer.named_operations())


class LoneCell(nn.Module):
    """One cell alone: no stem, then the last normalisation and ReLU; nothing is classified."""

    def __init__(self, kept: Kept, channels: int):
        super().__init__()
        self.cell = SuperCell(kept, channels)
        self.lastact = nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        """Return the features, of the size of the input."""
        features: Tensor = self.lastact(self.cell(laid_out(x)))
        return features


def build(kept: Sequence[Collection[str]], spec: NetworkSpec) -> SuperNetwork:
    """Build and start a supernet on the CPU, in float32.

    An operation's weights depend on the seed, its depth, its edge and its name alone, so that supernets of one seed
    share all that both hold. They are not those of ``network.build``, which depend on what the whole cell is.

    Args:
        kept: The operations on each edge.
        spec: Everything else.

    Returns:
        The supernet.

    Raises:
        ChoiceError: If an edge holds nothing, or what is no operation.
    """
    with torch.device("meta"):
        network = SuperNetwork(checked(kept), spec)
    start(network.named_operations(), spec.init, spec.seed)
    return network


def build_cell(kept: Sequence[Collection[str]], channels: int, seed: int, init: str) -> LoneCell:
    """Build and start one cell alone on the CPU, in float32.

    Args:
        kept: The operations on each edge.
        channels: Channels of the cell and of its images.
        seed: Seed of the weights.
        init: A key of ``INITIALISATIONS``.

    Returns:
        The cell.

    Raises:
        ChoiceError: If an edge holds nothing, or what is no operation.
    """
    with torch.device("meta"):
        lone = LoneCell(checked(kept), channels)
    start([*lone.cell.named_operations(), ("lastact", lone.lastact)], init, seed)
    return lone


def checked(kept: Sequence[Collection[str]]) -> Kept:
    """Return the operations on each edge in their own order.

    Raises:
        ChoiceError: If there are not as many edges as a cell has, one holds nothing, or what is no operation.
    """
    if len(kept) != len(EDGES):
        raise ChoiceError(f"A supernet of nb201 has {len(EDGES)} edges, got operations for {len(kept)}.")
    for number, names in enumerate(kept):
        wrong = [name for name in names if name not in OPERATIONS]
        if wrong or not names or isinstance(names, str):
            raise ChoiceError(
                f"Edge {number} of a supernet needs one or more of {', '.join(OPERATIONS)}, got {names!r}."
            )
    return tuple(tuple(name for name in OPERATIONS if name in names) for names in kept)
