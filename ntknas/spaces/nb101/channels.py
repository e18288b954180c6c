"""How the channels of a module are divided among its vertices."""

from __future__ import annotations

from ntknas.core.errors import ChoiceError
from ntknas.spaces.nb101.cells import Matrix


def vertex_channels(matrix: Matrix, inputs: int, outputs: int) -> list[int]:
    """Return the channels of every vertex, by the published rule.

    The output is the concatenation of the inner vertices that lead to it: they share its channels equally, the first
    ones taking one more where the division has a remainder. Every other inner vertex has as many channels as the widest
    inner vertex that it feeds.

    Raises:
        ChoiceError: If there are fewer channels than vertices that share them.

    Source:
        ``model_builder.compute_vertex_channels`` of the official NAS-Bench-101 code.
    """
    last = len(matrix) - 1
    channels = [inputs, *[0] * (last - 1), outputs]
    sharing = [v for v in range(1, last) if matrix[v][last]]
    if len(sharing) > outputs:
        raise ChoiceError(
            f"{len(sharing)} vertices of this cell share the channels of its output: "
            f"`channels` must be at least {len(sharing)}, got {outputs}."
        )
    for position, v in enumerate(sharing):
        share, remainder = divmod(outputs, len(sharing))
        channels[v] = share + (position < remainder)
    for v in range(last - 2, 0, -1):
        if not matrix[v][last]:
            channels[v] = max(channels[w] for w in range(v + 1, last) if matrix[v][w])
    return channels
