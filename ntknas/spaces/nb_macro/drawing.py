"""The drawing of a key: its layers one after the other."""

from __future__ import annotations

from ntknas.spaces import drawing
from ntknas.spaces.drawing import Drawing, Node
from ntknas.spaces.nb_macro.keys import IDENTITY, RESIDUALS, STAGES

_HALVING = "1×1 convolution"
WORDS = {IDENTITY: "identity", **{digit: f"{r.kernel}×{r.kernel}, ×{r.expansion}" for digit, r in RESIDUALS.items()}}
"""What the digits of a key are called: depthwise kernel of an inverted residual, and how much wider it is inside."""


def drawing_of(digits: str) -> Drawing:
    """Return the drawing of a key; an identity that changes no shape is nothing, and drawn as dead."""
    nodes: list[Node] = []
    start = 0
    for stage, length in enumerate(STAGES):
        place = 0
        for offset, digit in enumerate(digits[start : start + length]):
            is_there = digit != IDENTITY or offset == 0
            part = f"stages.{stage}.{place}" if is_there else ""
            nodes.append(Node(str(start + offset + 1), float(start + offset), _word(digit, offset), is_there, part))
            place += is_there
        start += length
    words = (*dict.fromkeys((*WORDS.values(), _HALVING)),)
    return drawing.chain(nodes, words, f"layers 1, 3 and 6 halve the image; stages of {', '.join(map(str, STAGES))}")


def _word(digit: str, offset: int) -> str:
    return _HALVING if digit == IDENTITY and offset == 0 else WORDS[digit]
