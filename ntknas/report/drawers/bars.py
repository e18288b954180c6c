"""Bars with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ntknas.report.drawers.canvas import COLOURS, MUTED, legend_below, single
from ntknas.report.drawers.row_panels import AROUND, RowPanels, heights_of, reach

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from ntknas.report.drawers.shown import Figure
    from ntknas.report.figures import Array, BarGroup, Bars
    from ntknas.report.look import Style

_GROUP_HEIGHT = 0.8
"""Share of a row that its bars take."""
_ROW, _BAR = 0.1, 0.14
"""Inches between rows, and of a bar."""
_NO_VALUE = "no value"


def draw_bars(bars: Bars, style: Style) -> Figure:
    """Draw one row per label: a panel per group, or the groups' bars below one another."""
    figure = _draw_apart(bars, style) if bars.is_apart else _draw_together(bars, style)
    legend_below(figure, _legend(bars))
    return figure


def _draw_apart(bars: Bars, style: Style) -> Figure:
    """Draw one panel per group; bars have the colours of their kinds."""
    made = RowPanels(len(bars.groups), len(bars.labels) * (_ROW + _BAR), style)
    for axes, group in zip(made.panels, bars.groups, strict=False):
        _draw_group(axes, bars, group, heights_of(bars.labels), _GROUP_HEIGHT, _row_colours(bars))
        _furnish(axes, bars)
        if len(bars.groups) > 1:
            made.head(axes, group.name)
        if group.limit is not None:
            axes.axvline(group.limit, color="0.1", linestyle="--", linewidth=0.9)
            name = f"{bars.limit_name.replace(' ', chr(10))}\n{group.limit:.2f} "
            axes.text(group.limit, -0.5, name, ha="right", va="bottom", fontsize="x-small", color="0.25")
        axes.tick_params(axis="y", length=0)
    made.finish(bars.x_label)
    return made.panels.figure


def _draw_together(bars: Bars, style: Style) -> Figure:
    count = len(bars.groups)
    height = AROUND + len(bars.labels) * (_BAR * count + _ROW)
    figure, axes = single((style.width(0, spans=False), style.height(height)))
    thickness = _GROUP_HEIGHT / count
    for number, (group, heights) in enumerate(zip(bars.groups, _places(bars, thickness), strict=True)):
        colours = [COLOURS[number % len(COLOURS)]] * len(bars.labels) if count > 1 else _row_colours(bars)
        _draw_group(axes, bars, group, heights, thickness, colours)
        if group.limit is not None:  # beside its own bars: lines through all rows would hide one another
            own = heights[np.isfinite(group.values)]
            ends = own - thickness / 2, own + thickness / 2
            axes.vlines(np.full_like(own, group.limit), *ends, color="0.1", linestyle="--", linewidth=0.9)
    _furnish(axes, bars)
    axes.set_xlabel(bars.x_label)
    return figure


def _places(bars: Bars, thickness: float) -> Array:
    """Return where the bars of each group lie: those that a row has stand together about its middle."""
    known = np.isfinite([group.values for group in bars.groups])
    before = np.cumsum(known, axis=0) - known
    places: Array = heights_of(bars.labels) + thickness * ((known.sum(axis=0) - 1) / 2 - before)
    return places


def _row_colours(bars: Bars) -> list[str]:
    """Return the colour of each row's kind; of one that is muted, grey."""
    colours = _kind_colours(bars)
    kinds = bars.kinds or [""] * len(bars.labels)
    return [MUTED if label in bars.muted else colours[kind] for label, kind in zip(bars.labels, kinds, strict=True)]


def _kind_colours(bars: Bars) -> dict[str, str]:
    named = zip(bars.labels, bars.kinds, strict=True) if bars.kinds else ((label, "") for label in bars.labels)
    kinds = sorted({kind for label, kind in named if label not in bars.muted})
    return {kind: COLOURS[number % len(COLOURS)] for number, kind in enumerate(kinds)}


def _furnish(axes: Axes, bars: Bars) -> None:
    axes.set_yticks(heights_of(bars.labels), bars.labels)
    axes.set_ylim(-0.6, len(bars.labels) - 0.4)
    axes.axvline(0, color="0.3", linewidth=0.8)
    axes.set_xlim(*_ends(bars))
    axes.grid(axis="x", alpha=0.25)
    axes.set_axisbelow(True)


def _ends(bars: Bars) -> tuple[float, float]:
    """Return the ends of the horizontal axis: of all that is drawn, and nothing beyond what values can be."""
    limits = np.array([group.limit for group in bars.groups if group.limit is not None], np.float64)
    low, high, margin = reach([limits, *(part for g in bars.groups for part in (g.values, g.low, g.high))])
    least, most = bars.bounds or (-math.inf, math.inf)
    return max(least, low - margin) if low < 0 else 0.0, min(most, high + margin) if high > 0 else 0.0


def _draw_group(
    axes: Axes, bars: Bars, group: BarGroup, heights: Array, thickness: float, colours: Sequence[str]
) -> None:
    is_together = not bars.is_apart and len(bars.groups) > 1
    rectangles = axes.barh(heights, np.nan_to_num(group.values), height=thickness * 0.92, color=colours)
    for label, bar, colour in zip(bars.labels, rectangles, colours, strict=True):
        if label in bars.muted and is_together:  # grey would say nothing of the group
            bar.set_facecolor("white")
            bar.set_edgecolor(colour)
    known = np.isfinite(group.values)
    axes.plot(group.values[known], heights[known], "|", color="0.1", markersize=4)  # also where a bar has no length
    for height in heights[~known] if not is_together else ():
        axes.text(0, height, f" {_NO_VALUE}", va="center", fontsize="x-small", color="0.45", style="italic")
    _draw_intervals(axes, group, heights)


def _draw_intervals(axes: Axes, group: BarGroup, heights: Array) -> None:
    has_interval = np.isfinite(group.values) & np.isfinite(group.low) & np.isfinite(group.high)
    reach: Sequence[Array] = [np.abs(group.values - group.low), np.abs(group.high - group.values)]
    axes.errorbar(
        group.values[has_interval],
        heights[has_interval],
        xerr=np.stack(reach)[:, has_interval],
        fmt="none",
        ecolor="0.1",
        elinewidth=0.8,
        capsize=1.5,
    )


def _legend(bars: Bars) -> dict[str, Artist]:
    """Return what colours and lines mean; what the axis and the heading say is not said again."""
    entries: dict[str, Artist] = {}
    is_together = not bars.is_apart and len(bars.groups) > 1
    if is_together:
        for number, group in enumerate(bars.groups):
            entries[group.name] = Patch(color=COLOURS[number % len(COLOURS)])
    else:
        entries |= {kind: Patch(color=colour) for kind, colour in _kind_colours(bars).items() if kind}
    if bars.muted and bars.muted_name:
        if bars.shown_name and not entries:
            entries[bars.shown_name] = Patch(color=COLOURS[0])
        face, edge = ("white", "0.1") if is_together else (MUTED, MUTED)
        entries[bars.muted_name] = Patch(facecolor=face, edgecolor=edge)
    limits = [group.limit for group in bars.groups if group.limit is not None]
    if limits and not bars.is_apart:
        told = sorted({f"{limit:.2f}" for limit in limits})
        name = f"{bars.limit_name} {told[0] if len(told) == 1 else f'{told[0]} to {told[-1]}'}"
        entries[name] = Line2D([], [], color="0.1", linestyle="--", linewidth=0.9)
    return entries
