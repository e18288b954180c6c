"""Clouds of points."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator, SymmetricalLogLocator
from scipy.stats import rankdata

from ntknas.report.drawers.canvas import COLOURS, DENSITY, MUTED, Panels
from ntknas.report.drawers.lettering import broken, points, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

    from ntknas.report.drawers.shown import Figure
    from ntknas.report.figures import Array, Panel, ScatterGrid
    from ntknas.report.look import Style

_MANY = 1500
"""Points that would lie on one another: from here on their density is drawn."""
_HEXAGONS = 28
"""Hexagons along an axis of densities."""
_TICKS = 3
"""Intervals between ticks, at the most: panels are narrow."""
_LONG = 1e4
"""Numbers from which a tick's label is long."""


def draw_scatter_grid(grid: ScatterGrid, style: Style) -> Figure:
    """Draw one cloud per panel."""
    count = max(1, len(grid.panels))
    rows, columns = math.ceil(count / style.columns), min(style.columns, count)
    width = style.width(2.9 * columns + 0.3, spans=columns > 1)
    panels = Panels.make(rows, columns, (width, rows * style.height(2.6)), share_y=True)
    is_dense = any(len(panel.x) > _MANY for panel in grid.panels)
    scale = LogNorm(1, max(2, max(len(panel.x) for panel in grid.panels) / _HEXAGONS)) if is_dense else None
    for axes, panel in zip(panels, grid.panels, strict=False):
        _draw_panel(axes, panel, grid.y_scale, scale)
        _head(axes, panel, panels.figure, 0.85 * width / columns)
    panels.hide_from(len(grid.panels))
    for row in panels.rows:
        row[0].set_ylabel("\n".join(broken(panels.figure, grid.y_label, points("medium"), style.height(2.2))))
    if scale is not None:
        bar = panels.figure.colorbar(ScalarMappable(scale, DENSITY), ax=list(panels), aspect=40, pad=0.01)
        bar.set_label("cells")
    return panels.figure


def _head(axes: Axes, panel: Panel, figure: Figure, width: float) -> None:
    size = points("small")
    lines = broken(figure, f"{panel.title}\n{panel.note}", size, width)
    axes.set_title("\n".join(lines), fontsize=size)


def _draw_panel(axes: Axes, panel: Panel, y_scale: str, density: LogNorm | None) -> None:
    x, y = _placed(panel.x, panel.x_scale), _placed(panel.y, y_scale)
    _scale(axes, panel)
    if density is not None and len(x) > _MANY:
        axis: Literal["log", "linear"] = "log" if panel.x_scale == "log" else "linear"
        axes.hexbin(x, y, gridsize=_HEXAGONS, xscale=axis, mincnt=1, norm=density, cmap=DENSITY, linewidths=0)
    else:
        axes.scatter(x, y, s=9, alpha=0.65, color=MUTED if panel.is_muted else COLOURS[0], linewidths=0)
    axes.set_xlabel(panel.x_label)
    if panel.x_scale == "rank":
        _name_ranks(axes.xaxis, panel.x)
    if y_scale == "rank":
        _name_ranks(axes.yaxis, panel.y)
    axes.margins(0.06)


def _placed(values: Array, scale: str) -> Array:
    """Return where values stand on an axis; on one of ranks, at their rank as a share of all."""
    ranks: Array = rankdata(values) / max(1, len(values))
    return ranks if scale == "rank" else values


def _scale(axes: Axes, panel: Panel) -> None:
    if panel.x_scale == "log":
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(numticks=_TICKS + 1))
        axes.xaxis.set_minor_formatter(NullFormatter())
    elif panel.x_scale == "negative log":
        smallest = float(-panel.x.max())
        axes.set_xscale("symlog", linthresh=smallest)
        locator = SymmetricalLogLocator(base=10, linthresh=smallest)
        locator.set_params(numticks=_TICKS + 1)
        axes.xaxis.set_major_locator(locator)
    elif panel.x_scale == "linear":
        largest = np.abs(panel.x).max(initial=0.0)
        axes.xaxis.set_major_locator(MaxNLocator(_TICKS - 1 if largest >= _LONG else _TICKS))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))


def _name_ranks(axis: Axis, values: Array) -> None:
    """Write values at evenly spaced ranks: the smallest, the middle one, the largest."""
    if not len(values):
        return
    ordered = np.sort(values)
    places = np.unique(np.linspace(0, len(ordered) - 1, _TICKS).round().astype(int))
    ticks = {float((place + 1) / len(ordered)): short(float(ordered[place])) for place in places}
    axis.set_ticks(list(ticks), list(ticks.values()))
    axis.set_minor_locator(NullLocator())
