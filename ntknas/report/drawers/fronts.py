"""Chosen cells beside the true front of two quantities."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ntknas.report.drawers.canvas import COLOURS, Panels, handles_of, legend_below

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ntknas.report.figures import FrontPanel, Fronts
    from ntknas.report.look import Style

_CHOSEN, _RANDOM = COLOURS[0], COLOURS[1]
_MAX_DOTS = 300
"""Chosen cells from which dots are small."""


def draw_fronts(fronts: Fronts, style: Style) -> Figure:
    """Draw one choice per panel, all in the same view."""
    widest = style.columns - 1 if len(fronts.panels) in (5, 6, 9) else style.columns
    rows, columns = math.ceil(len(fronts.panels) / widest), min(widest, len(fronts.panels))
    size = (style.width(3.1 * columns + 0.5, spans=columns > 1), style.height(2.7 * rows + 0.6))
    panels = Panels.make(rows, columns, size, share_x=True, share_y=True)
    for axes, panel in zip(panels, fronts.panels, strict=False):
        _draw_panel(axes, panel, fronts)
    panels.hide_from(len(fronts.panels))
    for number, axes in enumerate(panels):
        is_lowest = number + columns >= len(fronts.panels)
        axes.tick_params(labelbottom=is_lowest)
        axes.set_xlabel(fronts.x_label if is_lowest else "")
    for row in panels.rows:
        row[0].set_ylabel(fronts.y_label)
    legend_below(panels.figure, handles_of(panels.rows[0][:1]))
    return panels.figure


def _draw_panel(axes: Axes, panel: FrontPanel, fronts: Fronts) -> None:
    axes.plot(*fronts.cells.T, ",", color="0.72", rasterized=True, zorder=1, label="_cells")
    band = np.concatenate([panel.band_low, panel.band_high[::-1]])
    axes.fill(*band.T, color=_RANDOM, alpha=0.35, linewidth=0, zorder=2, label="as many random cells, 95 %")
    axes.plot(*fronts.front.T, color="0.1", linewidth=1.2, zorder=3, label="true front")
    axes.plot(*panel.line.T, color=_CHOSEN, linewidth=1.2, zorder=4, label="front of the chosen cells")
    size = 3.5 if len(panel.chosen) <= _MAX_DOTS else 1.0
    axes.plot(*panel.chosen.T, "o", color=_CHOSEN, markersize=size, markeredgewidth=0, zorder=5, label="chosen cells")
    axes.set_title(f"{panel.title}\n{panel.note}", fontsize="small")
    axes.set_xlim(*fronts.x_view)
    axes.set_ylim(*fronts.y_view)
