"""Bars with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ntknas.report.drawers.canvas import COLOURS, handles_of, legend_below, single

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ntknas.report.figures import Array, BarGroup, Bars
    from ntknas.report.look import Style

_GROUP_HEIGHT = 0.8
"""Share of a row that its bars take."""


def draw_bars(bars: Bars, style: Style) -> Figure:
    """Draw one row per label, one bar per group."""
    height = 0.7 + len(bars.labels) * (0.16 * len(bars.groups) + 0.12)
    figure, axes = single((style.width(0, spans=False), style.height(height)))
    rows = np.arange(len(bars.labels), dtype=np.float64)[::-1]
    thickness = _GROUP_HEIGHT / len(bars.groups)
    for number, group in enumerate(bars.groups):
        heights: Array = rows + _GROUP_HEIGHT / 2 - (number + 0.5) * thickness
        _draw_group(axes, bars, group, heights, thickness, COLOURS[number % len(COLOURS)])
    axes.set_yticks(rows, bars.labels)
    axes.set_ylim(-0.6, len(bars.labels) - 0.4)
    axes.axvline(0, color="0.3", linewidth=0.8)
    axes.set_xlabel(bars.x_label)
    axes.grid(axis="x", alpha=0.25)
    axes.set_axisbelow(True)
    legend_below(figure, handles_of([axes]))
    return figure


def _draw_group(axes: Axes, bars: Bars, group: BarGroup, heights: Array, thickness: float, colour: str) -> None:
    name = group.name if group.limit is None else f"{group.name}, noise ceiling {group.limit:.2f} (dashed)"
    rectangles = axes.barh(heights, np.nan_to_num(group.values), height=thickness * 0.92, color=colour, label=name)
    for label, bar in zip(bars.labels, rectangles, strict=True):
        if label in bars.muted:
            bar.set_alpha(0.45)
    _draw_intervals(axes, group, heights)
    if group.limit is not None:
        axes.axvline(group.limit, color=colour, linestyle="--", linewidth=1)


def _draw_intervals(axes: Axes, group: BarGroup, heights: Array) -> None:
    has_interval = np.isfinite(group.values) & np.isfinite(group.low) & np.isfinite(group.high)
    reach: Sequence[Array] = [np.abs(group.values - group.low), np.abs(group.high - group.values)]
    axes.errorbar(
        group.values[has_interval],
        heights[has_interval],
        xerr=np.stack(reach)[:, has_interval],
        fmt="none",
        ecolor="0.2",
        elinewidth=0.9,
        capsize=1.8,
    )
