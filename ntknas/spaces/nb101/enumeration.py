"""All cells of NAS-Bench-101, enumerated.

A cell is an isomorphism class of labelled graphs; its representative is the first that the official enumeration meets:
the smallest (matrix number, operations). For graphs without labels that is a minimum over the renumberings of the
inner vertices; of the labellings of such a graph, the smallest under its automorphisms.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations, product

import numpy as np

from ntknas.spaces.nb101.cells import MAX_EDGES, MAX_VERTICES, OPERATIONS, Matrix, decode_matrix, edge_bit, module_hash

COUNTS = {2: 1, 3: 6, 4: 84, 5: 2_441, 6: 62_010, 7: 359_082}
"""The published number of cells by vertices."""


@dataclass(frozen=True)
class Representatives:
    """The representatives with one number of vertices.

    Attributes:
        vertices: Number of vertices, input and output included.
        bits: Matrix number of each cell.
        labels: Operation numbers of the inner vertices, cells × inner vertices.
    """

    vertices: int
    bits: np.ndarray
    labels: np.ndarray


def full_graphs(vertices: int) -> np.ndarray:
    """Return the numbers of all matrices with at most nine edges and every vertex between input and output."""
    bits = np.arange(1 << vertices * (vertices - 1) // 2, dtype=np.uint32)
    bits = bits[np.bitwise_count(bits) <= MAX_EDGES]
    for vertex in range(vertices):
        sources = sum(1 << edge_bit(source, vertex) for source in range(vertex))
        targets = sum(1 << edge_bit(vertex, target) for target in range(vertex + 1, vertices))
        for needed in (sources, targets):
            if needed:
                bits = bits[bits & needed != 0]
    return bits


def renumber(bits: np.ndarray, vertices: int, order: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Renumber the inner vertices of graphs.

    Args:
        bits: Matrix numbers.
        vertices: Number of vertices.
        order: The old inner vertices in their new order.

    Returns:
        The new matrix numbers, and whether all edges still lead from earlier to later vertices.
    """
    old = (0, *order, vertices - 1)
    renumbered, valid = np.zeros_like(bits), np.ones(len(bits), dtype=bool)
    for target in range(vertices):
        for source in range(target):
            edge = (old[source], old[target])
            present = bits >> np.uint32(edge_bit(min(edge), max(edge))) & np.uint32(1)
            if edge[0] < edge[1]:
                renumbered |= present << np.uint32(edge_bit(source, target))
            else:
                valid &= present == 0
    return renumbered, valid


def representatives(vertices: int) -> Representatives:
    """Return the representatives of all cells with some number of vertices."""
    bits = full_graphs(vertices)
    inner = list(range(1, vertices - 1))
    orders = list(permutations(inner))
    smallest, automorphic = bits.copy(), np.zeros((len(bits), len(orders)), dtype=bool)
    for number, order in enumerate(orders):
        renumbered, valid = renumber(bits, vertices, order)
        smallest = np.where(valid, np.minimum(smallest, renumbered), smallest)
        automorphic[:, number] = valid & (renumbered == bits)
    first = smallest == bits
    bits, automorphic = bits[first], automorphic[first]
    labels = np.array(list(product(range(len(OPERATIONS)), repeat=len(inner))), dtype=np.uint8)
    rank = (3 ** np.arange(len(inner))[::-1]).astype(np.int64)
    is_first = np.ones((len(bits), len(labels)), dtype=bool)
    for number, order in enumerate(orders):
        smaller = labels[:, np.array(order, dtype=int) - 1] @ rank < labels @ rank
        is_first &= ~(automorphic[:, number, None] & smaller[None, :])
    graph, labelling = np.nonzero(is_first)
    return Representatives(vertices, bits[graph], labels[labelling])


def enumerate_cells() -> Iterator[tuple[bytes, int, int, int]]:
    """Yield (hash, vertices, matrix number, operations in base 3 lowest first) of all cells, by number of vertices."""
    for vertices in range(2, MAX_VERTICES + 1):
        first = representatives(vertices)
        powers = (len(OPERATIONS) ** np.arange(vertices - 2)).astype(np.int64)
        matrix: Matrix = ()
        last = -1
        for bits, labels in zip(first.bits.tolist(), first.labels.tolist(), strict=True):
            if bits != last:
                matrix, last = decode_matrix(bits, vertices), bits
            digest = module_hash(matrix, tuple(OPERATIONS[label] for label in labels))
            yield bytes.fromhex(digest), vertices, bits, sum(int(p) * v for p, v in zip(powers, labels, strict=True))
