"""Correlations as colours about zero, rows beside the tree that orders them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.patches import Patch

from ntknas.report.drawers.canvas import COLOURS, DIVERGING, legend_below
from ntknas.report.drawers.shown import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ntknas.report.figures import Block, OrderedMap
    from ntknas.report.look import Style

_KINDS = (*COLOURS, "#F0E442", "0.25", "0.65", "#8C564B")
"""Colours of the kinds of rows."""
_ROW, _COLUMN = 0.17, 0.31
"""Inches of a cell."""
_TREE, _STRIP, _LETTER = 0.9, 0.13, 0.066
"""Inches of the tree, of the colours beside the rows, and of a letter of a name."""
_NAME_SIZE, _NUMBER_SIZE = 7.5, 5.5
_NARROW = 4.5
"""Inches up to which a column of a paper is wide enough."""
_DARK = 0.62
"""Share of the largest magnitude from which a cell needs a light number."""
_NO_VALUE = "0.92"


def draw_ordered_map(picture: OrderedMap, style: Style) -> Figure:
    """Draw the tree, the kinds of the rows and the blocks side by side, in one scale of colours."""
    figure = Figure(figsize=_size(picture, style))
    widths = [_TREE, _STRIP, *(_COLUMN * len(block.columns) for block in picture.blocks)]
    tree, strip, *blocks = figure.subplots(1, len(widths), width_ratios=widths, squeeze=False)[0]
    scale = Normalize(-_largest(picture), _largest(picture))
    _draw_tree(tree, picture)
    _draw_kinds(strip, picture)
    for axes, block in zip(blocks, picture.blocks, strict=True):
        _draw_block(axes, block, scale)
    blocks[0].set_yticks(range(len(picture.rows)), picture.rows, fontsize=_NAME_SIZE)
    bar = figure.colorbar(
        ScalarMappable(scale, DIVERGING), ax=blocks, label=picture.colour_label, aspect=45, fraction=0.04, pad=0.015
    )
    bar.outline.set_visible(False)
    _add_legend(figure, picture)
    return figure


def _size(picture: OrderedMap, style: Style) -> tuple[float, float]:
    columns = sum(len(block.columns) for block in picture.blocks)
    names = max(map(len, picture.rows), default=0)
    above = max((len(name) for block in picture.blocks for name in block.columns), default=0)
    width = _TREE + _STRIP + _LETTER * names + _COLUMN * columns + 1.6
    height = style.height(_ROW * len(picture.rows) + _LETTER * above + 1.1)
    return style.width(width, spans=width > _NARROW), height


def _largest(picture: OrderedMap) -> float:
    """Return the magnitude at which colours are deepest: the largest of all numbers, rounded up to a tenth."""
    magnitudes = np.concatenate([np.abs(block.values).ravel() for block in picture.blocks])
    finite = magnitudes[np.isfinite(magnitudes)]
    return max(0.2, float(np.ceil(10 * finite.max(initial=0.0)) / 10))


def _draw_tree(axes: Axes, picture: OrderedMap) -> None:
    axes.set_ylim(len(picture.rows) - 0.5, -0.5)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.tick_params(labelsize=_NUMBER_SIZE)
    axes.set_yticks([])
    if picture.tree is None:
        axes.set_xticks([])
        return
    places, heights = picture.tree
    axes.plot(heights.T, places.T, color="0.35", linewidth=0.7)
    axes.set_xlim(max(0.01, 1.02 * float(heights.max())), 0)
    axes.set_xlabel(picture.tree_label, fontsize=_NAME_SIZE)


def _colours(picture: OrderedMap) -> dict[str, str]:
    kinds = list(dict.fromkeys(sorted(picture.kinds)))
    return {kind: _KINDS[number % len(_KINDS)] for number, kind in enumerate(kinds)}


def _draw_kinds(axes: Axes, picture: OrderedMap) -> None:
    """Draw a colour beside each row that says what it is."""
    colours = _colours(picture)
    axes.barh(range(len(picture.rows)), 1, height=1, color=[colours[kind] for kind in picture.kinds])
    axes.set_ylim(len(picture.rows) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.set_axis_off()


def _draw_block(axes: Axes, block: Block, scale: Normalize) -> None:
    axes.set_facecolor(_NO_VALUE)
    axes.imshow(block.values, cmap=DIVERGING, norm=scale, aspect="auto", interpolation="nearest")
    axes.set_xticks(range(len(block.columns)), block.columns, rotation=90, fontsize=_NAME_SIZE)
    axes.set_yticks([])
    axes.tick_params(length=0, labelbottom=False, labeltop=True)
    axes.set_xlabel(block.title, fontsize=_NAME_SIZE)
    axes.spines[:].set_visible(False)
    for row, column in np.ndindex(block.values.shape):
        _write(axes, column, row, float(block.values[row, column]), scale)


def _write(axes: Axes, x: int, y: int, value: float, scale: Normalize) -> None:
    is_dark = scale.vmax is not None and abs(value) > _DARK * scale.vmax
    text = "×" if np.isnan(value) else f"{value:.2f}".replace("-0.00", "0.00").replace("0.", ".").replace("-", "−")
    axes.text(x, y, text, ha="center", va="center", color="white" if is_dark else "0.15", fontsize=_NUMBER_SIZE)


def _add_legend(figure: Figure, picture: OrderedMap) -> None:
    legend_below(figure, {kind: Patch(color=colour) for kind, colour in _colours(picture).items() if kind})
