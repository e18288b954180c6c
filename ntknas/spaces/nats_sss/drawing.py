"""The drawing of a configuration: its blocks one after the other, with their channels."""

from __future__ import annotations

from ntknas.spaces.drawing import Drawing, Node, chain

_BLOCKS = ("stage 1", "reduction", "stage 2", "reduction", "stage 3")
_OPERATIONS = ("stage", "reduction")


def drawing_of(channels: tuple[int, ...]) -> Drawing:
    """Return the drawing of a configuration with these channels."""
    nodes = [
        Node(f"{block}\n{width} channels", float(number), _OPERATIONS[number % 2])
        for number, (block, width) in enumerate(zip(_BLOCKS, channels, strict=True))
    ]
    return chain(nodes, _OPERATIONS, "every stage is the same cell of 3×3 convolutions, at its own number of channels")
