"""Kernels as heat maps, beside their spectrum or over time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import FixedLocator, NullFormatter, ScalarFormatter

from ntknas.report.drawers.canvas import COLOURS, Panels
from ntknas.report.drawers.colour_scale import scale_of
from ntknas.report.drawers.shown import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ntknas.report.figures import Array, KernelStrip, KernelView, Labels, OfSpectrum
    from ntknas.report.look import Style

_MAX_CLASSES = 20
"""Classes that are few enough for each to be named beside a kernel."""
_STRIP_CLASSES = 10
_EDGE = "0.15"
_ENDS = ("lambda_max", "lambda_min")
_OF_EIGENVALUES = {
    "trace": r"trace  $\Sigma\lambda_i$",
    "fro": r"fro  $\sqrt{\Sigma\lambda_i^2}$",
    "lambda_max": r"lambda_max  $\lambda_1$",
    "lambda_min": r"lambda_min  $\lambda_n$",
    "cond": r"cond  $\lambda_1/\lambda_n$",
    "logdet": r"logdet  $\Sigma\,\log\,\lambda_i$",
    "effective_rank": r"effective_rank  $e^{H}$",
}
"""Measures by name, as what they are of the eigenvalues; H is the entropy of their shares."""


def draw_kernel_strip(strip: KernelStrip, style: Style) -> Figure:
    """Draw one heat map per moment, in one scale of colours."""
    count = len(strip.matrices)
    columns = min(count, style.columns)
    rows = math.ceil(count / columns)
    width = style.width(1.75 * columns + 1.1, spans=columns > 1)
    side = (width - 1.1) / columns
    panels = Panels.make(rows, columns, (width, (side + 0.28) * rows + 0.3), share_x=True, share_y=True)
    panels.figure.set_layout_engine("compressed")  # panels are square: what is left of the width goes to the margins
    order = _class_order(strip.matrices[0], strip.labels)
    scale = scale_of(strip.matrices)
    for axes, name, matrix in zip(panels, strip.names, strip.matrices, strict=False):
        picture = axes.imshow(matrix[np.ix_(order, order)], cmap=scale.map, norm=scale.norm, interpolation="nearest")
        axes.set_title(name)
    panels.hide_from(count)
    _label_strip(panels, strip, order, columns)
    panels.figure.colorbar(picture, ax=list(panels), label=strip.colour_label, extend=scale.extend, aspect=15 * rows)
    return panels.figure


def _label_strip(panels: Panels, strip: KernelStrip, order: Labels, columns: int) -> None:
    """Mark the classes, and name them on the left and below."""
    labels = None if strip.labels is None else strip.labels[order]
    for number, axes in enumerate(list(panels)[: len(strip.matrices)]):
        _mark_samples(axes, labels, _STRIP_CLASSES)
        is_lowest, is_left = number + columns >= len(strip.matrices), number % columns == 0
        axes.tick_params(labelbottom=is_lowest, labelleft=is_left)
        axes.set_xlabel(axes.get_xlabel() if is_lowest else "")
        axes.set_ylabel(axes.get_ylabel() if is_left else "")


def draw_kernel_view(view: KernelView, style: Style) -> Figure:
    """Draw one heat map in the order of the classes, and the spectrum."""
    width = style.width(10.4, spans=True)
    figure = Figure(figsize=(width, 0.385 * width))
    heat, line = figure.subplots(1, 2, width_ratios=(1.15, 1))
    order = _class_order(view.matrix, view.labels)
    scale = scale_of([view.matrix])
    picture = heat.imshow(view.matrix[np.ix_(order, order)], cmap=scale.map, norm=scale.norm, interpolation="nearest")
    figure.colorbar(picture, ax=heat, shrink=0.85, label=view.colour_label, extend=scale.extend, format=_numbers())
    heat.set_title("kernel")
    _mark_samples(heat, None if view.labels is None else view.labels[order], _MAX_CLASSES, view.row_label)
    _draw_spectrum(line, view)
    return figure


def _numbers() -> ScalarFormatter:
    return ScalarFormatter(useMathText=True)


def _class_order(matrix: Array, labels: Labels | None) -> Labels:
    return np.arange(len(matrix)) if labels is None else np.argsort(labels, kind="stable")


def _mark_samples(axes: Axes, labels: Labels | None, most: int, row: str = "sample") -> None:
    """Mark the ends of classes by ticks, and name them between; without classes number the rows.

    Args:
        axes: The axes of a heat map.
        labels: Class of each row, in order; ``None`` without classes.
        most: Classes that are named, at the most.
        row: What a row is.
    """
    if labels is None:
        axes.set(xlabel=row, ylabel=row)
        return
    axes.set(xlabel=f"{row}, by class", ylabel=f"{row}, by class")
    edges = np.flatnonzero(np.diff(labels)) + 0.5
    bounds = np.concatenate([[-0.5], edges, [len(labels) - 0.5]])
    middles = (bounds[:-1] + bounds[1:]) / 2
    names = [str(name) for name in labels[np.ceil(bounds[:-1]).astype(int)]]
    step = math.ceil(len(names) / most)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(middles[::step], names[::step])
        axis.set_minor_locator(FixedLocator(bounds.tolist()))
        axis.set_minor_formatter(NullFormatter())
    axes.tick_params(which="major", length=0, pad=5)
    axes.tick_params(which="minor", length=5, width=0.6, color=_EDGE)
    for edge in edges if len(names) <= most else ():
        axes.axhline(edge, color=_EDGE, linewidth=0.4, alpha=0.5)
        axes.axvline(edge, color=_EDGE, linewidth=0.4, alpha=0.5)


def _draw_spectrum(axes: Axes, view: KernelView) -> None:
    numbers = np.arange(1, len(view.spectrum) + 1)
    positive = view.spectrum > 0
    axes.semilogy(numbers[positive], view.spectrum[positive], "o-", markersize=3, linewidth=1, color=COLOURS[0])
    axes.set(title="spectrum", xlabel="place $i$ of the eigenvalue", ylabel=r"eigenvalue $\lambda_i$")
    axes.grid(alpha=0.25)
    if view.threshold > 0 and positive.any() and view.spectrum[positive].min() < 1e3 * view.threshold:
        axes.axhline(view.threshold, color=COLOURS[4], linestyle="--", linewidth=1)
        _note(axes, "singular at or below", (0.98, view.threshold), ("axes fraction", "data"), COLOURS[4])
    _mark_measures(axes, view)


def _mark_measures(axes: Axes, view: KernelView) -> None:
    """Write the measures that the spectrum decides beside it, and mark those that have a place in it."""
    for measure in view.measures:
        if measure.value is None:
            continue
        if measure.name in _ENDS and measure.value > 0:
            place = len(view.spectrum) if measure.name == "lambda_min" else 1
            axes.plot(place, measure.value, "o", color=COLOURS[4], markersize=5)
        elif measure.name == "effective_rank":
            axes.axvline(measure.value, color=COLOURS[2], linestyle=":", linewidth=1.2)
            _note(axes, "effective rank", (measure.value, 0.97), ("data", "axes fraction"), COLOURS[2], "left")
    text = "\n".join(_measured(measure) for measure in view.measures)
    axes.text(1.04, 1.0, text, transform=axes.transAxes, va="top", fontsize="small", color="0.25", linespacing=1.6)


def _note(
    axes: Axes, text: str, place: tuple[float, float], system: tuple[str, str], colour: str, side: str = "right"
) -> None:
    shift = (3 if side == "left" else -3, -3 if side == "left" else 3)
    axes.annotate(
        text,
        place,
        shift,
        xycoords=system,
        textcoords="offset points",
        ha=side,
        va="top" if side == "left" else "bottom",
        color=colour,
        fontsize="small",
    )


def _measured(measure: OfSpectrum) -> str:
    """Return a measure as what it is of the eigenvalues, with its value."""
    value = measure.status if measure.value is None else scientific(measure.value)
    return f"{_OF_EIGENVALUES[measure.name]} = {value}"


def scientific(value: float) -> str:
    """Return a number with three digits, a power of ten as such."""
    digits, _, power = f"{value:.3g}".partition("e")
    return f"{digits}$\\times 10^{{{int(power)}}}$" if power else digits
