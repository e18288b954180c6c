"""Curves in panels with one legend."""

from __future__ import annotations

import math
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rcParams
from matplotlib.colors import to_rgba
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from ntknas.report.drawers.canvas import Panels, colours_of, handles_of, legend_below
from ntknas.report.drawers.lettering import broken, points

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ntknas.report.drawers.shown import Figure
    from ntknas.report.figures import Line, LineGrid, LinePanel
    from ntknas.report.look import Style

_MAX_MARKED = 40
"""Points of a curve that are few enough to be marked."""
_MAX_TICKS, _MAX_LEVEL_TICKS = 12, 6
"""Ticks of a logarithmic axis that are few enough to be named, and to be named level."""
_FEW_POWERS = 100
"""Largest over smallest value of a logarithmic axis below which powers of ten would be too few to read it."""
_AROUND, _TITLE = 0.5, 0.85
"""Inches of a row of panels beside its axes, and the share of a panel's width that its heading takes at the most."""
_BEHIND = "0.8"
"""What a panel is not about."""
_DASHES = ("--", ":", "-.")
"""Styles of what is muted, whose colour is the same."""


def draw_line_grid(grid: LineGrid, style: Style) -> Figure:
    """Draw one frame per panel; a name has one colour in all of them."""
    columns = min(_widest(grid, style), len(grid.panels))
    rows = math.ceil(len(grid.panels) / columns)
    size = (style.width(3.0 * columns + 0.4, spans=columns > 1), style.height(2.3 * rows + 0.4))
    panels = Panels.make(rows, columns, size, share_x=True, share_y=grid.share_y)
    colours = _colours(grid)
    ticks = sorted({float(x) for panel in grid.panels for line in panel.lines for x in line.x})
    for axes, panel in zip(panels, grid.panels, strict=False):
        _draw_panel(axes, panel, colours)
        _scale_x(axes, grid.x_scale, ticks)
    panels.hide_from(len(grid.panels))
    _label(panels, grid, columns)
    legend_below(panels.figure, handles_of(panels))
    return panels.figure


def _widest(grid: LineGrid, style: Style) -> int:
    """Return how many panels may stand side by side: those whose own axes have names take more room."""
    if grid.columns is not None:
        return grid.columns
    count = len(grid.panels)
    has_names = any(panel.y_label for panel in grid.panels)
    return style.columns - 1 if has_names or count in (5, 6) else style.columns  # rows of three are fuller


def _colours(grid: LineGrid) -> dict[str, str]:
    """Return a colour for each name, grey for what is muted wherever it stands."""
    lines = [line for panel in grid.panels for line in panel.lines]
    shown = list(dict.fromkeys(line.name for line in lines if not (line.muted or line.behind)))
    greys = {line.name: "0.3" for line in lines}
    return greys | dict(zip(shown, colours_of(len(shown), ordered=grid.ordered), strict=True))


def _label(panels: Panels, grid: LineGrid, columns: int) -> None:
    """Name the horizontal axes below the last panels, the vertical ones on the left."""
    for number, axes in enumerate(panels):
        is_lowest = number + columns >= len(grid.panels)
        axes.tick_params(labelbottom=is_lowest)
        axes.set_xlabel(grid.x_label if is_lowest else "")
    for row in panels.rows:
        row[0].set_ylabel(grid.y_label)
    room = panels.figure.get_size_inches()[1] / len(panels.rows) - _AROUND
    for axes, panel in zip(panels, grid.panels, strict=False):
        label = panel.y_label or axes.get_ylabel()
        axes.set_ylabel("\n".join(broken(panels.figure, label, points(rcParams["axes.labelsize"]), room)))
        if grid.columns is not None and not panel.y_label and panel.limits is not None:
            axes.tick_params(labelleft=False)  # the axis is that of the panel on the left
    for axes, panel in zip(panels, grid.panels, strict=False):
        width = _TITLE * panels.figure.get_size_inches()[0] / columns
        axes.set_title("\n".join(broken(panels.figure, panel.title, points("small"), width)), fontsize="small")


def _draw_panel(axes: Axes, panel: LinePanel, colours: dict[str, str]) -> None:
    dashes = cycle(_DASHES)
    for line in panel.lines:
        _draw_line(axes, line, colours[line.name], next(dashes) if line.muted else "-")
    if panel.limits is not None:
        axes.set_ylim(panel.limits)
    if panel.level is not None:
        axes.axhline(panel.level, color="0.4", linewidth=0.8)
    if any((np.nan_to_num(line.y) > 0).any() for line in panel.lines):
        axes.set_yscale(panel.y_scale)
        _name_ticks(axes)
    axes.grid(alpha=0.25)


def _name_ticks(axes: Axes) -> None:
    """Name ticks of a logarithmic axis by plain numbers where it spans so little that powers of ten are few."""
    low, high = axes.get_ylim()
    if axes.get_yscale() == "log" and high < _FEW_POWERS * low:
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda tick, _: f"{tick:.6g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())


def _tick(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:.3g}"


def _scale_x(axes: Axes, scale: str, ticks: list[float]) -> None:
    if scale == "symlog":
        axes.set_xscale("symlog", linthresh=1)  # linear below 1, where epoch 0 is
    else:
        axes.set_xscale(scale)
    if scale == "symlog" or (scale == "log" and len(ticks) <= _MAX_TICKS):
        rotation = 45 if len(ticks) > _MAX_LEVEL_TICKS else 0
        axes.set_xticks(ticks, [_tick(tick) for tick in ticks], rotation=rotation)
        axes.xaxis.set_minor_locator(NullLocator())
    elif scale == "log":
        axes.xaxis.set_major_formatter(FuncFormatter(lambda tick, _: f"{tick:,.6g}"))


def _draw_line(axes: Axes, line: Line, colour: str, style: str) -> None:
    shade, band = (0.7, 0.06) if line.muted else (1.0, 0.12)
    marker = "o" if len(line.x) <= _MAX_MARKED else None
    look: dict[str, Any] = {"linewidth": 1.4, "alpha": shade, "marker": marker, "markersize": 3}
    if line.wide:  # below the others, which may lie on it
        look = {"linewidth": 5.0, "alpha": 0.35, "zorder": 1.5, "solid_capstyle": "butt"}
    if line.behind:
        look, colour = {"linewidth": 0.8, "zorder": 1.2}, _BEHIND
    axes.plot(line.x, line.y, style, color=colour, label=line.name, **look)
    if line.low is not None and line.high is not None:
        edge, face = to_rgba(colour, 3 * band), to_rgba(colour, band)
        axes.fill_between(line.x, line.low, line.high, facecolor=face, edgecolor=edge, linewidth=0.5)
