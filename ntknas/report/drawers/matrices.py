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

_DARK = 0.7
"""Magnitude of a correlation whose cell needs a light number."""


def draw_heat_maps(maps: HeatMaps, style: Style) -> Figure:
    """Draw maps side by side, in one logarithmic scale of colours."""
    count = max(1, len(maps.maps))
    rows, columns = math.ceil(count / style.columns), min(style.columns, count)
    letters = max((len(name) for name in maps.rows), default=0)
    width = style.width(2.6 * columns + 0.09 * letters + 0.8, spans=columns > 1)
    height = style.height((0.9 + 0.24 * len(maps.rows)) * rows + 0.5)
    panels = Panels.make(rows, columns, (width, height), share_x=True, share_y=True)
    scale = _logarithmic_scale(maps)
    for axes, heat_map in zip(panels, maps.maps, strict=False):
        axes.imshow(heat_map.values, cmap=SEQUENTIAL, norm=scale, aspect="auto")
        axes.set_title(heat_map.title)
        axes.set_xticks(range(len(maps.columns)), maps.columns, rotation=90)
        axes.set_yticks(range(len(maps.rows)), maps.rows)
        axes.set_xlabel(maps.x_label)
        axes.tick_params(length=0, labelbottom=True)
    panels.hide_from(len(maps.maps))
    panels.figure.colorbar(ScalarMappable(scale, SEQUENTIAL), ax=list(panels), label=maps.colour_label)
    return panels.figure


def _logarithmic_scale(maps: HeatMaps) -> LogNorm:
    values = np.concatenate([np.ravel(heat_map.values) for heat_map in maps.maps] or [np.ones(1)])
    positive = values[np.isfinite(values) & (values > 0)]
    low, high = (float(positive.min()), float(positive.max())) if len(positive) else (0.1, 1.0)
    return LogNorm(low, max(high, 1.001 * low))


def draw_matrix(matrix: Matrix, style: Style) -> Figure:
    """Draw correlations with their numbers."""
    rows, columns = matrix.values.shape
    figure, axes = single((style.width(2.4 + 0.9 * columns, spans=columns > 4), style.height(0.8 + 0.34 * rows)))
    image = axes.imshow(matrix.values, cmap=DIVERGING, vmin=-1, vmax=1, aspect="auto")
    axes.set_xticks(range(columns), matrix.columns, rotation=30, ha="right")
    axes.set_yticks(range(rows), matrix.rows)
    for row, column in np.ndindex(rows, columns):
        value = matrix.values[row, column]
        text, is_dark = ("–", False) if np.isnan(value) else (f"{value:.2f}", abs(value) > _DARK)
        axes.text(column, row, text, ha="center", va="center", color="white" if is_dark else "black", fontsize=8)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    figure.colorbar(image, ax=axes, label="Kendall τ")
    return figure
