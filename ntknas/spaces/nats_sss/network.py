"""The network of the NATS-Bench size space: stem, three stages of one cell with residual reductions between, head."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from ntknas.spaces.base import NetworkSpec
from ntknas.spaces.initialisation import initialise, materialise
from ntknas.spaces.layout import laid_out
from ntknas.spaces.nats_sss.configurations import CELL
from ntknas.spaces.nb201.cells import parse_cell
from ntknas.spaces.nb201.network import InferCell, Reduction
from ntknas.spaces.parametrisation import parametrised


class NATSSizeNetwork(nn.Module):
    """The network of the benchmark.

    Args:
        widths: Channels of the stem and first stage, first reduction, second stage, second reduction, third stage.
        num_classes: Number of outputs.
        cells_per_stage: Cells in each of the three stages; the first of a stage takes over the width before it.
        ntk: Whether layers are NTK-parametrised.
    """

    def __init__(self, widths: tuple[int, ...], num_classes: int, cells_per_stage: int, ntk: bool):
        super().__init__()
        operations = parse_cell(CELL)
        self.stem = nn.Sequential(
            parametrised(nn.Conv2d(3, widths[0], 3, padding=1, bias=False), ntk), nn.BatchNorm2d(widths[0])
        )
        layers: list[nn.Module] = []
        entering = widths[0]
        for position, width in enumerate(widths):
            if position % 2:
                layers.append(Reduction(entering, width, ntk))
            else:
                layers.append(InferCell(operations, entering, width, ntk))
                layers.extend(InferCell(operations, width, width, ntk) for _ in range(cells_per_stage - 1))
            entering = width
        self.cells = nn.Sequential(*layers)
        self.lastact = nn.Sequential(nn.BatchNorm2d(entering), nn.ReLU())
        self.classifier = parametrised(nn.Linear(entering, num_classes), ntk)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits, shape N×C, of images of shape N×3×H×W."""
        logits: Tensor = self.classifier(self.features(x).mean(dim=(2, 3)))
        return logits

    def features(self, x: Tensor) -> Tensor:
        """Return what is pooled for the classifier, N×channels×height×width."""
        features: Tensor = self.lastact(self.cells(self.stem(laid_out(x))))
        return features

    def operations(self) -> Iterator[tuple[str, nn.Module]]:
        """Yield every operation that has parameters, with the name that seeds it."""
        yield "stem", self.stem
        for depth, layer in enumerate(self.cells):
            if isinstance(layer, InferCell):
                for edge, module in enumerate(layer.edges):
                    yield f"{depth}/{edge}", module
            else:
                yield f"{depth}", layer
        yield "lastact", self.lastact
        yield "classifier", self.classifier


def build(widths: tuple[int, ...], spec: NetworkSpec) -> NATSSizeNetwork:
    """Build and start a network on the CPU, in float32; see ``NATSSizeNetwork`` and ``initialise``."""
    with torch.device("meta"):
        network = NATSSizeNetwork(widths, spec.num_classes, spec.cells_per_stage, ntk=spec.init == "ntk")
    materialise(network)
    for name, module in network.operations():
        initialise(module, spec.init, spec.seed, name)
    return network
