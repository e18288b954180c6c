"""Drawings of cells: nodes on a line, arcs between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from ntknas.report.drawers.canvas import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ntknas.report.portrait import DrawnCell
    from ntknas.spaces.drawing import Drawing, Edge, Node

_DEAD, _PLAIN = "0.72", "0.35"
_OF_OPERATION = {
    "none": _DEAD,
    "skip": "0.35",
    "1×1 convolution": COLOURS[1],
    "3×3 convolution": COLOURS[0],
    "average pooling": COLOURS[2],
    "max pooling": COLOURS[2],
}
"""Colours of operations that several spaces have."""
_OTHERS = (COLOURS[0], COLOURS[1], COLOURS[2], COLOURS[3])
_HALF_WIDTH, _HALF_HEIGHT = 0.34, 0.17
"""Of a box around an operation."""
_RADIUS = 0.13
"""Of a node that only adds up."""


def draw_cell(axes: Axes, cell: DrawnCell) -> None:
    """Draw a cell into axes, dead parts grey."""
    drawing = cell.drawing
    axes.set_axis_off()
    axes.set_title(drawing.caption, fontsize="small", color="0.35")
    colours = _colours(drawing)
    for edge, note in zip(drawing.edges, cell.edge_notes, strict=True):
        _draw_edge(axes, drawing, edge, note, colours)
    for node, note in zip(drawing.nodes, cell.node_notes, strict=True):
        _draw_node(axes, node, note, colours)
    heights = [edge.bend for edge in drawing.edges]
    axes.set_xlim(min(node.x for node in drawing.nodes) - 0.5, max(node.x for node in drawing.nodes) + 0.5)
    axes.set_ylim(min([-0.45, *(h - 0.3 for h in heights)]), max([0.45, *(h + 0.3 for h in heights)]))


def _colours(drawing: Drawing) -> dict[str, str]:
    others = [name for name in drawing.operations if name not in _OF_OPERATION]
    return {**_OF_OPERATION, **{name: _OTHERS[number % len(_OTHERS)] for number, name in enumerate(others)}}


def _draw_edge(axes: Axes, drawing: Drawing, edge: Edge, note: str, colours: dict[str, str]) -> None:
    start, end = drawing.nodes[edge.source].x, drawing.nodes[edge.target].x
    colour = colours.get(edge.operation, _PLAIN) if edge.is_live else _DEAD
    curve = Path(
        [
            (start, 0.0),
            (start + (end - start) * 0.22, edge.bend * 4 / 3),
            (end - (end - start) * 0.22, edge.bend * 4 / 3),
            (end, 0.0),
        ],
        [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4],
    )
    axes.add_patch(
        FancyArrowPatch(
            path=_between(curve, drawing.nodes[edge.source], drawing.nodes[edge.target]),
            arrowstyle="-|>",
            mutation_scale=9,
            color=colour,
            linewidth=1.8 if edge.is_live else 0.9,
            linestyle="-" if edge.is_live else (0, (4, 3)),
            zorder=2,
        )
    )
    if edge.operation:
        text = f"{edge.operation}\n{note}" if note else edge.operation
        _write(axes, (start + end) / 2, edge.bend, text, colour, edge.is_live)


def _between(curve: Path, source: Node, target: Node) -> Path:
    """Return a curve without its ends, which lie in the nodes."""
    points = np.array(curve.vertices)
    steps = np.linspace(0, 1, 60)[:, None]
    line = (
        (1 - steps) ** 3 * points[0]
        + 3 * (1 - steps) ** 2 * steps * points[1]
        + 3 * (1 - steps) * steps**2 * points[2]
        + steps**3 * points[3]
    )
    outside = [not (_inside(node, x, y)) for x, y in line for node in (source,)]
    outside = [out and not _inside(target, x, y) for out, (x, y) in zip(outside, line, strict=True)]
    return Path(line[np.array(outside)])


def _inside(node: Node, x: float, y: float) -> bool:
    if node.operation:
        return abs(x - node.x) < _HALF_WIDTH + 0.03 and abs(y) < _HALF_HEIGHT + 0.03
    return (x - node.x) ** 2 + y**2 < (_RADIUS + 0.03) ** 2


def _draw_node(axes: Axes, node: Node, note: str, colours: dict[str, str]) -> None:
    colour = colours.get(node.operation, "0.2") if node.is_live else _DEAD
    if not node.operation:
        axes.plot(node.x, 0, "o", markersize=21, markerfacecolor="white", markeredgecolor=colour, zorder=3)
        axes.text(
            node.x,
            0,
            {"input": "in", "output": "out"}.get(node.name, node.name),
            ha="center",
            va="center",
            color=colour,
            fontsize="small",
            zorder=4,
        )
        return
    box = FancyBboxPatch(
        (node.x - _HALF_WIDTH, -_HALF_HEIGHT),
        2 * _HALF_WIDTH,
        2 * _HALF_HEIGHT,
        boxstyle="round,pad=0,rounding_size=0.05",
        facecolor="white",
        edgecolor=colour,
        linewidth=1.8 if node.is_live else 0.9,
        linestyle="-" if node.is_live else (0, (4, 3)),
        zorder=3,
    )
    axes.add_patch(box)
    words = node.name if "\n" in node.name else node.operation.replace(" ", "\n", 1)
    axes.text(node.x, 0, words, ha="center", va="center", fontsize="x-small", color=colour, zorder=4)
    if note:
        axes.text(node.x, -_HALF_HEIGHT - 0.05, note, ha="center", va="top", fontsize="x-small", color="0.35", zorder=4)


def _write(axes: Axes, x: float, y: float, text: str, colour: str, is_live: bool) -> None:
    axes.text(
        x,
        y,
        text,
        ha="center",
        va="center",
        fontsize="x-small",
        color=colour if is_live else "0.55",
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
        zorder=4,
    )
