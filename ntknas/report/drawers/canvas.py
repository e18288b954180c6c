"""What the drawers share: the style, and figures with panels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import colormaps, rcParams
from matplotlib.colors import to_hex

from ntknas.report.drawers.lettering import points, widths
from ntknas.report.drawers.shown import Figure

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
"""Okabe and Ito's palette, which colour-blind readers can tell apart."""
MUTED = "0.45"
"""What is quieter than what is meant, such as baselines."""
SEQUENTIAL, DIVERGING, DENSITY = "viridis", "RdBu", "viridis_r"
"""Maps of colours that colour-blind readers can read: of magnitudes, of signs about zero, of numbers from one on."""
_ORDERED_ENDS = (0.0, 0.78)
"""Ends of the part of ``SEQUENTIAL`` that lines are drawn in: yellow is too pale on white."""
_LETTERS_OF_HANDLE = 4.0
"""Width of a legend's handle with the space around it, in letters."""


def colours_of(count: int, *, ordered: bool) -> list[str]:
    """Return colours for so many names.

    Args:
        count: How many.
        ordered: Whether the names are in an order, so that the colours are, from dark to light.
    """
    if ordered:
        return [to_hex(colormaps[SEQUENTIAL](place)) for place in np.linspace(*_ORDERED_ENDS, max(count, 2))[:count]]
    return [COLOURS[number % len(COLOURS)] for number in range(count)]


@dataclass(frozen=True)
class Panels:
    """A figure and its axes, row by row."""

    figure: Figure
    rows: list[list[Axes]]

    @classmethod
    def make(
        cls, rows: int, columns: int, size: tuple[float, float], *, share_x: bool = False, share_y: bool = False
    ) -> Panels:
        """Return an empty figure of some width and height in inches."""
        figure = Figure(figsize=size)  # not pyplot's, which keeps every figure and chooses a backend
        axes = figure.subplots(rows, columns, sharex=share_x, sharey=share_y, squeeze=False)
        return cls(figure, [list(row) for row in axes])

    def __iter__(self) -> Iterator[Axes]:
        """Yield the axes from left to right, the upper row first."""
        return (axes for row in self.rows for axes in row)

    def hide_from(self, count: int) -> None:
        """Hide all axes but the first ``count``."""
        for axes in list(self)[count:]:
            axes.set_visible(False)


def single(size: tuple[float, float]) -> tuple[Figure, Axes]:
    """Return an empty figure with one pair of axes."""
    figure = Figure(figsize=size)
    return figure, figure.subplots()


def legend_below(figure: Figure, handles: Mapping[str, Artist]) -> None:
    """Draw a legend below everything, and let the figure grow by it; a single entry is no legend.

    Args:
        figure: The figure.
        handles: What the entries show, by name.
    """
    if len(handles) < 2:
        return
    columns = _columns(figure, list(handles))
    figure.legend(
        list(handles.values()), list(handles), loc="outside lower center", ncols=columns, frameon=False, borderpad=0.2
    )
    width, height = figure.get_size_inches()
    size = points(rcParams["legend.fontsize"])
    figure.set_size_inches(width, height + 1.5 * size / 72 * math.ceil(len(handles) / columns))


def handles_of(axes: Iterable[Axes]) -> dict[str, Artist]:
    """Return what axes have in their legends, each name once."""
    pairs = [pair for each in axes for pair in zip(*each.get_legend_handles_labels(), strict=True)]
    return {name: handle for handle, name in pairs}


def _columns(figure: Figure, names: list[str]) -> int:
    """Return how many entries fit side by side."""
    size = points(rcParams["legend.fontsize"])
    entry = max(widths(figure, names, size)) + _LETTERS_OF_HANDLE * size / 72
    return max(1, min(len(names), int(figure.get_size_inches()[0] / entry)))
