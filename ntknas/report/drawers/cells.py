"""Drawings of cells: nodes on a line, arcs between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch
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
    "identity": "0.35",
}
"""Colours of operations that several spaces have."""
_OTHERS = (COLOURS[0], COLOURS[3], COLOURS[2], COLOURS[4])
_HALF_WIDTH, _HALF_HEIGHT = 0.36, 0.27
"""Of a box around an operation."""
_RADIUS = 0.15
"""Of a node that only adds up."""
_GAP = 0.03
"""Between the end of an arrow and a node."""
_DASHES = (0, (4, 3))
_STEPS = 60
"""Points of an arc."""
_ENDS = {"input": "in", "output": "out"}


def draw_cell(axes: Axes, cell: DrawnCell) -> None:
    """Draw a cell into axes, dead parts grey."""
    drawing = cell.drawing
    axes.set_axis_off()
    axes.set_aspect("equal")
    axes.set_title(drawing.caption, fontsize="small", color="0.35")
    colours = _colours(drawing)
    for edge, note in zip(drawing.edges, cell.edge_notes, strict=True):
        _draw_edge(axes, drawing, edge, note, colours)
    for node, note in zip(drawing.nodes, cell.node_notes, strict=True):
        _draw_node(axes, node, note, colours)
    bends = [edge.bend for edge in drawing.edges]
    places = [node.x for node in drawing.nodes]
    axes.set_xlim(min(places) - 0.45, max(places) + 0.45)
    axes.set_ylim(min([-0.5, *(bend - 0.3 for bend in bends)]), max([0.4, *(bend + 0.2 for bend in bends)]))


def _colours(drawing: Drawing) -> dict[str, str]:
    others = [name for name in drawing.operations if name not in _OF_OPERATION]
    return {**_OF_OPERATION, **{name: _OTHERS[number % len(_OTHERS)] for number, name in enumerate(others)}}


def _draw_edge(axes: Axes, drawing: Drawing, edge: Edge, note: str, colours: dict[str, str]) -> None:
    source, target = drawing.nodes[edge.source], drawing.nodes[edge.target]
    colour = colours.get(edge.operation, _PLAIN) if edge.is_live else _DEAD
    width, dashes = (1.8, "-") if edge.is_live else (0.9, _DASHES)
    arrow = FancyArrowPatch(
        path=_arc(source, target, edge.bend),
        arrowstyle="-|>",
        mutation_scale=9,
        color=colour,
        linewidth=width,
        linestyle=dashes,
        zorder=2,
    )
    axes.add_patch(arrow)
    middle, colour = (source.x + target.x) / 2, colour if edge.is_live else "0.55"
    if edge.bend:
        _write(axes, (middle, edge.bend), "\n".join(filter(None, [edge.operation, note])), colour, "center")
    else:  # the line is short: words stand over it and below, not on it
        _write(axes, (middle, 0.06), edge.operation.replace(" ", "\n", 1), colour, "bottom")
        below = _HALF_HEIGHT if source.operation or target.operation else 0
        _write(axes, (middle, -0.06 - below), note, colour, "top")


def _arc(source: Node, target: Node, bend: float) -> Path:
    """Return an arc between two nodes, without its ends, which lie in them."""
    shift = 0.22 * (target.x - source.x)
    points = np.array(
        [(source.x, 0), (source.x + shift, bend * 4 / 3), (target.x - shift, bend * 4 / 3), (target.x, 0)]
    )
    t = np.linspace(0, 1, _STEPS)[:, None]
    weights = np.hstack([(1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3])
    line = weights @ points
    return Path(line[[not _is_inside(source, x, y) and not _is_inside(target, x, y) for x, y in line]])


def _is_inside(node: Node, x: float, y: float) -> bool:
    if node.operation:
        return abs(x - node.x) < _HALF_WIDTH + _GAP and abs(y) < _HALF_HEIGHT + _GAP
    return bool((x - node.x) ** 2 + y**2 < (_RADIUS + _GAP) ** 2)


def _draw_node(axes: Axes, node: Node, note: str, colours: dict[str, str]) -> None:
    colour = colours.get(node.operation, "0.2") if node.is_live else _DEAD
    if not node.operation:
        circle = Circle((node.x, 0), _RADIUS, facecolor="white", edgecolor=colour, linewidth=1.2, zorder=3)
        axes.add_patch(circle)
        _write(axes, (node.x, 0), _ENDS.get(node.name, node.name), colour, "center")
        return
    box = FancyBboxPatch(
        (node.x - _HALF_WIDTH, -_HALF_HEIGHT),
        2 * _HALF_WIDTH,
        2 * _HALF_HEIGHT,
        boxstyle="round,pad=0,rounding_size=0.05",
        facecolor="white",
        edgecolor=colour,
        linewidth=1.8 if node.is_live else 0.9,
        linestyle="-" if node.is_live else _DASHES,
        zorder=3,
    )
    axes.add_patch(box)
    words = node.name if "\n" in node.name else node.operation.replace(" ", "\n", 1)
    _write(axes, (node.x, 0), "\n".join(filter(None, [words, note])), colour, "center", on_white=False)


def _write(
    axes: Axes, place: tuple[float, float], text: str, colour: str, vertical: str, *, on_white: bool = True
) -> None:
    if text:
        under = {"facecolor": "white", "edgecolor": "none", "pad": 1.0} if on_white else None
        axes.text(*place, text, ha="center", va=vertical, fontsize="x-small", color=colour, bbox=under, zorder=4)
