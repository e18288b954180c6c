"""Kernels as heat maps, beside their spectrum or over time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ntknas.report.drawers.canvas import COLOURS, Panels
from ntknas.report.drawers.shown import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ntknas.report.figures import Array, KernelStrip, KernelView, Labels
    from ntknas.report.look import Style

_STRIP_COLUMNS = 8


def draw_kernel_strip(strip: KernelStrip, style: Style) -> Figure:
    """Draw one heat map per moment, in one scale of colours."""
    count = len(strip.matrices)
    columns = min(count, _STRIP_COLUMNS)
    rows = math.ceil(count / columns)
    panels = Panels.make(rows, columns, (1.7 * columns + 0.9, 1.9 * rows + 0.5))
    order = _class_order(strip.matrices[0], strip.labels)
    low = min(float(np.nanmin(matrix)) for matrix in strip.matrices)
    high = max(float(np.nanmax(matrix)) for matrix in strip.matrices)
    for axes, name, matrix in zip(panels, strip.names, strip.matrices, strict=False):
        picture = axes.imshow(
            matrix[np.ix_(order, order)], cmap="viridis", vmin=low, vmax=high, interpolation="nearest"
        )
        axes.set_title(name)
        axes.set_xticks([])
        axes.set_yticks([])
    panels.hide_from(count)
    panels.figure.colorbar(picture, ax=list(panels), shrink=0.9, label=strip.colour_label)
    return panels.figure


def draw_kernel_view(view: KernelView, style: Style) -> Figure:
    """Draw one heat map in the order of the classes, and the spectrum."""
    figure = Figure(figsize=(9.2, 4.2))
    heat, line = figure.subplots(1, 2)
    order = _class_order(view.matrix, view.labels)
    picture = heat.imshow(view.matrix[np.ix_(order, order)], cmap="viridis", interpolation="nearest")
    figure.colorbar(picture, ax=heat, shrink=0.85)
    heat.set_title("kernel")
    if view.labels is None:
        heat.set_xlabel("sample")
    else:
        _draw_classes(heat, view.labels[order])
    _draw_spectrum(line, view)
    return figure


def _class_order(matrix: Array, labels: Labels | None) -> Labels:
    return np.arange(len(matrix)) if labels is None else np.argsort(labels, kind="stable")


def _draw_classes(axes: Axes, labels: Labels) -> None:
    """Draw lines between classes, whose names stand at their middles."""
    edges = np.flatnonzero(np.diff(labels)) + 0.5
    for edge in edges:
        axes.axhline(edge, color="white", linewidth=0.5, alpha=0.7)
        axes.axvline(edge, color="white", linewidth=0.5, alpha=0.7)
    bounds = np.concatenate([[-0.5], edges, [len(labels) - 0.5]])
    middles = (bounds[:-1] + bounds[1:]) / 2
    names = [str(name) for name in labels[np.ceil(bounds[:-1]).astype(int)]]
    axes.set_xticks(middles, names)
    axes.set_yticks(middles, names)
    axes.set_xlabel("sample, sorted by class")


def _draw_spectrum(axes: Axes, view: KernelView) -> None:
    numbers = np.arange(1, len(view.spectrum) + 1)
    positive = view.spectrum > 0
    axes.semilogy(numbers[positive], view.spectrum[positive], "o-", markersize=3, linewidth=1, color=COLOURS[0])
    if view.threshold > 0 and positive.any() and view.spectrum[positive].min() < 1e3 * view.threshold:
        axes.axhline(view.threshold, color=COLOURS[4], linestyle="--", linewidth=1, label="singular at or below")
        axes.legend(frameon=False)
    axes.set_title("spectrum")
    axes.set_xlabel("i")
    axes.set_ylabel("eigenvalue λ_i")
    axes.grid(alpha=0.25)
