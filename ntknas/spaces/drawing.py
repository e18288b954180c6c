"""How a cell is drawn: nodes on a line, edges between them, what they do, and whether they lie on a path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Protocol, runtime_checkable

from ntknas.spaces.contract import CellLike, Space

NONE, SKIP, POOLING, MAX_POOLING = "none", "skip", "average pooling", "max pooling"
CONVOLUTION_1, CONVOLUTION_3 = "1×1 convolution", "3×3 convolution"
"""What operations are called, alike in all spaces."""


@dataclass(frozen=True)
class Node:
    """A node of a drawing.

    Attributes:
        name: What stands in it.
        x: Its place on the line.
        operation: What it does; empty for a node that only adds up.
        is_live: Whether something comes through it from the input to the output.
        part: Path below which its layers stand within a cell of the network, such as ``vertices.1``; empty for none.
    """

    name: str
    x: float
    operation: str = ""
    is_live: bool = True
    part: str = ""


@dataclass(frozen=True)
class Edge:
    """An edge from one node to another.

    Attributes:
        source: Number of the node that it comes from.
        target: Number of the node that it leads to.
        bend: How far its middle lies above the line, in units of it; below where negative.
        operation: What it does; empty for an edge that only leads on.
        is_live: Whether it lies on a path from the input to the output.
        part: As of a node, such as ``edges.0``.
    """

    source: int
    target: int
    bend: float = 0.0
    operation: str = ""
    is_live: bool = True
    part: str = ""


@dataclass(frozen=True)
class Drawing:
    """A drawing of a cell.

    Attributes:
        nodes: From left to right.
        edges: Between them.
        operations: All that the space has, in the order of their colours.
        caption: What repeats it, or leads to it, in one line.
    """

    nodes: Sequence[Node]
    edges: Sequence[Edge]
    operations: Sequence[str]
    caption: str = ""

    @property
    def parts(self) -> list[str]:
        """The parts of all nodes and edges that have one, each once."""
        return [part for part in dict.fromkeys(self._all_parts()) if part]

    def _all_parts(self) -> list[str]:
        return [*(node.part for node in self.nodes), *(edge.part for edge in self.edges)]

    def as_json(self) -> dict[str, object]:
        """Return it as plain data."""
        return asdict(self)


@runtime_checkable
class Drawable(Protocol):
    """What a space whose cells can be drawn offers beside the contract."""

    def drawing(self, cell: CellLike, /) -> Drawing:
        """Return the drawing of a cell."""
        ...


def drawing_of(space: Space, cell: int) -> Drawing | None:
    """Return the drawing of a cell; ``None`` where its space has none.

    Args:
        space: The space.
        cell: Index of the cell.
    """
    return space.drawing(space[cell]) if isinstance(space, Drawable) else None


def bends(edges: Iterable[tuple[int, int]]) -> Mapping[tuple[int, int], float]:
    """Return how edges between nodes on a line bend, so that few of them cross.

    Edges to the next node are straight. Any other is an arc over the line or under it, the higher the longer it is, on
    the side where it crosses fewer of those before it: shorter ones come first, so that they lie inside.

    Args:
        edges: Source and target of each, which is behind the source.

    Returns:
        The bend of each.
    """
    placed: dict[tuple[int, int], float] = {}
    for source, target in sorted(edges, key=lambda edge: (edge[1] - edge[0], edge)):
        length = target - source
        if length == 1:
            placed[source, target] = 0.0
            continue
        crossings = {side: _crossings(placed, source, target, side) for side in (1, -1)}
        side = 1 if crossings[1] <= crossings[-1] else -1
        placed[source, target] = side * (0.3 + 0.32 * length)
    return placed


def _crossings(placed: Mapping[tuple[int, int], float], source: int, target: int, side: int) -> int:
    """Return how many arcs on a side a new one would cross, and prefer a side that is less used."""
    arcs = [edge for edge, bend in placed.items() if bend * side > 0]
    crossing = sum(a < source < b < target or source < a < target < b for a, b in arcs)
    return len(placed) * crossing + len(arcs)


def chain(blocks: Sequence[Node], operations: Sequence[str], caption: str = "") -> Drawing:
    """Return the drawing of nodes that follow one another."""
    edges = [Edge(number, number + 1) for number in range(len(blocks) - 1)]
    return Drawing(blocks, edges, operations, caption)
