"""Parameters and FLOPs of cells: the baselines of every table, and what partial correlations hold fixed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np

from ntknas.correlation.coefficients import Array
from ntknas.spaces import Space, load_space
from ntknas.store.setting import Setting

BASELINES = ("parameters", "flops")


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


class Counts:
    """The counts of cells in networks of one size, each taken once.

    Args:
        size: The size.
    """

    def __init__(self, size: NetworkSize):
        space: Space = load_space(size.space)
        options = {"channels": size.channels, "cells_per_stage": size.cells_per_stage}
        self._count: dict[str, Callable[[int], int]] = {
            "parameters": lambda cell: space.parameters(space[cell], num_classes=size.num_classes, **options),
            "flops": lambda cell: space.flops(
                space[cell], num_classes=size.num_classes, image_size=size.image_size, **options
            ),
        }
        self._counted: dict[str, dict[int, float]] = {name: {} for name in BASELINES}

    def of(self, name: str, cells: Iterable[int]) -> Array:
        """Return one count of cells: ``parameters`` or ``flops`` (multiply-adds of one image)."""
        counted, count = self._counted[name], self._count[name]
        indices = list(map(int, cells))
        for cell in indices:
            if cell not in counted:
                counted[cell] = float(count(cell))
        return np.array([counted[cell] for cell in indices], np.float64)


def counts_by_setting(settings: Mapping[str, Setting]) -> dict[str, Counts]:
    """Return the counts under every setting that says the size of its networks; equal sizes share theirs."""
    shared: dict[NetworkSize, Counts] = {}
    counts = {}
    for digest, setting in settings.items():
        size = NetworkSize.of(setting)
        if size is not None:
            if size not in shared:
                shared[size] = Counts(size)
            counts[digest] = shared[size]
    return counts
