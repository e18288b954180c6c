"""Drawings of cells as SVG, which a notebook shows: in its own colours of text, light and dark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from xml.etree.ElementTree import Element

from ntknas.core.html import element
from ntknas.spaces.drawing import NONE, SKIP, Drawing, Edge, Node

_COLOURS = ("#2f8fd6", "#d68f00", "#12a47b", "#c96fa2", "#de6a2c", "#56b4e9")
"""Okabe and Ito's, those that are dark on black or pale on white a little nearer to the middle."""
_DEAD, _INK = "#8c8c8c", "currentColor"
_STEP, _MARGIN, _ARC = 128.0, 56.0, 50.0
"""Units between two nodes, beside the outer ones, and of a bend of one."""
_RADIUS, _LINE_HEIGHT, _SIZE = 13.0, 13.0, 11
_MAX_WIDTH = 760
_HALO = (
    "paint-order: stroke; stroke-width: 4px; "
    "stroke: var(--jp-layout-color0, var(--vscode-editor-background, transparent));"
)
"""Around texts, in the background of the notebook where it has a name."""


def as_svg(drawing: Drawing) -> Element:
    """Return a drawing: nodes on a line with arcs between them, and what they do; grey and dashed what lies on no path.

    Args:
        drawing: The drawing.

    Returns:
        The element, with its caption.
    """
    bends = [edge.bend for edge in drawing.edges]
    middle = 2 * _LINE_HEIGHT + max([_RADIUS, *(bend * _ARC for bend in bends)])
    below = 2 * _LINE_HEIGHT + max([_RADIUS + 2 * _LINE_HEIGHT, *(-bend * _ARC for bend in bends)])
    width, height = 2 * _MARGIN + _STEP * max(node.x for node in drawing.nodes), middle + below
    colours = _colours(drawing)
    parts = [
        *(part for edge in drawing.edges for part in _edge(drawing, edge, middle, colours)),
        *(part for node in drawing.nodes for part in _node(node, middle, colours)),
    ]
    shown = min(width, _MAX_WIDTH)
    box = {"viewBox": f"0 0 {width:g} {height:g}", "style": f"width: {shown:g}px; max-width: 100%; height: auto;"}
    picture = element("svg", *parts, role="img", font_size=_SIZE, font_family="sans-serif", **box)
    return element("figure", picture, element("figcaption", drawing.caption, style="opacity: 0.7;"), style="margin: 0;")


def _colours(drawing: Drawing) -> dict[str, str]:
    """Return the colours of operations, by their places among those that do something."""
    coloured = [name for name in drawing.operations if name not in (NONE, SKIP)]
    return {name: _COLOURS[place % len(_COLOURS)] for place, name in enumerate(coloured)}


def _edge(drawing: Drawing, edge: Edge, middle: float, colours: dict[str, str]) -> list[Element]:
    start, end = (_MARGIN + _STEP * drawing.nodes[number].x for number in (edge.source, edge.target))
    top = 2 * _ARC * edge.bend  # an arc reaches half as far as the point that bends it
    half = (end - start) / 2
    shift = _RADIUS / math.hypot(half, top)
    x, y = half * shift, middle - top * shift
    line = {"d": f"M{start + x:.1f} {y:.1f} Q{start + half:.1f} {middle - top:.1f} {end - x:.1f} {y:.1f}"}
    look: dict[str, str | float] = {"stroke": colours.get(edge.operation, _INK), "stroke_width": 2.5}
    if not edge.is_live:
        look = {"stroke": _DEAD, "stroke_width": 1.2, "stroke_dasharray": "4 4"}
    height = middle - top / 2 - (6 if edge.bend >= 0 else -14)
    words = [edge.operation] if edge.operation else []
    return [element("path", fill="none", **line, **look), *_texts(words, start + half, height, is_live=edge.is_live)]


def _node(node: Node, middle: float, colours: dict[str, str]) -> list[Element]:
    at = _MARGIN + _STEP * node.x
    colour = colours.get(node.operation, _INK) if node.is_live else _DEAD
    look: dict[str, str | float] = {"fill": colour, "fill_opacity": 0.15, "stroke": colour, "stroke_width": 2}
    names = node.name.split("\n")
    inside = [names.pop(0)] if len(names[0]) < 3 else []
    words = names if any(node.operation in name for name in names) else [*names, *_wrapped(node.operation)]
    return [
        element("circle", cx=at, cy=middle, r=_RADIUS, **look),
        *_texts(inside, at, middle + 4, is_live=node.is_live),
        *_texts(words, at, middle + _RADIUS + _LINE_HEIGHT, is_live=node.is_live),
    ]


def _wrapped(operation: str) -> list[str]:
    return operation.split(" ", 1) if len(operation) > 12 else [operation]


def _texts(lines: Sequence[str], x: float, y: float, *, is_live: bool) -> list[Element]:
    """Return lines of a text, the first at a height."""
    fill = _INK if is_live else _DEAD
    return [
        element("text", line, x=x, y=y + _LINE_HEIGHT * place, text_anchor="middle", fill=fill, style=_HALO)
        for place, line in enumerate(lines)
    ]
