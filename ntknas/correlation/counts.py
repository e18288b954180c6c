"""Parameters and FLOPs of cells: the baselines of every table, and what partial correlations hold fixed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from ntknas.correlation.coefficients import Array
from ntknas.spaces import load_space

BASELINES = ("parameters", "flops")
_NETWORK = ("space", "probe_shape", "num_classes", "channels", "cells_per_stage")


class Counts:
    """The counts of cells under the network options of one setting, each taken once.

    Args:
        space: Name of the space.
        image_size: Height of an image, in pixels.
        options: ``num_classes``, ``channels`` and ``cells_per_stage``.
    """

    def __init__(self, space: str, image_size: int, options: dict[str, int]):
        own = load_space(space)
        self._count: dict[str, Callable[[int], int]] = {
            "parameters": lambda cell: own.parameters(own[cell], **options),
            "flops": lambda cell: own.flops(own[cell], image_size=image_size, **options),
        }
        self._known: dict[str, dict[int, float]] = {name: {} for name in BASELINES}

    def of(self, name: str, cells: Iterable[int]) -> Array:
        """Return one count of cells: ``parameters`` or ``flops`` (multiply-adds of one image)."""
        known, count = self._known[name], self._count[name]
        places = list(map(int, cells))
        for cell in places:
            if cell not in known:
                known[cell] = float(count(cell))
        return np.array([known[cell] for cell in places], float)


def counts_by_setting(scores: pd.DataFrame) -> dict[str, Counts]:
    """Return the counts under every setting of a table of scores that says the network; equal networks share theirs."""
    if not set(_NETWORK) <= set(scores):
        return {}
    shared: dict[tuple[Any, ...], Counts] = {}
    found = {}
    for _, fields in scores.drop_duplicates("setting").iterrows():
        options = {name: int(fields[name]) for name in _NETWORK[2:]}
        key = str(fields["space"]), int(fields["probe_shape"].split("x")[-1])
        found[str(fields["setting"])] = shared.setdefault((*key, *options.values()), Counts(*key, options))
    return found
