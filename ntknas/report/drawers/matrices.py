"""Tables of numbers as colours."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm

from ntknas.report.drawers.canvas import DIVERGING, SEQUENTIAL, Panels, single

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ntknas.report.figures import HeatMaps, Matrix
    from ntknas.report.look import Style

_NO_VALUE = "0.88"
_SLOPE = 0.04
"""Inches that a letter of a name at 30° goes down."""
_DARK = 0.7
"""Magnitude of a correlation whose cell needs a light number."""


def draw_heat_maps(maps: HeatMaps, style: Style) -> Figure:
    """Draw maps side by side, in one logarithmic scale of colours; grey is what has no value."""
    count = max(1, len(maps.maps))
    widest = style.columns - 1 if count in (5, 6) else style.columns  # rows of three are fuller
    rows, columns = math.ceil(count / widest), min(widest, count)
    letters = max((len(name) for name in maps.rows), default=0)
    width = style.width(2.6 * columns + 0.09 * letters + 0.3, spans=columns > 1)
    height = style.height((0.55 + 0.24 * len(maps.rows)) * rows + 1.5)
    panels = Panels.make(rows, columns, (width, height), share_x=True, share_y=True)
    scale = _logarithmic_scale(maps)
    for number, (axes, heat_map) in enumerate(zip(panels, maps.maps, strict=False)):
        axes.set_facecolor(_NO_VALUE)
        axes.imshow(heat_map.values, cmap=SEQUENTIAL, norm=scale, aspect="auto")
        axes.set_title(heat_map.title)
        axes.set_xticks(range(len(maps.columns)), maps.columns, rotation=90)
        axes.set_yticks(range(len(maps.rows)), maps.rows)
        is_lowest = number + columns >= len(maps.maps)
        axes.set_xlabel(maps.x_label if is_lowest else "")
        axes.tick_params(length=0, labelbottom=is_lowest)
    panels.hide_from(len(maps.maps))
    _add_bar(panels, ScalarMappable(scale, SEQUENTIAL), maps.colour_label)
    return panels.figure


def _add_bar(panels: Panels, colours: ScalarMappable, label: str) -> None:
    """Add a bar of colours below, where its label stands level."""
    panels.figure.colorbar(colours, ax=list(panels), label=label, location="bottom", shrink=0.6, aspect=45)


def _logarithmic_scale(maps: HeatMaps) -> LogNorm:
    values = np.concatenate([np.ravel(heat_map.values) for heat_map in maps.maps] or [np.ones(1)])
    positive = values[np.isfinite(values) & (values > 0)]
    low, high = (float(positive.min()), float(positive.max())) if len(positive) else (0.1, 1.0)
    return LogNorm(low, max(high, 1.001 * low))


def draw_matrix(matrix: Matrix, style: Style) -> Figure:
    """Draw correlations with their numbers."""
    rows, columns = matrix.values.shape
    letters = max((len(name) for name in matrix.columns), default=0)
    height = 0.6 + 0.34 * rows + _SLOPE * letters  # their names stand aslant below
    figure, axes = single((style.width(2.4 + 0.9 * columns, spans=columns > 4), style.height(height)))
    image = axes.imshow(matrix.values, cmap=DIVERGING, vmin=-1, vmax=1, aspect="auto")
    axes.set_xticks(range(columns), matrix.columns, rotation=30, ha="right")
    axes.set_yticks(range(rows), matrix.rows)
    for row, column in np.ndindex(rows, columns):
        value = matrix.values[row, column]
        text, is_dark = ("–", False) if np.isnan(value) else (f"{value:.2f}", abs(value) > _DARK)
        axes.text(column, row, text, ha="center", va="center", color="white" if is_dark else "black", fontsize=8)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    figure.colorbar(image, ax=axes, label="Kendall τ", ticks=(-1, 0, 1))
    return figure
