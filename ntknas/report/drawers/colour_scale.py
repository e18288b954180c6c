"""The scale of colours of a map: about zero where entries have signs, and within limits that few entries exceed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import Normalize

from ntknas.report.drawers.canvas import DIVERGING, SEQUENTIAL

if TYPE_CHECKING:
    from ntknas.report.figures import Array

_USUAL = 0.98
"""Share of the entries that are usual, as in robust maps of seaborn."""
_FAR = 2.0
"""How many times the largest usual magnitude an entry has, from which it is clipped."""
_ROUNDING = 1e-6
"""Entries below zero by less than this share of the largest are zero but for rounding in float32."""


@dataclass(frozen=True)
class ColourScale:
    """Which numbers have which colours.

    Attributes:
        map: Name of the map of colours.
        norm: From numbers to places on it.
        extend: Ends beyond which entries lie: ``neither``, ``min``, ``max`` or ``both``.
    """

    map: str
    norm: Normalize
    extend: str


def scale_of(matrices: Sequence[Array]) -> ColourScale:
    """Return one scale for some matrices: diverging about zero if and only if entries have both signs.

    One large entry does not take the scale from the others: it ends at the largest magnitude that is no more than twice
    what 98 % of the entries keep. Entries beyond have the colour of the limit, and an arrow of the colour bar says so.

    Args:
        matrices: The matrices; entries that are not numbers do not count.
    """
    entries = np.concatenate([np.ravel(matrix) for matrix in matrices])
    entries = entries[np.isfinite(entries)]
    if not len(entries):
        return ColourScale(SEQUENTIAL, Normalize(0.0, 1.0), "neither")
    low, high = float(entries.min()), float(entries.max())
    if min(-low, high) > _ROUNDING * max(-low, high):
        limit = _limit(np.abs(entries)) or 1.0
        return ColourScale(DIVERGING, Normalize(-limit, limit), _extend(is_below=low < -limit, is_above=high > limit))
    limit = _limit(np.abs(entries))
    if high > 0:
        return ColourScale(SEQUENTIAL, Normalize(max(low, 0.0), limit), _extend(is_below=False, is_above=high > limit))
    return ColourScale(SEQUENTIAL, Normalize(-limit, high), _extend(is_below=low < -limit, is_above=False))


def _limit(magnitudes: Array) -> float:
    """Return where a scale of magnitudes ends: at the largest that is not far from the usual ones."""
    far = _FAR * float(np.quantile(magnitudes, _USUAL))
    return float(magnitudes[magnitudes <= far].max() if far > 0 else magnitudes.max())


def _extend(*, is_below: bool, is_above: bool) -> str:
    if is_below and is_above:
        return "both"
    return "min" if is_below else "max" if is_above else "neither"
