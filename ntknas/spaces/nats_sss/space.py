"""The space ``nats-sss``."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ntknas.spaces.base import CellSpace
from ntknas.spaces.nats_sss import configurations, counts
from ntknas.spaces.nats_sss.configurations import CANDIDATES, Configuration

if TYPE_CHECKING:
    from ntknas.spaces.networks import nats_sss as networks


class NATSSize(CellSpace[Configuration]):
    """All 32,768 channel configurations of the NATS-Bench size space in the published order.

    Example:
        >>> space = NATSSize()
        >>> str(space[284]), space.index("8:8:40:32:40")
        ('8:8:40:32:40', 284)
    """

    name = "nats-sss"
    size = configurations.SIZE
    defaults: ClassVar = {"channels": max(CANDIDATES), "cells_per_stage": 1}

    def _at(self, index: int) -> Configuration:
        return configurations.at(index)

    def index(self, text: str) -> int:
        """Return the place of a configuration such as ``8:16:24:32:64``.

        Raises:
            ChoiceError: If the text is not a configuration.
        """
        return configurations.parse(str(text))

    def build(
        self,
        cell: Configuration | int | str,
        *,
        num_classes: int = 10,
        seed: int = 0,
        channels: int | None = None,
        cells_per_stage: int | None = None,
        variant: str = "official",
        init: str = "default",
    ) -> networks.NATSSizeNetwork:
        """Build the network of a configuration on the CPU, in float32, in training mode.

        Args:
            cell: A configuration, its index or its text.
            num_classes: Number of outputs.
            seed: Seed of the weights.
            channels: What the widest candidate, 64, becomes; all widths are scaled alike (official: 64).
            cells_per_stage: Cells in each of the three stages (official: 1).
            variant: Network definition; there is ``official`` alone.
            init: Initialisation, a key of ``INITIALISATIONS``.

        Raises:
            ChoiceError: If an option has an unknown or impossible value.
        """
        from ntknas.spaces.networks import nats_sss as networks

        self._check_build_options(variant, init, num_classes)
        widths, depth = self._scaled(cell, channels, cells_per_stage)
        return networks.build(widths, num_classes=num_classes, cells_per_stage=depth, init=init, seed=seed)

    def _scaled(
        self, cell: Configuration | int | str, channels: int | None, cells_per_stage: int | None
    ) -> tuple[tuple[int, ...], int]:
        size = self._sized(channels, cells_per_stage)
        scale = size["channels"] / max(CANDIDATES)
        return tuple(max(1, round(width * scale)) for width in self.cell(cell).channels), size["cells_per_stage"]

    def is_disconnected(self, cell: Configuration | int | str) -> bool:
        """Return whether no path leads from the input to the output: never in this space."""
        self.cell(cell)
        return False

    def representative(
        self,
        cell: Configuration | int | str,
        parameters: str | tuple[str, ...],
        normalisation: str,
        variant: str = "official",
    ) -> int:
        """Return the configuration's own index: no two are the same network at the official widths."""
        return self.cell(cell).index

    def parameters(
        self,
        cell: Configuration | int | str,
        *,
        num_classes: int = 10,
        channels: int | None = None,
        cells_per_stage: int | None = None,
    ) -> int:
        """Return the number of trainable parameters; see ``counts``."""
        widths, depth = self._scaled(cell, channels, cells_per_stage)
        return counts.count_parameters(widths, num_classes=num_classes, cells_per_stage=depth)

    def flops(
        self,
        cell: Configuration | int | str,
        *,
        num_classes: int = 10,
        channels: int | None = None,
        cells_per_stage: int | None = None,
        image_size: int = 32,
    ) -> int:
        """Return the multiply-adds of one forward pass; see ``counts``."""
        widths, depth = self._scaled(cell, channels, cells_per_stage)
        return counts.count_flops(widths, num_classes=num_classes, cells_per_stage=depth, image_size=image_size)
