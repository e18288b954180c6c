"""The space ``nb101``."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ntknas.spaces.base import CellSpace
from ntknas.spaces.nb101 import catalogue, counts
from ntknas.spaces.nb101.cells import Cell, parse_cell

if TYPE_CHECKING:
    from ntknas.spaces.networks import nb101 as networks


class NB101(CellSpace[Cell]):
    """All 423,624 cells of NAS-Bench-101 in the order of their published hashes.

    The cells are enumerated once a machine, in about a minute, and kept in a cache.
    """

    name = "nb101"
    size = catalogue.SIZE
    defaults: ClassVar = {"channels": 128, "cells_per_stage": 3}

    def __init__(self) -> None:
        self._catalogue: catalogue.Catalogue | None = None

    def prepare(self, progress: catalogue.Progress | None = None) -> catalogue.Catalogue:
        """Return the catalogue of cells, enumerating them if this machine never did.

        Args:
            progress: Called with the work and its number of steps; returns the work, and shows how far it is.
        """
        if self._catalogue is None:
            self._catalogue = catalogue.load(progress)
        return self._catalogue

    def _at(self, index: int) -> Cell:
        return self.prepare().cell(index)

    def index(self, text: str) -> int:
        """Return the place of a hash, or of a matrix with operations; see ``cells.parse_cell``.

        Raises:
            ChoiceError: If the text is not a cell.
        """
        return self.prepare().index(parse_cell(str(text)))

    def build(
        self,
        cell: Cell | int | str,
        *,
        num_classes: int = 10,
        seed: int = 0,
        channels: int | None = None,
        cells_per_stage: int | None = None,
        variant: str = "official",
        init: str = "default",
    ) -> networks.NB101Network:
        """Build the network of a cell on the CPU, in float32, in training mode.

        Weights are seeded for each vertex of the cell's canonical representative, so that every stored score can be
        computed again from its seed.

        Args:
            cell: A cell, its index, hash, or matrix with operations.
            num_classes: Number of outputs.
            seed: Seed of the weights.
            channels: Channels of the stem (official: 128).
            cells_per_stage: Modules in each of the three stacks (official: 3).
            variant: Network definition; there is ``official`` alone.
            init: Initialisation, a key of ``INITIALISATIONS``.

        Raises:
            ChoiceError: If an option has an unknown or impossible value.
        """
        from ntknas.spaces.networks import nb101 as networks

        self._check_build_options(variant, init, num_classes)
        found, size = self.cell(cell), self._sized(channels, cells_per_stage)
        return networks.build(found.matrix, found.operations, num_classes=num_classes, init=init, seed=seed, **size)

    def is_disconnected(self, cell: Cell | int | str) -> bool:
        """Return whether no path leads from the input to the output: never in this space."""
        self.cell(cell)
        return False

    def representative(
        self,
        cell: Cell | int | str,
        parameters: str | tuple[str, ...],
        normalisation: str,
        variant: str = "official",
    ) -> int:
        """Return the cell's own index: the space holds each network once, up to isomorphism."""
        return self.cell(cell).index

    def parameters(
        self,
        cell: Cell | int | str,
        *,
        num_classes: int = 10,
        channels: int | None = None,
        cells_per_stage: int | None = None,
    ) -> int:
        """Return the number of trainable parameters; see ``counts``."""
        found, size = self.cell(cell), self._sized(channels, cells_per_stage)
        return counts.count_parameters(found.matrix, found.operations, num_classes=num_classes, **size)

    def flops(
        self,
        cell: Cell | int | str,
        *,
        num_classes: int = 10,
        channels: int | None = None,
        cells_per_stage: int | None = None,
        image_size: int = 32,
    ) -> int:
        """Return the multiply-adds of one forward pass; see ``counts``."""
        found, size = self.cell(cell), self._sized(channels, cells_per_stage)
        return counts.count_flops(
            found.matrix, found.operations, num_classes=num_classes, image_size=image_size, **size
        )
