"""The drawing of a cell: four nodes, and an operation on each of the six edges."""

from __future__ import annotations

from ntknas.spaces import drawing
from ntknas.spaces.drawing import Drawing, Edge, Node
from ntknas.spaces.nb201.cells import EDGES
from ntknas.spaces.nb201.graph import live_edges

WORDS = {
    "none": drawing.NONE,
    "skip_connect": drawing.SKIP,
    "nor_conv_1x1": drawing.CONVOLUTION_1,
    "nor_conv_3x3": drawing.CONVOLUTION_3,
    "avg_pool_3x3": drawing.POOLING,
}
"""What operations are called."""
_NODES = ("input", "1", "2", "output")


def drawing_of(operations: tuple[str, ...]) -> Drawing:
    """Return the drawing of the cell with these operations."""
    live, bends = live_edges(operations), drawing.bends(EDGES)
    edges = [
        Edge(*ends, bends[ends], WORDS[operation], is_live, f"edges.{number}")
        for number, (ends, operation, is_live) in enumerate(zip(EDGES, operations, live, strict=True))
    ]
    reached = {node for edge in edges if edge.is_live for node in (edge.source, edge.target)}
    nodes = [Node(name, float(x), is_live=x in reached) for x, name in enumerate(_NODES)]
    return Drawing(nodes, edges, tuple(WORDS.values()), "each stage repeats the cell; reductions between stages")
