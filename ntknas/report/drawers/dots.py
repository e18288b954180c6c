"""Dots with intervals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ntknas.report.drawers.canvas import COLOURS, handles_of, legend_below
from ntknas.report.drawers.row_panels import RowPanels, heights_of, reach

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ntknas.report.drawers.shown import Figure
    from ntknas.report.figures import Array, DotGrid, DotPanel, DotSeries
    from ntknas.report.look import Style

_MARKERS = "os^D"
_ROW = 0.24
"""Inches of a row."""
_SPREAD = 0.36
"""Share of a row over which its series are spread."""


def draw_dot_grid(grid: DotGrid, style: Style) -> Figure:
    """Draw one row per label, one panel beside the other; series differ in colour and in shape."""
    made = RowPanels(len(grid.panels), _ROW * len(grid.labels), style)
    for axes, panel in zip(made.panels, grid.panels, strict=False):
        _draw_panel(axes, grid, panel)
        made.head(axes, panel.title)
    made.finish(grid.x_label)
    legend_below(made.panels.figure, handles_of(made.panels))
    return made.panels.figure


def _draw_panel(axes: Axes, grid: DotGrid, panel: DotPanel) -> None:
    rows = heights_of(grid.labels)
    count = len(panel.series)
    for number, series in enumerate(panel.series):
        _draw_series(axes, series, rows + _SPREAD * ((count - 1) / 2 - number) / max(1, count - 1), number)
    if panel.level is not None:
        axes.axvline(panel.level, color=COLOURS[(count - 1) % len(COLOURS)], linestyle=":", linewidth=1, zorder=1)
    axes.set_yticks(rows, grid.labels)
    axes.set_ylim(-0.6, len(grid.labels) - 0.4)
    axes.axvline(0, color="0.3", linewidth=0.8, zorder=1)
    axes.set_xlim(*_ends(grid))
    axes.grid(axis="x", alpha=0.25)
    axes.hlines(rows[:-1] - 0.5, *axes.get_xlim(), color="0.92", linewidth=0.6, zorder=0)
    axes.tick_params(axis="y", length=0)


def _draw_series(axes: Axes, series: DotSeries, heights: Array, number: int) -> None:
    colour, marker = COLOURS[number % len(COLOURS)], _MARKERS[number % len(_MARKERS)]
    known = np.isfinite(series.low) & np.isfinite(series.high)
    axes.hlines(heights[known], series.low[known], series.high[known], color=colour, linewidth=1.0)
    axes.plot(series.values, heights, marker, color=colour, markersize=4, label=series.name, clip_on=False, zorder=3)


def _ends(grid: DotGrid) -> tuple[float, float]:
    """Return the ends of the horizontal axis: of all that is drawn, and hardly beyond what values can be."""
    series = [one for panel in grid.panels for one in panel.series]
    low, high, margin = reach(part for one in series for part in (one.values, one.low, one.high))
    least, most = grid.bounds or (-math.inf, math.inf)
    return max(least, low - margin), min(most, high + margin)
