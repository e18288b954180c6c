"""Chosen cells beside the true front of two quantities."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ntknas.report.drawers.canvas import COLOURS, Panels, handles_of, legend_below
from ntknas.report.drawers.lettering import broken, points

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ntknas.report.drawers.shown import Figure
    from ntknas.report.figures import FrontPanel, Fronts
    from ntknas.report.look import Style

_CHOSEN, _RANDOM = COLOURS[0], COLOURS[1]
_CELLS: dict[str, Any] = {"markersize": 1.4, "markeredgewidth": 0, "label": "all cells"}
_MAX_VECTORS = 2000
"""Cells up to which each is an object of its own in a PDF or SVG."""
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
        lines = broken(panels.figure, f"{panel.title}\n{panel.note}", points("small"), 0.85 * size[0] / columns)
        axes.set_title("\n".join(lines), fontsize="small")
    panels.hide_from(len(fronts.panels))
    for number, axes in enumerate(panels):
        is_lowest = number + columns >= len(fronts.panels)
        axes.tick_params(labelbottom=is_lowest)
        label = broken(panels.figure, fronts.x_label, points("medium"), 0.85 * size[0] / columns)
        axes.set_xlabel("\n".join(label) if is_lowest else "")
    for row in panels.rows:
        row[0].set_ylabel("\n".join(broken(panels.figure, fronts.y_label, points("medium"), style.height(2.0))))
    legend_below(panels.figure, handles_of(panels.rows[0][:1]))
    return panels.figure


def _draw_panel(axes: Axes, panel: FrontPanel, fronts: Fronts) -> None:
    axes.plot(*fronts.cells.T, "o", color="0.78", rasterized=len(fronts.cells) > _MAX_VECTORS, zorder=1, **_CELLS)
    band = np.concatenate([panel.band_low, panel.band_high[::-1]])
    axes.fill(*band.T, color=_RANDOM, alpha=0.35, linewidth=0, zorder=2, label="as many random cells, 95 %")
    axes.plot(*fronts.front.T, color="0.1", linewidth=2.4, zorder=3, label="true front")  # may lie under the other
    axes.plot(*panel.line.T, color=_CHOSEN, linewidth=1.2, zorder=4, label="front of the chosen cells")
    size = 3.5 if len(panel.chosen) <= _MAX_DOTS else 1.0
    axes.plot(*panel.chosen.T, "o", color=_CHOSEN, markersize=size, markeredgewidth=0, zorder=5, label="chosen cells")
    axes.set_xlim(*fronts.x_view)
    axes.set_ylim(*fronts.y_view)
