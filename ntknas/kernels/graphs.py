"""What the graph of a forward pass tells about a network: functions with a backward of their own, lower precision."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction
from torch.autograd.graph import Node

from ntknas.core.errors import KernelError


def nodes(output: Tensor) -> Iterator[Node]:
    """Yield the nodes of an output's graph, each once."""
    visited: set[Node] = set()
    waiting = [output.grad_fn]  # no recursion: graphs are deeper than Python's stack
    while waiting:
        node = waiting.pop()
        if node is None or node in visited:
            continue
        visited.add(node)
        yield node
        waiting += [following for following, _ in node.next_functions]


def own_functions(output: Tensor) -> list[str]:
    """Return the names of the ``autograd.Function`` classes in a graph."""
    names = {type(node).__name__ for node in nodes(output) if isinstance(node, BackwardCFunction)}
    return sorted(name.removesuffix("Backward") for name in names)


def check_precision(output: Tensor, precision: torch.dtype) -> None:
    """Check that a network computes in the precision of its parameters all the way.

    Raises:
        KernelError: If it does not: the rows would have another precision than they are said to have.
    """
    for node in nodes(output):
        computed = _precision_of(node)
        if computed is not None and torch.finfo(computed).eps > torch.finfo(precision).eps:
            remedy = (
                "Convert the network and x to float32"
                if computed == torch.float32
                else "Take autocast, .half() and .bfloat16() out of its forward"
            )
            raise KernelError(
                f"The network computes in {computed} on the way ({node.name().removesuffix('Backward0')}), and its "
                f"parameters are {precision}: the rows of J would have the lower precision. {remedy}."
            )


def _precision_of(node: Node) -> torch.dtype | None:
    """Return the precision of what an operation computed, or ``None`` if these are no real or complex numbers."""
    # The input of a backward node has the type of what the operation returned.
    dtypes: list[torch.dtype] = [entry.dtype for entry in getattr(node, "_input_metadata", ())[:1]]
    if not dtypes or not (dtypes[0].is_floating_point or dtypes[0].is_complex):
        return None
    return dtypes[0].to_real()
