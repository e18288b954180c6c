"""Draws figure specifications with matplotlib."""

from __future__ import annotations

import math
from functools import singledispatch
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure as Canvas

from ntknas.core.errors import NtknasError
from ntknas.core.files import replacing
from ntknas.report.figures import (
    BarGroup,
    Bars,
    Figure,
    HeatMaps,
    KernelStrip,
    KernelView,
    Line,
    LineGrid,
    LinePanel,
    Matrix,
    Panel,
    ScatterGrid,
)

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
"""Okabe and Ito's palette, which colour-blind readers can tell apart."""
_STYLE: Any = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": "medium",
    "font.size": 9,
    "figure.constrained_layout.use": True,
    "savefig.dpi": 130,
}
_COLUMNS = 4
_STRIP_COLUMNS = 8
_NARROWEST = 7.0  # inches, for heading and legend
_MARKED = 40  # points of a curve that are few enough to be marked
_TICKS, _LEVEL_TICKS = 12, 6  # places of a logarithmic axis that are few enough to be named, and to be named level
_DARK = 0.7  # of a correlation whose cell needs a light number


def draw(figure: Figure, path: Path | str) -> Path:
    """Draw a figure into a file, whose ending decides the format.

    Raises:
        NtknasError: If the folder cannot be written or the ending is not a picture's.
    """
    path = Path(path)
    path = path if path.suffix else path.with_suffix(".png")
    with mpl.rc_context(_STYLE):
        canvas = _canvas(figure)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as beside:
                canvas.savefig(beside, format=path.suffix[1:])
        except OSError as error:
            raise NtknasError(f"Cannot write the picture {path}: {error.strerror or error}.") from error
        except (ValueError, RuntimeError) as error:
            raise NtknasError(f"Cannot write the picture {path}: {error}. Use .png, .pdf or .svg.") from error
        finally:
            plt.close(canvas)
    return path


@singledispatch
def _canvas(figure: Figure) -> Canvas:
    raise TypeError(f"no way to draw a {type(figure).__name__}")


@_canvas.register
def _scatter(figure: ScatterGrid) -> Canvas:
    rows = math.ceil(len(figure.panels) / _COLUMNS)
    columns = min(_COLUMNS, len(figure.panels))
    canvas, axes = plt.subplots(rows, columns, figsize=(3.0 * columns, 2.7 * rows + 0.4), sharey=True, squeeze=False)
    for axis, panel in zip(axes.flat, figure.panels, strict=False):
        _panel(axis, panel)
    for axis in list(axes.flat)[len(figure.panels) :]:
        axis.set_visible(False)
    for axis in axes[:, 0]:
        axis.set_ylabel(figure.y_label)
    canvas.suptitle(figure.title)
    return canvas


def _panel(axis: Any, panel: Panel) -> None:
    axis.scatter(panel.x, panel.y, s=12, alpha=0.65, color=COLOURS[0], linewidths=0)
    axis.set_title(f"{panel.title}\n{panel.note}" if panel.note else panel.title)
    axis.set_xlabel(panel.x_label)
    if len(panel.x) and (panel.x > 0).all() and panel.x.max() > 30 * panel.x.min():
        axis.set_xscale("log")
    elif len(panel.x) and (panel.x < 0).all() and panel.x.min() < 30 * panel.x.max():
        axis.set_xscale("symlog", linthresh=float(-panel.x.max()))
        axis.xaxis.set_major_locator(mpl.ticker.SymmetricalLogLocator(base=10, linthresh=float(-panel.x.max())))


@_canvas.register
def _bars(figure: Bars) -> Canvas:
    height = 0.9 + 0.2 * len(figure.groups) + len(figure.labels) * (0.16 * len(figure.groups) + 0.12)
    canvas, axis = plt.subplots(figsize=(7.0, height))
    places = np.arange(len(figure.labels))[::-1]
    thickness = 0.8 / len(figure.groups)
    for number, group in enumerate(figure.groups):
        _bar_group(
            axis, figure, group, places + 0.4 - (number + 0.5) * thickness, thickness, COLOURS[number % len(COLOURS)]
        )
    axis.set_yticks(places, figure.labels)
    axis.set_ylim(-0.6, len(figure.labels) - 0.4)
    axis.axvline(0, color="0.3", linewidth=0.8)
    axis.set_xlabel(figure.x_label)
    canvas.suptitle(figure.title)
    axis.grid(axis="x", alpha=0.25)
    axis.set_axisbelow(True)
    canvas.legend(loc="outside lower center", ncols=1, frameon=False)
    return canvas


