"""The network of the NATS-Bench size space: stem, three stages of one cell with residual reductions between, head."""

from __future__ import annotations

import torch
from torch import nn

from ntknas.spaces.base import NetworkSpec
from ntknas.spaces.nats_sss.configurations import CELL
from ntknas.spaces.nb201.cells import parse_cell
from ntknas.spaces.nb201.network import InferCell, StagedNetwork, reduction
from ntknas.spaces.starting import start


class NATSSizeNetwork(StagedNetwork):
    """The network of the benchmark.

    Args:
        widths: Channels of the stem and first stage, first reduction, second stage, second reduction, third stage.
        num_classes: Number of outputs.
        cells_per_stage: Cells in each of the three stages; the first of a stage takes over the width before it.
        ntk: Whether layers are NTK-parametrised.
    """

    def __init__(self, widths: tuple[int, ...], num_classes: int, cells_per_stage: int, ntk: bool):
        operations = parse_cell(CELL)
        layers: list[nn.Module] = []
        entering = widths[0]
        for position, width in enumerate(widths):
            if position % 2:
                layers.append(reduction(entering, width, ntk))
            else:
                layers.append(InferCell(operations, entering, width, ntk))
                layers.extend(InferCell(operations, width, width, ntk) for _ in range(cells_per_stage - 1))
            entering = width
        super().__init__(widths[0], layers, entering, num_classes, ntk)


def build(widths: tuple[int, ...], spec: NetworkSpec) -> NATSSizeNetwork:
    """Build and start a network on the CPU, in float32; see ``NATSSizeNetwork`` and ``initialise``."""
    with torch.device("meta"):
        network = NATSSizeNetwork(widths, spec.num_classes, spec.cells_per_stage, ntk=spec.init == "ntk")
    start(network.operations(str), spec.init, spec.seed)
    return network
