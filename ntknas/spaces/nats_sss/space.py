"""The space ``nats-sss``."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, SupportsIndex, Unpack

from ntknas.spaces.base import CellSpace, NetworkSpec
from ntknas.spaces.contract import CellLike, SizeOptions
from ntknas.spaces.drawing import Drawing
from ntknas.spaces.nats_sss import configurations, counts, drawing
from ntknas.spaces.nats_sss.configurations import CANDIDATES, Configuration
from ntknas.spaces.structure import Structure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn


class NATSSize(CellSpace[Configuration]):
    """All 32,768 channel configurations of the NATS-Bench size space in the published order.

    ``channels`` is what the widest candidate, 64, becomes, all widths being scaled alike (official: 64);
    ``cells_per_stage`` are the cells in each of the three stages (official: 1). No path from input to output is missing
    in any network, and no two are the same at the official widths.

    Example:
        >>> space = NATSSize()
        >>> str(space[284]), space.index("8:8:40:32:40")
        ('8:8:40:32:40', 284)
    """

    name = "nats-sss"
    size = configurations.SIZE
    defaults: ClassVar = {"channels": max(CANDIDATES), "cells_per_stage": 1}
    choices: ClassVar = (tuple(map(str, CANDIDATES)),) * configurations.PLACES

    def at(self, index: int) -> Configuration:
        """Return the configuration of an index."""
        return configurations.at(index)

    def index(self, text: str) -> int:
        """Return the place of a configuration such as ``8:16:24:32:64``.

        Raises:
            ChoiceError: If the text is not a configuration.
        """
        return configurations.parse(str(text))

    def network(self, cell: Configuration, spec: NetworkSpec) -> nn.Module:
        """Build the network of a configuration."""
        from ntknas.spaces.nats_sss import network

        return network.build(_scaled(cell, spec.channels), spec)

    def parameters(
        self, cell: CellLike | SupportsIndex | str, *, num_classes: int = 10, **size: Unpack[SizeOptions]
    ) -> int:
        """Return the number of trainable parameters; see ``counts``."""
        configuration, complete = self.cell(cell), self._sized(**size)
        widths, depth = _scaled(configuration, complete["channels"]), complete["cells_per_stage"]
        return counts.count_parameters(widths, num_classes=num_classes, cells_per_stage=depth)

    def flops(
        self,
        cell: CellLike | SupportsIndex | str,
        *,
        num_classes: int = 10,
        image_size: int = 32,
        **size: Unpack[SizeOptions],
    ) -> int:
        """Return the multiply-adds of one forward pass; see ``counts``."""
        configuration, complete = self.cell(cell), self._sized(**size)
        widths, depth = _scaled(configuration, complete["channels"]), complete["cells_per_stage"]
        return counts.count_flops(widths, num_classes=num_classes, cells_per_stage=depth, image_size=image_size)

    def structure(
        self,
        cell: CellLike | SupportsIndex | str,
        *,
        num_classes: int = 10,
        image_size: int = 32,
        **size: Unpack[SizeOptions],
    ) -> Structure:
        """Return the counts that need a cell's paths; see ``counts``."""
        configuration, complete = self.cell(cell), self._sized(**size)
        widths, depth = _scaled(configuration, complete["channels"]), complete["cells_per_stage"]
        return counts.count_structure(widths, num_classes=num_classes, cells_per_stage=depth, image_size=image_size)

    def positions(self, cell: CellLike | SupportsIndex | str) -> tuple[int, ...]:
        """Return the number of the width at each of the five places."""
        return tuple(map(CANDIDATES.index, self.cell(cell).channels))

    def at_positions(self, numbers: Sequence[int]) -> int:
        """Return the index of the configuration with these widths."""
        index = 0
        for number in numbers:
            index = index * len(CANDIDATES) + number
        return index

    def drawing(self, cell: CellLike | SupportsIndex | str) -> Drawing:
        """Return how a cell is drawn."""
        return drawing.drawing_of(self.cell(cell).channels)

    def has_dead_operation(self, cell: CellLike | SupportsIndex | str) -> bool:
        """Return whether an operation lies on no path: never, all configurations have one cell's graph."""
        self.cell(cell)
        return False

    def isomorphism_representative(self, cell: CellLike | SupportsIndex | str) -> int:
        """Return the configuration's own index: no two are one network at the official widths."""
        return self.cell(cell).index


def _scaled(cell: Configuration, channels: int) -> tuple[int, ...]:
    """Return a configuration's widths, scaled so that the widest candidate becomes ``channels``."""
    scale = channels / max(CANDIDATES)
    return tuple(max(1, round(width * scale)) for width in cell.channels)


SPACE = NATSSize
