"""Pages of a figure: at most twelve panels on each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from ntknas.report.figures import DotGrid, Figure, Fronts, HeatMaps, LineGrid, ScatterGrid
from ntknas.report.text import joined

MAX_PANELS = 12
_T = TypeVar("_T")


def pages(figure: Figure) -> list[Figure]:
    """Return a figure's pages: itself, or several that share its panels, each saying which one it is.

    Args:
        figure: The figure.
    """
    if isinstance(figure, ScatterGrid):
        return _numbered([replace(figure, panels=part) for part in _parts(figure.panels)])
    if isinstance(figure, DotGrid):
        return _numbered([replace(figure, panels=part) for part in _parts(figure.panels)])
    if isinstance(figure, LineGrid):
        return _numbered([replace(figure, panels=part) for part in _parts(figure.panels)])
    if isinstance(figure, Fronts):
        return _numbered([replace(figure, panels=part) for part in _parts(figure.panels)])
    if isinstance(figure, HeatMaps):
        return _numbered([replace(figure, maps=part) for part in _parts(figure.maps)])
    return [figure]


def _parts(panels: Sequence[_T]) -> list[Sequence[_T]]:
    """Return panels in parts, as few as there can be, all but the last full."""
    count = max(1, math.ceil(len(panels) / MAX_PANELS))
    return [panels[MAX_PANELS * number : MAX_PANELS * (number + 1)] for number in range(count)]


def _numbered(parts: Sequence[Figure]) -> list[Figure]:
    if len(parts) == 1:
        return list(parts)
    return [
        replace(part, title=joined(part.title, f", page {number} of {len(parts)}"))
        for number, part in enumerate(parts, 1)
    ]
