"""Clouds of points."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from matplotlib.ticker import SymmetricalLogLocator

from ntknas.report.drawers.canvas import COLOURS, Panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ntknas.report.figures import Panel, ScatterGrid
    from ntknas.report.look import Style

_WIDE_RANGE = 30
"""Largest over smallest value from which an axis is logarithmic."""


def draw_scatter_grid(grid: ScatterGrid, style: Style) -> Figure:
    """Draw one cloud per panel."""
    rows, columns = math.ceil(len(grid.panels) / style.columns), min(style.columns, len(grid.panels))
    size = (style.width(3.0 * columns, spans=columns > 1), style.height(2.7 * rows + 0.2))
    panels = Panels.make(rows, columns, size, share_y=True)
    for axes, panel in zip(panels, grid.panels, strict=False):
        _draw_panel(axes, panel)
    panels.hide_from(len(grid.panels))
    for row in panels.rows:
        row[0].set_ylabel(grid.y_label)
    return panels.figure


def _draw_panel(axes: Axes, panel: Panel) -> None:
    axes.scatter(panel.x, panel.y, s=12, alpha=0.65, color=COLOURS[0], linewidths=0)
    axes.set_title(f"{panel.title}\n{panel.note}" if panel.note else panel.title)
    axes.set_xlabel(panel.x_label)
    if len(panel.x) and (panel.x > 0).all() and panel.x.max() > _WIDE_RANGE * panel.x.min():
        axes.set_xscale("log")
    elif len(panel.x) and (panel.x < 0).all() and panel.x.min() < _WIDE_RANGE * panel.x.max():
        smallest = float(-panel.x.max())
        axes.set_xscale("symlog", linthresh=smallest)
        axes.xaxis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=smallest))
