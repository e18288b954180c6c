"""The space ``nb201``."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, SupportsIndex, Unpack

from ntknas.spaces.base import CellSpace, NetworkSpec
from ntknas.spaces.contract import BuildOptions, CellLike, SizeOptions
from ntknas.spaces.drawing import Drawing
from ntknas.spaces.nb201 import counts, drawing, graph, identity, naslib, transnas
from ntknas.spaces.nb201.cells import EDGES, OPERATIONS, Cell, index_of_operations, parse_cell, published_order
from ntknas.spaces.nb201.encodings import ENCODINGS
from ntknas.spaces.structure import Structure

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Sequence

    from torch import nn


class NB201(CellSpace[Cell]):
    """All 15,625 cells of NAS-Bench-201 in the published order.

    ``channels`` are those of the first stage (official: 16), ``cells_per_stage`` the cells in each of the three
    stages (official: 5). The variant ``official`` has convolutions without bias and full BatchNorm; ``zero-cost``, the
    re-implementation that zero-cost-nas and Mok et al. use, has cells whose convolutions have a bias and whose
    BatchNorm has neither scale, shift nor running statistics.

    Example:
        >>> space = NB201()
        >>> len(space)
        15625
        >>> str(space[0])
        '|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|'
        >>> space.index(str(space[8216]))
        8216
    """

    name = "nb201"
    size = len(OPERATIONS) ** len(EDGES)
    defaults: ClassVar = {"channels": 16, "cells_per_stage": 5}
    variants = ("official", "zero-cost")
    encodings = ENCODINGS
    choices: ClassVar = (OPERATIONS,) * len(EDGES)

    def at(self, index: int) -> Cell:
        """Return the cell of an index."""
        return Cell(index, published_order()[index])

    def index(self, text: str | Sequence[int]) -> int:
        """Return the index of a cell in the published order.

        Args:
            text: An architecture string, or six operations as NASLib numbers them, as a text or as they are (see
                ``naslib.parse``), or a name of TransNAS-Bench-101 (``transnas.parse``).

        Raises:
            ChoiceError: If the text is not a cell.
        """
        architecture = text if isinstance(text, str) else str(text)
        operations = naslib.parse(architecture) or transnas.parse(architecture) or parse_cell(architecture)
        return index_of_operations()[operations]

    def network(self, cell: Cell, spec: NetworkSpec) -> nn.Module:
        """Build the network of a cell.

        Weights are seeded for each canonical operation of the cell: two cells that are one network start as one
        network, and every stored score can be computed again from its seed.

        Returns:
            The network.
        """
        from ntknas.spaces.nb201 import network

        return network.build(cell, spec)

    def supernet(
        self, kept: Sequence[Collection[str]], *, num_classes: int = 10, seed: int = 0, **options: Unpack[BuildOptions]
    ) -> nn.Module:
        """Build the network that holds several operations on each edge, and returns the mean of what they return.

        Args:
            kept: The operations on each edge of the architecture string.
            num_classes: Number of outputs.
            seed: Seed of the weights.
            **options: As of ``build``.

        Returns:
            The network.

        Raises:
            ChoiceError: If an edge holds nothing or what is no operation, or an option has an impossible value.
        """
        from ntknas.spaces.nb201 import supernet

        return supernet.build(kept, self.specified(num_classes, seed, **options))

    def super_cell(
        self, kept: Sequence[Collection[str]], *, channels: int = 1, seed: int = 0, init: str = "default"
    ) -> nn.Module:
        """Build one cell with several operations on each edge alone; see ``supernet.LoneCell``.

        Args:
            kept: The operations on each edge of the architecture string.
            channels: Channels of the cell and of its images.
            seed: Seed of the weights.
            init: A key of ``INITIALISATIONS``.

        Returns:
            The cell.

        Raises:
            ChoiceError: If an edge holds nothing or what is no operation, or an option has an impossible value.
        """
        from ntknas.spaces.nb201 import supernet

        self.specified(1, seed, channels=channels, init=init)
        return supernet.build_cell(kept, channels, seed, init)

    def is_disconnected(self, cell: CellLike | SupportsIndex | str) -> bool:
        """Return whether no path leads from the input to the output (341 cells)."""
        return graph.is_disconnected(self.cell(cell).operations)

    def isomorphism_string(self, cell: CellLike | SupportsIndex | str) -> str:
        """Return the published isomorphism string (6,466 different ones)."""
        return graph.isomorphism_string(self.cell(cell).operations)

    def representative(
        self,
        cell: CellLike | SupportsIndex | str,
        parameters: str | tuple[str, ...],
        normalisation: str,
        variant: str = "official",
    ) -> int:
        """Return the smallest index of a cell that is the same network.

        Under the ``weights`` sets that means equal kernels at initialisation (5,044 classes), under ``all`` also after
        training (5,212 classes). Every cell stands for itself where parameters are picked by name, where their number
        enters the kernel (``corrcoef``), and under ``all`` in the ``zero-cost`` variant, where a convolution of nothing
        has a bias whose gradient BatchNorm may or may not take away.

        Args:
            cell: The cell.
            parameters: The parameter set of the choices.
            normalisation: The normalisation of the choices.
            variant: The network definition.

        Returns:
            The index.
        """
        index = self.cell(cell).index
        if not isinstance(parameters, str) or normalisation == "corrcoef":
            return index
        if parameters == "all" and variant != "official":
            return index
        return identity.class_representatives("all" if parameters == "all" else "weights")[index]

    def identity(self, cell: CellLike | SupportsIndex | str) -> Hashable:
        """Return what is equal for cells with equal kernels at initialisation under ``weights``, and for no others."""
        return identity.class_representatives("weights")[self.cell(cell).index]

    def parameters(
        self, cell: CellLike | SupportsIndex | str, *, num_classes: int = 10, **size: Unpack[SizeOptions]
    ) -> int:
        """Return the number of trainable parameters; see ``counts``."""
        operations = self.cell(cell).operations
        return counts.count_parameters(operations, num_classes=num_classes, **self._sized(**size))

    def flops(
        self,
        cell: CellLike | SupportsIndex | str,
        *,
        num_classes: int = 10,
        image_size: int = 32,
        **size: Unpack[SizeOptions],
    ) -> int:
        """Return the multiply-adds of one forward pass; see ``counts``."""
        operations = self.cell(cell).operations
        return counts.count_flops(operations, num_classes=num_classes, image_size=image_size, **self._sized(**size))

    def structure(
        self,
        cell: CellLike | SupportsIndex | str,
        *,
        num_classes: int = 10,
        image_size: int = 32,
        **size: Unpack[SizeOptions],
    ) -> Structure:
        """Return the counts that need the cell's paths; see ``counts``."""
        operations = self.cell(cell).operations
        return counts.count_structure(operations, num_classes=num_classes, image_size=image_size, **self._sized(**size))

    def drawing(self, cell: CellLike | SupportsIndex | str) -> Drawing:
        """Return how a cell is drawn."""
        return drawing.drawing_of(self.cell(cell).operations)

    def has_dead_operation(self, cell: CellLike | SupportsIndex | str) -> bool:
        """Return whether an edge other than ``none`` lies on no path (in all but 9,445 cells)."""
        operations = self.cell(cell).operations
        return sum(graph.live_edges(operations)) < sum(operation != "none" for operation in operations)

    def positions(self, cell: CellLike | SupportsIndex | str) -> tuple[int, ...]:
        """Return the number of the operation on each edge of the architecture string."""
        return tuple(map(OPERATIONS.index, self.cell(cell).operations))

    def at_positions(self, numbers: Sequence[int]) -> int:
        """Return the index of the cell with these operations."""
        return index_of_operations()[tuple(OPERATIONS[number] for number in numbers)]

    def isomorphism_representative(self, cell: CellLike | SupportsIndex | str) -> int:
        """Return the smallest index of a cell with the published isomorphism string (6,466 different ones)."""
        return graph.isomorphism_representatives()[self.cell(cell).index]


SPACE = NB201
