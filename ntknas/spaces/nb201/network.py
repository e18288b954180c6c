"""The official network around a NAS-Bench-201 cell: stem, three stages of cells, two residual reductions, head."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import torch
from torch import Tensor, nn

from ntknas.spaces.alike import alike
from ntknas.spaces.average_pooling import AveragePool
from ntknas.spaces.base import NetworkSpec
from ntknas.spaces.layout import laid_out
from ntknas.spaces.nb201.cells import EDGES, OUTPUT_NODE, Cell
from ntknas.spaces.nb201.counts import STAGES
from ntknas.spaces.nb201.identity import canonical
from ntknas.spaces.parametrisation import parametrised
from ntknas.spaces.pooled import PooledNetwork
from ntknas.spaces.starting import start


class ReLUConvBN(nn.Sequential):
    """ReLU, a convolution, BatchNorm.

    The official one has no bias and full BatchNorm; in the cells of the ``zero_cost`` variant the convolution has a
    bias, and BatchNorm neither scale, shift nor running statistics.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, ntk: bool, zero_cost: bool = False):
        conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=zero_cost)
        norm = nn.BatchNorm2d(outputs, affine=not zero_cost, track_running_stats=not zero_cost)
        super().__init__(nn.ReLU(), parametrised(conv, ntk), norm)


class Zero(nn.Module):
    """The operation ``none``: zero, and no gradient back."""

    def forward(self, x: Tensor) -> Tensor:
        """Return zeros in the shape of the input."""
        return torch.zeros_like(x)


@alike
def operation(name: str, inputs: int, outputs: int, ntk: bool, zero_cost: bool) -> nn.Module:
    """Make the operation of an edge, without memory."""
    match name:
        case "none":
            return Zero()
        case "skip_connect" if inputs == outputs:
            return nn.Identity()
        case "skip_connect":  # the official FactorizedReduce at stride 1
            conv = nn.Conv2d(inputs, outputs, 1, bias=False)
            return nn.Sequential(parametrised(conv, ntk), nn.BatchNorm2d(outputs))
        case "avg_pool_3x3":
            return AveragePool(3, stride=1, padding=1, count_include_pad=False)
        case "nor_conv_1x1":
            return ReLUConvBN(inputs, outputs, 1, 1, ntk, zero_cost)
        case _:
            return ReLUConvBN(inputs, outputs, 3, 1, ntk, zero_cost)


class GraphCell(nn.Module):
    """A cell: every node is the sum of what its edges return; the last node is the output."""

    def __init__(self, edges: Iterable[nn.Module]):
        super().__init__()
        self.edges = nn.ModuleList(edges)

    def forward(self, x: Tensor) -> Tensor:
        """Return the output node; its images have the size of the input's."""
        nodes: list[Tensor | None] = [x, None, None, None]
        for edge, (source, target) in zip(self.edges, EDGES, strict=True):
            term = edge(nodes[source])
            earlier = nodes[target]
            # Never in place: behind an Identity the earlier term is another node itself.
            nodes[target] = term if earlier is None else earlier + term
        output = nodes[OUTPUT_NODE]
        assert output is not None
        return output


class InferCell(GraphCell):
    """A cell with one operation on each edge.

    Average pooling keeps the number of channels, so a cell with it needs as many outputs as inputs.
    """

    def __init__(self, operations: tuple[str, ...], inputs: int, outputs: int, ntk: bool, zero_cost: bool = False):
        super().__init__(
            operation(name, inputs if source == 0 else outputs, outputs, ntk, zero_cost)
            for name, (source, _) in zip(operations, EDGES, strict=True)
        )


