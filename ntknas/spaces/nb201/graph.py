"""What the graph of a cell alone tells: which edges lie on a path, and the published isomorphism string."""

from __future__ import annotations

from functools import lru_cache

from ntknas.spaces.nb201.cells import EDGES, OUTPUT_NODE, published_order


def is_disconnected(operations: tuple[str, ...]) -> bool:
    """Return whether no path of edges other than ``none`` leads from the input to the output."""
    return OUTPUT_NODE not in _reached(operations)


def live_edges(operations: tuple[str, ...]) -> tuple[bool, ...]:
    """Return for each edge whether it is no ``none`` and lies on a path from the input to the output.

    A convolution whose input is always zero lies on none, though its BatchNorm has a shift that training can move.
    """
    reached, reaching = _reached(operations), {OUTPUT_NODE}
    for operation, (source, target) in reversed(list(zip(operations, EDGES, strict=True))):
        if operation != "none" and target in reaching:
            reaching.add(source)
    return tuple(
        operation != "none" and source in reached and target in reaching
        for operation, (source, target) in zip(operations, EDGES, strict=True)
    )


def _reached(operations: tuple[str, ...]) -> set[int]:
    """Return the nodes that something comes to from the input; edges are listed by their target."""
    reached = {0}
    for operation, (source, target) in zip(operations, EDGES, strict=True):
        if operation != "none" and source in reached:
            reached.add(target)
    return reached


def isomorphism_string(operations: tuple[str, ...], *, drop_zero_edges: bool = True) -> str:
    """Return the published isomorphism string: equal for cells that the benchmark's authors call isomorphic.

    Every node is the sorted sum of its inputs, written out recursively; ``skip_connect`` is transparent.
    The rule merges a convolution that is shared by two paths with two separate ones, so cells with one string can
    be different functions; ``identity`` has the identities that do not.

    Args:
        operations: The operation on each edge.
        drop_zero_edges: Whether an edge ``none``, or any edge out of a zero node, becomes ``#``: 6,466 strings, the
            published count. Without it ``none`` is an operation like others: 12,751 strings.

    Source:
        ``Structure.to_unique_str`` of the official NAS-Bench-201 code.
    """
    terms: dict[int, list[str]] = {node: [] for node in range(1, OUTPUT_NODE + 1)}
    strings = {0: "0"}
    for operation, (source, target) in zip(operations, EDGES, strict=True):
        if source not in strings:
            strings[source] = "+".join(sorted(terms[source]))
        terms[target].append(_edge_string(operation, strings[source], drop_zero_edges))
    return "+".join(sorted(terms[OUTPUT_NODE]))


def _edge_string(operation: str, source: str, drop_zero_edges: bool) -> str:
    if drop_zero_edges and (operation == "none" or source == "#"):
        return "#"
    return source if operation == "skip_connect" else f"({source})@{operation}"


@lru_cache(maxsize=1)
def isomorphism_representatives() -> tuple[int, ...]:
    """Return for every cell the smallest index among the cells with its published isomorphism string."""
    first: dict[str, int] = {}
    strings = map(isomorphism_string, published_order())
    return tuple(first.setdefault(string, index) for index, string in enumerate(strings))
