"""The official network around a NAS-Bench-101 cell: stem, three stacks of modules with pooling between, head."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from ntknas.spaces.alike import alike
from ntknas.spaces.base import NetworkSpec
from ntknas.spaces.layout import laid_out
from ntknas.spaces.nb101.cells import Cell, Matrix
from ntknas.spaces.nb101.channels import vertex_channels
from ntknas.spaces.nb101.counts import STACKS
from ntknas.spaces.parametrisation import parametrised
from ntknas.spaces.pooled import PooledNetwork
from ntknas.spaces.starting import start

_EPSILON = 1e-5
_MOMENTUM = 1 - 0.997  # the official code states the share of the old statistics


class ConvBNReLU(nn.Sequential):
    """A convolution without bias, BatchNorm with scale and shift, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int, ntk: bool):
        conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
        norm = nn.BatchNorm2d(outputs, eps=_EPSILON, momentum=_MOMENTUM)
        super().__init__(parametrised(conv, ntk), norm, nn.ReLU())


_layer = alike(ConvBNReLU)


@alike
def _operation(name: str, channels: int, ntk: bool) -> nn.Module:
    match name:
        case "maxpool3x3":
            return nn.MaxPool2d(3, stride=1, padding=1)
        case "conv1x1-bn-relu":
            return ConvBNReLU(channels, channels, 1, ntk)
        case _:
            return ConvBNReLU(channels, channels, 3, ntk)


class Module(nn.Module):
    """A cell built as a network: inner vertices sum what leads to them, the output concatenates and adds the input.

    Whatever comes from the input is projected by a 1×1 convolution; where a vertex is one channel narrower than what
    leads to it, the last channel is cut off.
    """

    def __init__(self, matrix: Matrix, operations: tuple[str, ...], inputs: int, outputs: int, ntk: bool):
        super().__init__()
        self.matrix, self.last = matrix, len(matrix) - 1
        self.channels = vertex_channels(matrix, inputs, outputs)
        self.vertices = nn.ModuleDict(
            {str(v): _operation(name, self.channels[v], ntk) for v, name in enumerate(operations, start=1)}
        )
        self.projections = nn.ModuleDict(
            {str(v): _layer(inputs, self.channels[v], 1, ntk) for v in range(1, self.last + 1) if matrix[0][v]}
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the output vertex of an input N×C×H×W."""
        values: dict[int, Tensor] = {}
        for v in range(1, self.last):
            terms = [values[source][:, : self.channels[v]] for source in range(1, v) if self.matrix[source][v]]
            values[v] = self.vertices[str(v)](self._sum(terms, x, v))
        ending = [values[v] for v in range(1, self.last) if self.matrix[v][self.last]]
        return self._sum([torch.cat(ending, dim=1)] if ending else [], x, self.last)

    def _sum(self, terms: list[Tensor], x: Tensor, vertex: int) -> Tensor:
        if self.matrix[0][vertex]:
            terms.append(self.projections[str(vertex)](x))
        total = terms[0]
        for term in terms[1:]:
            total = total + term  # never in place: the first term may be a view of another vertex's value
        return total


class NB101Network(PooledNetwork):
    """The network of the benchmark.

    Args:
        matrix: The cell's pruned matrix.
        operations: The operation at each inner vertex.
        num_classes: Number of outputs.
        channels: Channels of the stem; doubled after each of the two poolings.
        cells_per_stage: Modules in each of the three stacks.
        ntk: Whether layers are NTK-parametrised.
    """

    def __init__(
        self,
        matrix: Matrix,
        operations: tuple[str, ...],
        num_classes: int,
        channels: int,
        cells_per_stage: int,
        ntk: bool,
    ):
        super().__init__()
        self.stem = ConvBNReLU(3, channels, 3, ntk)
        layers: list[nn.Module] = []
        width = channels
        for stack in range(STACKS):
            if stack:
                layers.append(nn.MaxPool2d(2, stride=2, ceil_mode=True))
            for _ in range(cells_per_stage):
                layers.append(Module(matrix, operations, width, channels * 2**stack, ntk))
                width = channels * 2**stack
        self.layers = nn.Sequential(*layers)
        self.classifier = parametrised(nn.Linear(width, num_classes), ntk)

    def features(self, x: Tensor) -> Tensor:
        """Return what is pooled for the classifier, N×channels×height×width."""
        features: Tensor = self.layers(self.stem(laid_out(x)))
        return features

    def blocks(self) -> list[nn.Module]:
        """Return the stem, then the modules and the poolings between their stacks."""
        return [self.stem, *self.layers]

    def operations(self) -> Iterator[tuple[str, nn.Module]]:
        """Yield every operation that has parameters, with the name that seeds it."""
        yield "stem", self.stem
        for depth, layer in enumerate(self.layers):
            if isinstance(layer, Module):
                for vertex, module in layer.vertices.items():
                    yield f"{depth}/vertex{vertex}", module
                for vertex, module in layer.projections.items():
                    yield f"{depth}/projection{vertex}", module
        yield "classifier", self.classifier


def build(cell: Cell, spec: NetworkSpec) -> NB101Network:
    """Build and start the network of a cell on the CPU, in float32; see ``NB101Network`` and ``initialise``."""
    with torch.device("meta"):
        network = NB101Network(
            cell.matrix,
            cell.operations,
            spec.num_classes,
            spec.channels,
            spec.cells_per_stage,
            ntk=spec.init == "ntk",
        )
    start(network.operations(), spec.init, spec.seed)
    return network
