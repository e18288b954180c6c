"""NAS-Bench-101 cells, their published hash and the ways in which they are written down."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING

from ntknas.core.errors import ChoiceError
from ntknas.core.quoting import quoted
from ntknas.core.shown import Shown

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

OPERATIONS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
MAX_VERTICES = 7
MAX_EDGES = 9
_MAX_WRITTEN = 32  # vertices of a matrix that may be written down, before those that lead nowhere are removed
_ENDS = ("input", "output")
_HASH = re.compile(r"[0-9a-f]{32}")
_EXAMPLE = (
    "a module hash such as 00005c142e6f48ac74fdcf73e3439874, or a matrix row by row and operations such as "
    "'011 001 000: input,conv3x3-bn-relu,output'"
)

Matrix = tuple[tuple[int, ...], ...]
"""Upper triangular: row x, column y is 1 for the edge x → y; vertex 0 is the input, the last one the output."""


@dataclass(frozen=True, repr=False)
class Cell(Shown):
    """One architecture; prints as its published hash.

    Attributes:
        index: Place in the order of the hashes.
        hash: The published module hash, 32 hexadecimal digits.
        matrix: Adjacency matrix without vertices that do not lie between input and output.
        operations: Operation at each inner vertex.
    """

    index: int
    hash: str
    matrix: Matrix
    operations: tuple[str, ...]

    def __str__(self) -> str:
        return self.hash

    def _line(self) -> str:
        return f"nb101 {self.index}: {self}"

    def _parts(self) -> list[Element]:
        from ntknas.spaces.nb101.drawing import drawing_of  # which knows cells itself
        from ntknas.spaces.svg import as_svg

        return [as_svg(drawing_of(self))]


def edge_bit(source: int, target: int) -> int:
    """Return the place of the edge source → target in the number that encodes a matrix."""
    return source + target * (target - 1) // 2


def decode_matrix(bits: int, vertices: int) -> Matrix:
    """Return the matrix that a number encodes; see ``edge_bit``."""
    return tuple(
        tuple(int(source < target and bits >> edge_bit(source, target) & 1) for target in range(vertices))
        for source in range(vertices)
    )


def encode_matrix(matrix: Matrix) -> int:
    """Return the number that encodes a matrix; see ``edge_bit``."""
    return sum(
        1 << edge_bit(source, target) for source, row in enumerate(matrix) for target, edge in enumerate(row) if edge
    )


def module_hash(matrix: Matrix, operations: tuple[str, ...]) -> str:
    """Return the published hash: equal for isomorphic cells, different for all others of this space.

    Every vertex starts with the MD5 of (out-degree, in-degree, label), with labels −1, operation number, −2; in as
    many rounds as there are vertices it takes in the sorted hashes of its neighbours; the cell's hash is that of the
    sorted list.

    Source:
        ``graph_util.hash_module`` of the official NAS-Bench-101 code.
    """
    labels = [-1, *(OPERATIONS.index(operation) for operation in operations), -2]
    size = range(len(matrix))
    sources = [[x for x in size if matrix[x][y]] for y in size]
    targets = [[y for y in size if matrix[x][y]] for x in size]
    # Of the tuple as Python prints it, as is the list below: published hashes depend on each space and quote.
    hashes = [_md5(str((len(targets[v]), len(sources[v]), labels[v]))) for v in size]
    for _ in size:
        hashes = [
            _md5(
                "".join(sorted([hashes[w] for w in sources[v]]))
                + "|"
                + "".join(sorted([hashes[w] for w in targets[v]]))
                + "|"
                + hashes[v]
            )
            for v in size
        ]
    return _md5(str(sorted(hashes)))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()  # without the flag FIPS builds refuse


def prune(matrix: Matrix, operations: tuple[str, ...]) -> tuple[Matrix, tuple[str, ...]]:
    """Remove the vertices that do not lie on a path from input to output.

    Returns:
        The matrix and the inner operations that are left.

    Raises:
        ChoiceError: If there is no such path.
    """
    last = len(matrix) - 1
    ahead, behind = {0}, {last}
    for y in range(1, last + 1):
        if any(matrix[x][y] for x in ahead):
            ahead.add(y)
    for x in range(last - 1, -1, -1):
        if any(matrix[x][y] for y in behind):
            behind.add(x)
    vertices = sorted(ahead & behind)
    if vertices[:1] != [0] or vertices[-1] != last:
        raise ChoiceError("Not a NAS-Bench-101 cell: no path leads from the input to the output.")
    return (
        tuple(tuple(matrix[x][y] for y in vertices) for x in vertices),
        tuple(operations[v - 1] for v in vertices[1:-1]),
    )


def canonical(matrix: Matrix, operations: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
    """Return the first representative of a cell: the smallest (matrix number, operations) over all its numberings.

    It is the one that the official enumeration meets first, and the one whose channel counts the table holds.
    """
    inner = range(1, len(matrix) - 1)
    labels = [OPERATIONS.index(operation) for operation in operations]
    best: tuple[int, list[int]] | None = None
    for order in permutations(inner):
        renumbered = {0: 0, len(matrix) - 1: len(matrix) - 1, **{v: new for new, v in enumerate(order, start=1)}}
        edges = [(renumbered[x], renumbered[y]) for x, row in enumerate(matrix) for y, edge in enumerate(row) if edge]
        if all(x < y for x, y in edges):
            candidate = (sum(1 << edge_bit(x, y) for x, y in edges), [labels[vertex - 1] for vertex in order])
            best = candidate if best is None else min(best, candidate)
    assert best is not None
    return best[0], tuple(OPERATIONS[label] for label in best[1])


def parse_cell(text: str) -> str:
    """Return the hash of a written cell.

    Args:
        text: A module hash; or the rows of a matrix, a colon and the operations from ``input`` to ``output``.
            Vertices that do not lie between input and output are removed, and the space's limits hold for the rest, as
            in the official ``ModelSpec``.

    Raises:
        ChoiceError: If the text is neither.
    """
    text = text.strip().lower()
    if _HASH.fullmatch(text):
        return text
    rows, colon, names = text.partition(":")
    digits, operations = re.sub(r"\s", "", rows), tuple(name.strip() for name in names.split(","))
    if not colon:
        raise ChoiceError(_not_a_cell(text, "neither a hash nor a matrix with operations"))
    return module_hash(*check_limits(*prune(*read_module(digits, operations))))


def read_module(digits: str, names: tuple[str, ...]) -> tuple[Matrix, tuple[str, ...]]:
    """Return matrix and inner operations as they are written, of however many vertices and edges.

    Args:
        digits: The matrix row by row, ``0`` and ``1``.
        names: Operations from ``input`` to ``output``.

    Raises:
        ChoiceError: If they are no directed acyclic graph with an operation at each vertex.
    """
    size = len(names)
    written = f"{digits}: {','.join(names)}"
    if not 2 <= size <= _MAX_WRITTEN or len(digits) != size * size or set(digits) - {"0", "1"}:
        raise ChoiceError(
            _not_a_cell(written, "a matrix of as many rows and columns as there are operations is needed")
        )
    matrix = tuple(tuple(int(digit) for digit in digits[x * size : (x + 1) * size]) for x in range(size))
    if (names[0], names[-1]) != _ENDS:
        raise ChoiceError(_not_a_cell(written, f"the first operation is {_ENDS[0]}, the last one {_ENDS[1]}"))
    if any(matrix[x][y] for x in range(size) for y in range(x + 1)):
        raise ChoiceError(_not_a_cell(written, "edges must lead from earlier to later vertices"))
    return matrix, names[1:-1]


def check_limits(matrix: Matrix, operations: tuple[str, ...]) -> tuple[Matrix, tuple[str, ...]]:
    """Return a cell whose vertices all lie between input and output, if it is one of this space.

    Raises:
        ChoiceError: If it has too many vertices or edges, or unknown operations.
    """
    written = ", ".join(operations)
    if len(matrix) > MAX_VERTICES:
        raise ChoiceError(
            _not_a_cell(
                written, f"at most {MAX_VERTICES} vertices between input and output, both included, are allowed"
            )
        )
    if any(name not in OPERATIONS for name in operations):
        raise ChoiceError(_not_a_cell(written, f"operations are input, any of {', '.join(OPERATIONS)}, and output"))
    if sum(map(sum, matrix)) > MAX_EDGES:
        raise ChoiceError(_not_a_cell(written, f"at most {MAX_EDGES} edges are allowed"))
    return matrix, operations


def _not_a_cell(text: str, why: str) -> str:
    return f"Not a NAS-Bench-101 cell: {quoted(text)}: {why}. Expected {_EXAMPLE}."
