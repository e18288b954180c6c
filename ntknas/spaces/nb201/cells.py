"""NAS-Bench-201 cells, their architecture strings and their published order."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

from ntknas.core.errors import ChoiceError
from ntknas.core.quoting import quoted
from ntknas.core.shown import Shown

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

# In the official order, which published_order shuffles: another one gives every cell another index.
OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
"""The edges source → target, in the order of the architecture string; node 0 is the input, node 3 the output."""
OUTPUT_NODE = 3

_ORDER_SEED = 88  # the official generator shuffles the product of operations with this seed
_EDGE = re.compile(r"(?P<op>[a-z0-9_]+)~(?P<source>\d)")
_EXAMPLE = (
    "|nor_conv_3x3~0|+|skip_connect~0|none~1|+|none~0|avg_pool_3x3~1|nor_conv_1x1~2|, or as NASLib writes it like "
    "(2, 0, 1, 1, 4, 3)"
)


@dataclass(frozen=True, repr=False)
class Cell(Shown):
    """One architecture.

    Attributes:
        index: Place in the published order.
        operations: The operation on each of ``EDGES``.
    """

    index: int
    operations: tuple[str, ...]

    def __str__(self) -> str:
        return format_cell(self.operations)

    def _line(self) -> str:
        return f"nb201 {self.index}: {self}"

    def _parts(self) -> list[Element]:
        from ntknas.spaces.nb201.drawing import drawing_of  # which knows cells itself
        from ntknas.spaces.svg import as_svg

        return [as_svg(drawing_of(self.operations))]


def format_cell(operations: tuple[str, ...]) -> str:
    """Write six operations as an architecture string."""
    nodes = [
        "".join(f"|{op}~{source}" for op, (source, node) in zip(operations, EDGES, strict=True) if node == target) + "|"
        for target in range(1, OUTPUT_NODE + 1)
    ]
    return "+".join(nodes)


def parse_cell(text: str) -> tuple[str, ...]:
    """Read an architecture string.

    Args:
        text: Such as ``|nor_conv_3x3~0|+|skip_connect~0|none~1|+|none~0|avg_pool_3x3~1|nor_conv_1x1~2|``.

    Returns:
        The operation on each of ``EDGES``.

    Raises:
        ChoiceError: If the text is not the string of a cell.
    """
    nodes = text.strip().split("+")
    if len(nodes) != OUTPUT_NODE:
        raise ChoiceError(_not_a_cell(text, f"{OUTPUT_NODE} nodes joined by '+', got {len(nodes)}"))
    return tuple(op for number, node in enumerate(nodes, start=1) for op in _parse_node(text, node, number))


def _parse_node(text: str, node: str, number: int) -> list[str]:
    edges = node.split("|")
    if len(edges) != number + 2 or edges[0] or edges[-1]:
        raise ChoiceError(_not_a_cell(text, f"node {number} to hold {number} edge(s) between '|', got {quoted(node)}"))
    return [_parse_edge(text, edge, source) for source, edge in enumerate(edges[1:-1])]


def _parse_edge(text: str, edge: str, source: int) -> str:
    match = _EDGE.fullmatch(edge)
    if match is None or int(match["source"]) != source:
        raise ChoiceError(_not_a_cell(text, f"an edge 'operation~{source}', got {quoted(edge)}"))
    if match["op"] not in OPERATIONS:
        raise ChoiceError(_not_a_cell(text, f"an operation among {', '.join(OPERATIONS)}, got {quoted(match['op'])}"))
    return match["op"]


def _not_a_cell(text: str, expected: str) -> str:
    return f"Not a NAS-Bench-201 cell: {quoted(text)}. Expected {expected}. A cell looks like {_EXAMPLE}"


@lru_cache(maxsize=1)
def published_order() -> tuple[tuple[str, ...], ...]:
    """Return the operations of all 15,625 cells in the order of the benchmark's files."""
    cells = list(product(OPERATIONS, repeat=len(EDGES)))
    random.Random(_ORDER_SEED).shuffle(cells)  # noqa: S311  (an order, not a secret)
    return tuple(cells)


@lru_cache(maxsize=1)
def index_of_operations() -> dict[tuple[str, ...], int]:
    """Return the place of every cell in the published order."""
    return {operations: index for index, operations in enumerate(published_order())}
