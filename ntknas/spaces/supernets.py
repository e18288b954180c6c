"""Networks that hold several cells at once: what searches prune."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol, Unpack, runtime_checkable

from ntknas.core.lazy import nn
from ntknas.spaces.contract import BuildOptions
from ntknas.spaces.neighbourhood import Positional


@runtime_checkable
class Supernetted(Positional, Protocol):
    """What a space whose cells share a supernet offers beside the contract and its positions.

    The weights of a choice depend on the seed, its position and its own name alone: supernets of one seed that both
    hold it start it alike.
    """

    def supernet(
        self, kept: Sequence[Collection[str]], /, *, num_classes: int, seed: int, **options: Unpack[BuildOptions]
    ) -> nn.Module:
        """Build the network that holds all choices that are kept at each position, in training mode.

        Args:
            kept: The choices at each position, by name; one or more.
            num_classes: Number of outputs.
            seed: Seed of the weights.
            **options: As of ``Space.build``.
        """
        ...

    def super_cell(self, kept: Sequence[Collection[str]], /, *, channels: int, seed: int, init: str) -> nn.Module:
        """Build one cell of the supernet alone, on images of so many channels: what its ReLUs say is counted.

        Args:
            kept: The choices at each position, by name; one or more.
            channels: Channels of the cell and of its images.
            seed: Seed of the weights.
            init: Initialisation, a key of ``INITIALISATIONS``.
        """
        ...