class Reduction(nn.Module):
    """A residual block that halves the image."""

    def __init__(self, inputs: int, outputs: int, ntk: bool):
        super().__init__()
        self.conv_a = ReLUConvBN(inputs, outputs, 3, 2, ntk)
        self.conv_b = ReLUConvBN(outputs, outputs, 3, 1, ntk)
        # ceil_mode changes nothing at the official, even sizes; it lets odd image sizes pass
        self.downsample = nn.Sequential(
            AveragePool(2, stride=2, ceil_mode=True), parametrised(nn.Conv2d(inputs, outputs, 1, bias=False), ntk)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return images of half the size."""
        halved: Tensor = self.downsample(x) + self.conv_b(self.conv_a(x))
        return halved


reduction = alike(Reduction)


class StagedNetwork(PooledNetwork):
    """A stem, stages of cells with reductions between them, and a head: also of the NATS-Bench size space.

    Args:
        stem_width: Channels that the stem makes of images.
        layers: Cells and reductions.
        width: Channels of the last layer.
        num_classes: Number of outputs.
        ntk: Whether layers are NTK-parametrised.
    """

    def __init__(self, stem_width: int, layers: Sequence[nn.Module], width: int, num_classes: int, ntk: bool):
        super().__init__()
        self.stem = nn.Sequential(
            parametrised(nn.Conv2d(3, stem_width, 3, padding=1, bias=False), ntk), nn.BatchNorm2d(stem_width)
        )
        self.cells = nn.Sequential(*layers)
        self.lastact = nn.Sequential(nn.BatchNorm2d(width), nn.ReLU())
        self.classifier = parametrised(nn.Linear(width, num_classes), ntk)

    def features(self, x: Tensor) -> Tensor:
        """Return what is pooled for the classifier, N×channels×height×width."""
        features: Tensor = self.lastact(self.cells(self.stem(laid_out(x))))
        return features

    def blocks(self) -> list[nn.Module]:
        """Return the stem, then the cells and reductions."""
        return [self.stem, *self.cells]

    def operations(self, edge_name: Callable[[int], object]) -> Iterator[tuple[str, nn.Module]]:
        """Yield every operation that has parameters, with the name that seeds it.

        Args:
            edge_name: Returns the name of the operation on an edge of the cell.
        """
        yield "stem", self.stem
        for depth, layer in enumerate(self.cells):
            if isinstance(layer, InferCell):
                for edge, module in enumerate(layer.edges):
                    yield f"{depth}/{edge_name(edge)}", module
            else:
                yield f"{depth}", layer
        yield "lastact", self.lastact
        yield "classifier", self.classifier


def staged(
    make_cell: Callable[[int], nn.Module], channels: int, cells_per_stage: int, ntk: bool
) -> tuple[list[nn.Module], int]:
    """Return the layers of three stages with a reduction between them, and the channels of the last one.

    Args:
        make_cell: Makes a cell of some channels.
        channels: Channels of the first stage; doubled at each of the two reductions.
        cells_per_stage: Cells in each stage.
        ntk: Whether layers are NTK-parametrised.
    """
    layers: list[nn.Module] = []
    width = channels
    for stage in range(STAGES):
        if stage:
            layers.append(reduction(width, 2 * width, ntk))
            width *= 2
        layers.extend(make_cell(width) for _ in range(cells_per_stage))
    return layers, width


class NB201Network(StagedNetwork):
    """The network of the benchmark.

    Args:
        operations: The cell's operation on each edge.
        num_classes: Number of outputs.
        channels: Channels of the first stage; doubled at each of the two reductions.
        cells_per_stage: Cells in each of the three stages.
        ntk: Whether layers are NTK-parametrised.
        zero_cost: Whether cells are those of zero-cost-nas; see ``ReLUConvBN``.
    """

    def __init__(
        self,
        operations: tuple[str, ...],
        num_classes: int,
        channels: int,
        cells_per_stage: int,
        ntk: bool,
        zero_cost: bool = False,
    ):
        layers, width = staged(
            lambda width: InferCell(operations, width, width, ntk, zero_cost), channels, cells_per_stage, ntk
        )
        super().__init__(channels, layers, width, num_classes, ntk)


def build(cell: Cell, spec: NetworkSpec) -> NB201Network:
    """Build and start the network of a cell on the CPU, in float32; see ``NB201Network`` and ``initialise``."""
    with torch.device("meta"):
        network = NB201Network(
            cell.operations,
            spec.num_classes,
            spec.channels,
            spec.cells_per_stage,
            ntk=spec.init == "ntk",
            zero_cost=spec.variant == "zero-cost",
        )
    # the canonical number of the convolution on each live edge; a dead one is named after its edge
    labels = dict(canonical(cell.operations).labels)
    start(network.operations(lambda edge: labels.get(edge, f"dead{edge}")), spec.init, spec.seed)
    return network