def _bar_group(axis: Any, figure: Bars, group: BarGroup, places: np.ndarray, thickness: float, colour: str) -> None:
    name = group.name if group.limit is None else f"{group.name}, noise ceiling {group.limit:.2f} (dashed)"
    bars = axis.barh(places, np.nan_to_num(group.values), height=thickness * 0.92, color=colour, label=name)
    for label, bar in zip(figure.labels, bars, strict=True):
        if label in figure.muted:
            bar.set_alpha(0.45)
    sided = np.isfinite(group.values) & np.isfinite(group.low) & np.isfinite(group.high)
    error = np.abs(np.stack([group.values - group.low, group.high - group.values]))[:, sided]
    axis.errorbar(group.values[sided], places[sided], xerr=error, fmt="none", ecolor="0.2", elinewidth=0.9, capsize=1.8)
    if group.limit is not None:
        axis.axvline(group.limit, color=colour, linestyle="--", linewidth=1)


@_canvas.register
def _lines(figure: LineGrid) -> Canvas:
    most = _COLUMNS - 1 if len(figure.panels) in (5, 6) else _COLUMNS
    rows, columns = math.ceil(len(figure.panels) / most), min(most, len(figure.panels))
    size = (max(_NARROWEST, 3.2 * columns + 0.4), 2.5 * rows + 1.0)
    canvas, axes = plt.subplots(rows, columns, figsize=size, sharex=True, sharey=figure.share_y, squeeze=False)
    names = list(dict.fromkeys(line.name for panel in figure.panels for line in panel.lines))
    colours = {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(names)}
    ticks = sorted({float(x) for panel in figure.panels for line in panel.lines for x in line.x})
    for axis, panel in zip(axes.flat, figure.panels, strict=False):
        _line_panel(axis, panel, colours, figure.x_scale, ticks)
    for axis in list(axes.flat)[len(figure.panels) :]:
        axis.set_visible(False)
    for place, axis in enumerate(axes.flat):
        below = place + columns >= len(figure.panels)
        axis.tick_params(labelbottom=below)
        axis.set_xlabel(figure.x_label if below else "")
    for axis in axes[:, 0]:
        axis.set_ylabel(figure.y_label)
    canvas.suptitle(figure.title)
    handles = {
        text: handle for axis in axes.flat for handle, text in zip(*axis.get_legend_handles_labels(), strict=True)
    }
    if len(handles) > 1:
        canvas.legend(handles.values(), handles, loc="outside lower center", ncols=min(6, len(handles)), frameon=False)
    return canvas


def _line_panel(axis: Any, panel: LinePanel, colours: dict[str, str], x_scale: str, ticks: list[float]) -> None:
    for line in panel.lines:
        _line(axis, line, colours[line.name])
    if panel.level is not None:
        axis.axhline(panel.level, color="0.4", linewidth=0.8)
    if x_scale == "symlog":
        axis.set_xscale("symlog", linthresh=1)
    else:
        axis.set_xscale(x_scale)
    if x_scale == "symlog" or (x_scale == "log" and len(ticks) <= _TICKS):
        axis.set_xticks(ticks, [f"{place:g}" for place in ticks], rotation=45 if len(ticks) > _LEVEL_TICKS else 0)
        axis.xaxis.set_minor_locator(mpl.ticker.NullLocator())
    if any((np.nan_to_num(line.y) > 0).any() for line in panel.lines):
        axis.set_yscale(panel.y_scale)
    axis.set_title(panel.title)
    axis.grid(alpha=0.25)


def _line(axis: Any, line: Line, colour: str) -> None:
    shade = 0.45 if line.muted else 1.0
    marker = {"marker": "o", "markersize": 3} if len(line.x) <= _MARKED else {}
    style = "--" if line.muted else "-"
    axis.plot(line.x, line.y, style, color=colour, linewidth=1.4, label=line.name, alpha=shade, **marker)
    if line.low is not None and line.high is not None:
        axis.fill_between(line.x, line.low, line.high, color=colour, alpha=0.16 * shade, linewidth=0)


@_canvas.register
def _strip(figure: KernelStrip) -> Canvas:
    count = len(figure.matrices)
    columns = min(count, _STRIP_COLUMNS)
    rows = math.ceil(count / columns)
    canvas, axes = plt.subplots(rows, columns, figsize=(1.7 * columns + 0.9, 1.9 * rows + 0.5), squeeze=False)
    order = np.arange(len(figure.matrices[0])) if figure.labels is None else np.argsort(figure.labels, kind="stable")
    low = min(float(np.nanmin(matrix)) for matrix in figure.matrices)
    high = max(float(np.nanmax(matrix)) for matrix in figure.matrices)
    for axis, name, matrix in zip(axes.flat, figure.names, figure.matrices, strict=False):
        picture = axis.imshow(
            matrix[np.ix_(order, order)], cmap="viridis", vmin=low, vmax=high, interpolation="nearest"
        )
        axis.set_title(name)
        axis.set_xticks([])
        axis.set_yticks([])
    for axis in list(axes.flat)[count:]:
        axis.set_visible(False)
    canvas.colorbar(picture, ax=axes, shrink=0.9, label=figure.colour_label)
    canvas.suptitle(figure.title)
    return canvas


