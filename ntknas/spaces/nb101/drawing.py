"""The drawing of a cell: an operation in each vertex; the output puts its inputs side by side."""

from __future__ import annotations

from ntknas.spaces import drawing
from ntknas.spaces.drawing import Drawing, Edge, Node
from ntknas.spaces.nb101.cells import Cell

WORDS = {
    "conv3x3-bn-relu": drawing.CONVOLUTION_3,
    "conv1x1-bn-relu": drawing.CONVOLUTION_1,
    "maxpool3x3": drawing.MAX_POOLING,
}
"""What operations are called."""
_PROJECTION = "what comes from the input passes a 1×1 convolution; each stack repeats the module"


def drawing_of(cell: Cell) -> Drawing:
    """Return the drawing of a cell; what comes from the input is projected on its way."""
    last = len(cell.matrix) - 1
    ends = [(x, y) for x, row in enumerate(cell.matrix) for y, is_edge in enumerate(row) if is_edge]
    bends = drawing.bends(ends)
    edges = [Edge(x, y, bends[x, y], part="" if x else f"projections.{y}") for x, y in ends]
    inner = [
        Node(str(v), float(v), WORDS[operation], part=f"vertices.{v}") for v, operation in enumerate(cell.operations, 1)
    ]
    nodes = [Node("input", 0.0), *inner, Node("output", float(last))]
    return Drawing(nodes, edges, tuple(WORDS.values()), _PROJECTION)
