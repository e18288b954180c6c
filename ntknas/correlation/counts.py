"""Counts of cells, which take no network: the baselines of every table, and what partial correlations hold fixed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from ntknas.correlation.coefficients import Array
from ntknas.data.datasets import get_dataset
from ntknas.spaces import Space, Structured, load_space
from ntknas.spaces.known_counts import KnownCounts
from ntknas.spaces.structure import COUNTS, EVERY_SPACE
from ntknas.store.setting import Setting

GIVEN = ("effective_parameters", "live_layers")
"""What partial correlations hold fixed, where a space has it."""


class NetworkSize(NamedTuple):
    """What the counts of a cell depend on beside the cell.

    Attributes:
        space: Name of the space.
        image_size: Height of an image, in pixels.
        num_classes: Number of outputs.
        channels: Channels of the first stage.
        cells_per_stage: Cells in each stage.
    """

    space: str
    image_size: int
    num_classes: int
    channels: int
    cells_per_stage: int

    @classmethod
    def of(cls, setting: Setting) -> NetworkSize | None:
        """Return the size of the networks of a setting, if it says all of it."""
        network, image_size = setting.network, setting.probe.image_size
        if image_size is None or setting.num_classes is None:
            return None
        if network.channels is None or network.cells_per_stage is None:
            return None
        return cls(setting.space, image_size, setting.num_classes, network.channels, network.cells_per_stage)

    @classmethod
    def official(cls, space: Space, dataset: str = "cifar10") -> NetworkSize:
        """Return the size of a space's official networks for a data set.

        Args:
            space: The space.
            dataset: Name of the data set.

        Returns:
            The size.

        Raises:
            ChoiceError: If there is no such data set.
        """
        images, defaults = get_dataset(dataset), space.defaults
        channels, depth = defaults["channels"], defaults["cells_per_stage"]
        return cls(space.name, images.image_size, images.num_classes, channels, depth)


class Counts:
    """The counts of cells in networks of one size, each taken once; see ``spaces.structure.COUNTS``.

    Args:
        size: The size.
        space: The space, where it is not one that is found by its name.
        known: Counts that were taken before; those of networks of another size are not used.

    Attributes:
        names: Counts that the space has, in the order of the tables.
        given: Counts that partial correlations hold fixed, where nothing else is asked for.
    """

    def __init__(self, size: NetworkSize, space: Space | None = None, known: KnownCounts | None = None):
        self._size = size
        self._space = load_space(size.space) if space is None else space
        is_structured = isinstance(self._space, Structured)
        self.names = tuple(COUNTS) if is_structured else EVERY_SPACE
        self.given = GIVEN if is_structured else EVERY_SPACE
        is_known = known is not None and known.space == size.space and size == NetworkSize.official(self._space)
        self._known = known if is_known else None
        self._counted: dict[str, dict[int, float]] = {}

    def of(self, name: str, cells: Iterable[int]) -> Array:
        """Return one count of cells, one of ``names``."""
        counted = self._counted_of(name)
        indices = list(map(int, cells))
        self._count(name, [cell for cell in indices if cell not in counted])
        return np.array([counted[cell] for cell in indices], np.float64)

    def _counted_of(self, name: str) -> dict[int, float]:
        """Return what is counted so far, by cell."""
        if name not in self._counted:
            self._counted[name] = self._known.of(name) if self._known else {}
        return self._counted[name]

    def _count(self, name: str, cells: list[int]) -> None:
        size, space, counted = self._size, self._space, self._counted_of(name)
        options = {"channels": size.channels, "cells_per_stage": size.cells_per_stage}
        if name == "parameters":
            for cell in cells:
                counted[cell] = space.parameters(space[cell], num_classes=size.num_classes, **options)
            return
        options |= {"num_classes": size.num_classes, "image_size": size.image_size}
        if name == "flops":
            for cell in cells:
                counted[cell] = space.flops(space[cell], **options)
            return
        assert isinstance(space, Structured)
        for cell in cells:
            for part, number in space.structure(space[cell], **options)._asdict().items():
                self._counted_of(part)[cell] = number


def counts_by_setting(settings: Mapping[str, Setting], known: KnownCounts | None = None) -> dict[str, Counts]:
    """Return the counts under every setting that says the size of its networks; equal sizes share theirs."""
    shared: dict[NetworkSize, Counts] = {}
    counts = {}
    for digest, setting in settings.items():
        size = NetworkSize.of(setting)
        if size is not None:
            if size not in shared:
                shared[size] = Counts(size, known=known)
            counts[digest] = shared[size]
    return counts
