"""The drawings of cells, packed: what thousands of them share is kept once."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ntknas.spaces import Space
from ntknas.spaces.drawing import Drawing, Edge, Node, drawing_of


def packed_drawings(space: Space, cells: Iterable[int]) -> dict[str, object] | None:
    """Return the drawings of cells, packed; ``None`` where their space has none.

    Args:
        space: The space.
        cells: The cells.
    """
    drawings = [drawing_of(space, cell) for cell in cells]
    there = [drawing for drawing in drawings if drawing is not None]
    return pack(there) if len(there) == len(drawings) else None


def pack(drawings: Iterable[Drawing]) -> dict[str, object]:
    """Return drawings, packed.

    A shape is where nodes and edges are. A cell has its shape's number, and a code for each node and then each edge:
    twice the number of its operation, where 0 is none at all, and 1 more if it lies on a path.

    Args:
        drawings: The drawings.

    Returns:
        Shapes and operations, and by drawing the shape, the codes and where they begin.
    """
    shapes: dict[tuple[object, ...], int] = {}
    operations: dict[str, int] = {"": 0}
    of_cell: list[int] = []
    codes: list[int] = []
    starts: list[int] = []
    for drawing in drawings:
        for name in drawing.operations:
            operations.setdefault(name, len(operations))
        parts: list[Node | Edge] = [*drawing.nodes, *drawing.edges]
        of_cell.append(shapes.setdefault(_shape(drawing), len(shapes)))
        starts.append(len(codes))
        codes += [2 * operations.setdefault(part.operation, len(operations)) + part.is_live for part in parts]
    return {
        "shapes": [{"nodes": nodes, "edges": edges} for nodes, edges in shapes],
        "operations": list(operations),
        "shape": np.array(of_cell, np.int64),
        "codes": np.array(codes, np.int64),
        "starts": np.array(starts, np.int64),
    }


def _shape(drawing: Drawing) -> tuple[object, ...]:
    nodes = tuple((node.name, node.x) for node in drawing.nodes)
    return nodes, tuple((edge.source, edge.target, edge.bend) for edge in drawing.edges)