@_canvas.register
def _kernel(figure: KernelView) -> Canvas:
    order = np.arange(len(figure.matrix)) if figure.labels is None else np.argsort(figure.labels, kind="stable")
    canvas, (heat, line) = plt.subplots(1, 2, figsize=(9.2, 4.2))
    picture = heat.imshow(figure.matrix[np.ix_(order, order)], cmap="viridis", interpolation="nearest")
    canvas.colorbar(picture, ax=heat, shrink=0.85)
    heat.set_title("kernel")
    if figure.labels is None:
        heat.set_xlabel("sample")
    else:
        _class_grid(heat, figure.labels[order])
    _spectrum(line, figure)
    canvas.suptitle(figure.title)
    return canvas


def _class_grid(axis: Any, labels: np.ndarray) -> None:
    edges = np.flatnonzero(np.diff(labels)) + 0.5
    for edge in edges:
        axis.axhline(edge, color="white", linewidth=0.5, alpha=0.7)
        axis.axvline(edge, color="white", linewidth=0.5, alpha=0.7)
    bounds = np.concatenate([[-0.5], edges, [len(labels) - 0.5]])
    middles = (bounds[:-1] + bounds[1:]) / 2
    names = labels[np.ceil(bounds[:-1]).astype(int)]
    axis.set_xticks(middles, names)
    axis.set_yticks(middles, names)
    axis.set_xlabel("sample, sorted by class")


def _spectrum(axis: Any, figure: KernelView) -> None:
    numbers = np.arange(1, len(figure.spectrum) + 1)
    positive = figure.spectrum > 0
    axis.semilogy(numbers[positive], figure.spectrum[positive], "o-", markersize=3, linewidth=1, color=COLOURS[0])
    if figure.threshold > 0 and positive.any() and figure.spectrum[positive].min() < 1e3 * figure.threshold:
        axis.axhline(figure.threshold, color=COLOURS[4], linestyle="--", linewidth=1, label="singular at or below")
        axis.legend(frameon=False)
    axis.set_title("spectrum")
    axis.set_xlabel("i")
    axis.set_ylabel("eigenvalue λ_i")
    axis.grid(alpha=0.25)


@_canvas.register
def _heat_maps(figure: HeatMaps) -> Canvas:
    count = max(1, len(figure.maps))
    rows, columns = math.ceil(count / _COLUMNS), min(_COLUMNS, count)
    names = max((len(name) for name in figure.rows), default=0)
    size = (max(_NARROWEST, 2.6 * columns + 0.09 * names + 0.8), (0.9 + 0.24 * len(figure.rows)) * rows + 0.9)
    canvas, axes = plt.subplots(rows, columns, figsize=size, sharex=True, sharey=True, squeeze=False)
    values = np.concatenate([np.ravel(each.values) for each in figure.maps] or [np.ones(1)])
    positive = values[np.isfinite(values) & (values > 0)]
    low, high = (positive.min(), positive.max()) if len(positive) else (0.1, 1.0)
    scale = mpl.colors.LogNorm(low, max(high, 1.001 * low))
    shown = mpl.cm.ScalarMappable(scale, "viridis")
    for axis, each in zip(axes.flat, figure.maps, strict=False):
        axis.imshow(each.values, cmap="viridis", norm=scale, aspect="auto")
        axis.set_title(each.title)
        axis.set_xticks(range(len(figure.columns)), figure.columns, rotation=90)
        axis.set_yticks(range(len(figure.rows)), figure.rows)
        axis.set_xlabel(figure.x_label)
        axis.tick_params(length=0, labelbottom=True)
    for axis in list(axes.flat)[len(figure.maps) :]:
        axis.set_visible(False)
    canvas.colorbar(shown, ax=axes, label=figure.colour_label)
    canvas.suptitle(figure.title)
    return canvas


@_canvas.register
def _matrix(figure: Matrix) -> Canvas:
    rows, columns = figure.values.shape
    canvas, axis = plt.subplots(figsize=(2.4 + 0.9 * columns, 1.0 + 0.34 * rows))
    shown = axis.imshow(figure.values, cmap="RdBu", vmin=-1, vmax=1, aspect="auto")
    axis.set_xticks(range(columns), figure.columns, rotation=30, ha="right")
    axis.set_yticks(range(rows), figure.rows)
    for row, column in np.ndindex(rows, columns):
        value = figure.values[row, column]
        text, dark = ("–", False) if np.isnan(value) else (f"{value:.2f}", abs(value) > _DARK)
        axis.text(column, row, text, ha="center", va="center", color="white" if dark else "black", fontsize=8)
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)
    canvas.colorbar(shown, ax=axis, label="Kendall τ")
    canvas.suptitle(figure.title)
    return canvas
