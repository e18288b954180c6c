"""Portraits: one cell or network on one page."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import TwoSlopeNorm
from matplotlib.patches import Rectangle

from ntknas.report.drawers.canvas import COLOURS
from ntknas.report.drawers.cells import draw_cell
from ntknas.report.drawers.shown import Figure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes

    from ntknas.report.look import Style
    from ntknas.report.portrait import ChangeMap, Dot, Portrait, ShareBars

_WIDTH = 11.0
_OF_KIND = {"accuracy": COLOURS[4], "count": "0.45", "measure": COLOURS[0]}
_SERIES = (COLOURS[0], COLOURS[1], COLOURS[2])
_SPECTRA = (COLOURS[0], COLOURS[4], "0.45")


def draw_portrait(portrait: Portrait, style: Style) -> Figure:
    """Draw the panels that there are, from the cell at the top to its neighbourhood at the foot."""
    rows = _rows(portrait)
    heights = [height for height, _ in rows]
    figure = Figure(figsize=(style.width(_WIDTH), style.height(sum(heights) + 1.0)), layout="constrained")
    parts = np.atleast_1d(np.array(figure.subfigures(len(rows), 1, height_ratios=heights), dtype=object))
    for part, (_, panels) in zip(parts, rows, strict=True):
        widths = [width for width, _ in panels]
        axes = part.subplots(1, len(panels), width_ratios=widths, squeeze=False)[0]
        for each, (_, draw) in zip(axes, panels, strict=True):
            draw(each)
    figure.suptitle(f"{portrait.title}\n{portrait.text}" if portrait.text else portrait.title, fontsize="medium")
    figure.supxlabel(portrait.note, fontsize="x-small", color="0.35")
    return figure


_Panel = tuple[float, "Callable[[Axes], None]"]


def _rows(portrait: Portrait) -> list[tuple[float, list[_Panel]]]:
    """Return the rows of panels with their heights, each panel with its width and what draws it."""
    top: list[_Panel] = []
    cell, shares = portrait.cell, portrait.shares
    if cell is not None:
        top.append((1.5, lambda axes: draw_cell(axes, cell)))
    if portrait.dots:
        top.append((1.0, lambda axes: _draw_dots(axes, portrait.dots, portrait.dots_title)))
    middle: list[_Panel] = []
    if shares is not None:
        middle.append((1.5, lambda axes: _draw_shares(axes, shares)))
    if portrait.spectra:
        middle.append((1.0, lambda axes: _draw_spectra(axes, portrait)))
    last: list[_Panel] = [(1.0, partial(_draw_changes, change=change)) for change in portrait.changes]
    dots_height = 0.17 * len(portrait.dots) + 0.7
    places = max([len(change.places) for change in portrait.changes], default=0)
    rows = [(max(2.6 if cell else 0.0, dots_height), top), (2.9, middle), (0.28 * places + 1.0, last)]
    return [(height, panels) for height, panels in rows if panels]


def _draw_dots(axes: Axes, dots: Sequence[Dot], title: str) -> None:
    rows = np.arange(len(dots))[::-1]
    for row, dot in zip(rows, dots, strict=True):
        colour = _OF_KIND[dot.kind]
        axes.plot([0, 100], [row, row], color="0.9", linewidth=0.8, zorder=1)
        axes.plot(dot.percentile, row, "o", color=colour, markersize=5, zorder=3)
        axes.text(103, row, dot.text, va="center", fontsize="x-small", color="0.3")
    axes.axvline(50, color="0.85", linewidth=0.8, zorder=0)
    axes.set_yticks(rows, [dot.name for dot in dots], fontsize="x-small")
    axes.set_xlim(-2, 102)
    axes.set_xticks([0, 25, 50, 75, 100])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("percentile among all cells (100 is the best)", fontsize="small")
    axes.set_title(title)


def _draw_shares(axes: Axes, shares: ShareBars) -> None:
    """Draw a group of bars for each block."""
    places = np.arange(len(shares.blocks))
    width = 0.8 / len(shares.names)
    for number, (name, values) in enumerate(zip(shares.names, shares.values, strict=True)):
        offset = (number - (len(shares.names) - 1) / 2) * width
        axes.bar(places + offset, 100 * values, width, color=_SERIES[number % len(_SERIES)], label=name)
    axes.set_xticks(places, shares.blocks, rotation=90 if len(places) > 6 else 0, fontsize="x-small")
    axes.tick_params(axis="x", length=0)
    axes.set_ylabel("share in %")
    axes.set_title("what layers add to the kernel, computed here")
    axes.grid(axis="y", alpha=0.25)
    axes.set_axisbelow(True)
    axes.legend(frameon=False, fontsize="x-small")


def _draw_spectra(axes: Axes, portrait: Portrait) -> None:
    for line, colour in zip(portrait.spectra, _SPECTRA, strict=False):
        positive = line.y > 0
        width = 1.0 if line.muted else 1.8
        axes.semilogy(line.x[positive], line.y[positive], color=colour, linewidth=width, label=line.name)
    if portrait.threshold is not None:
        axes.axhline(portrait.threshold, color="0.5", linestyle="--", linewidth=0.8, label="singular at or below")
    axes.set_xlabel("number of the eigenvalue")
    axes.set_ylabel("eigenvalue")
    axes.set_title(portrait.spectra_title)
    axes.grid(alpha=0.25)
    if len(portrait.spectra) > 1 or portrait.threshold is not None:
        axes.legend(frameon=False, fontsize="x-small")


def _draw_changes(axes: Axes, change: ChangeMap) -> None:
    """Draw a map of changes, colours diverging about zero, the cell's own choices framed."""
    reach = max(float(np.nanmax(np.abs(change.values), initial=0.0)), 1e-9)
    axes.set_facecolor("0.94")
    axes.imshow(change.values, cmap="RdBu", norm=TwoSlopeNorm(0, -reach, reach), aspect="auto")
    for row, column in np.ndindex(change.values.shape):
        value = change.values[row, column]
        if np.isfinite(value):
            text = _signed(float(value), change.decimals) + " =" * bool(change.same[row, column])
            colour = "white" if abs(value) > 0.6 * reach else "0.15"
            axes.text(column, row, text, ha="center", va="center", fontsize="x-small", color=colour)
    for row, column in enumerate(change.own):
        axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor="0.2", linewidth=1.2))
    axes.set_xticks(range(len(change.choices)), [_short(name) for name in change.choices], fontsize="x-small")
    axes.set_yticks(range(len(change.places)), change.places, fontsize="x-small")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(change.title, fontsize="small")
    axes.set_xlabel(_legend(change), fontsize="x-small", color="0.35")


def _signed(value: float, decimals: int) -> str:
    """Return a change with its sign; nothing has none."""
    text = f"{value:+.{decimals}f}".replace("-", "−")
    return text if text.strip("+−0.") else "0"


def _legend(change: ChangeMap) -> str:
    return "framed: the cell's own choice" + "; =: the same network" * bool(change.same.any())


def _short(choice: str) -> str:
    """Return an operation in words that fit over a column."""
    return choice.replace("convolution", "conv.").replace(" ", "\n")
