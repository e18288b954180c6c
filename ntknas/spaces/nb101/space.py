"""The space ``nb101``."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, SupportsIndex, Unpack

from ntknas.spaces.base import CellSpace, NetworkSpec
from ntknas.spaces.contract import CellLike, Meter, SizeOptions
from ntknas.spaces.drawing import Drawing
from ntknas.spaces.nb101 import catalogue, counts, drawing
from ntknas.spaces.nb101.cells import Cell, module_hash, parse_cell
from ntknas.spaces.nb101.neighbourhood import steps
from ntknas.spaces.structure import Structure

if TYPE_CHECKING:
    from torch import nn


class NB101(CellSpace[Cell]):
    """All 423,624 cells of NAS-Bench-101 in the order of their published hashes.

    The cells are enumerated once per machine, in about a minute, and kept in a cache. ``channels`` are those of the
    stem (official: 128), ``cells_per_stage`` the modules in each of the three stacks (official: 3). No path from input
    to output is missing in any cell, and each network is there once, up to isomorphism.
    """

    name = "nb101"
    size = catalogue.SIZE
    defaults: ClassVar = {"channels": 128, "cells_per_stage": 3}

    def __init__(self) -> None:
        self._catalogue: catalogue.Catalogue | None = None

    def prepare(self, meter: Meter | None = None) -> catalogue.Catalogue:
        """Return the catalogue of cells, enumerating them if this machine never did.

        Args:
            meter: Called with the work and its number of steps; returns the work, and shows how far it is.

        Returns:
            The catalogue.
        """
        if self._catalogue is None:
            self._catalogue = catalogue.load(meter)
        return self._catalogue

    def at(self, index: int) -> Cell:
        """Return the cell of an index."""
        return self.prepare().cell(index)

    def index(self, text: str) -> int:
        """Return the index of a hash, or of a matrix with operations; see ``cells.parse_cell``.

        Raises:
            ChoiceError: If the text is not a cell.
        """
        return self.prepare().index(parse_cell(str(text)))

    def neighbours(self, cell: CellLike | SupportsIndex | str) -> list[int]:
        """Return the indices of the cells one step away, each once; see ``neighbourhood.steps``."""
        own = self.cell(cell)
        hashes = dict.fromkeys(module_hash(*step) for step in steps(own.matrix, own.operations))
        indices = (self.prepare().index(digest) for digest in hashes)
        return [index for index in indices if index != own.index]

    def network(self, cell: Cell, spec: NetworkSpec) -> nn.Module:
        """Build the network of a cell.

        Weights are seeded for each vertex of the cell's canonical representative, so that every stored score can be
        computed again from its seed.

        Returns:
            The network.
        """
        from ntknas.spaces.nb101 import network

        return network.build(cell, spec)

    def parameters(
        self, cell: CellLike | SupportsIndex | str, *, num_classes: int = 10, **size: Unpack[SizeOptions]
    ) -> int:
        """Return the number of trainable parameters; see ``counts``."""
        graph = self.cell(cell)
        return counts.count_parameters(graph.matrix, graph.operations, num_classes=num_classes, **self._sized(**size))

    def flops(
        self,
        cell: CellLike | SupportsIndex | str,
        *,
        num_classes: int = 10,
        image_size: int = 32,
        **size: Unpack[SizeOptions],
    ) -> int:
        """Return the multiply-adds of one forward pass; see ``counts``."""
        graph = self.cell(cell)
        return counts.count_flops(
            graph.matrix,
            graph.operations,
            num_classes=num_classes,
            image_size=image_size,
            **self._sized(**size),
        )

    def structure(
        self,
        cell: CellLike | SupportsIndex | str,
        *,
        num_classes: int = 10,
        image_size: int = 32,
        **size: Unpack[SizeOptions],
    ) -> Structure:
        """Return the counts that need the cell's paths; see ``counts``."""
        graph = self.cell(cell)
        return counts.count_structure(
            graph.matrix, graph.operations, num_classes=num_classes, image_size=image_size, **self._sized(**size)
        )

    def drawing(self, cell: CellLike | SupportsIndex | str) -> Drawing:
        """Return how a cell is drawn."""
        return drawing.drawing_of(self.cell(cell))

    def has_dead_operation(self, cell: CellLike | SupportsIndex | str) -> bool:
        """Return whether a vertex lies on no path: never, cells were pruned before they were enumerated."""
        self.cell(cell)
        return False

    def isomorphism_representative(self, cell: CellLike | SupportsIndex | str) -> int:
        """Return the cell's own index: each hash, and so each class of the published rule, is there once."""
        return self.cell(cell).index


SPACE = NB101
