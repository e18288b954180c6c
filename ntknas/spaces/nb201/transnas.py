"""Cells of NAS-Bench-201 as TransNAS-Bench-101 names its cell-level architectures: one digit for each edge.

Edges have the order of the architecture string, operations another one; there is no pooling.
"""

from __future__ import annotations

import re

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3")
"""By digit; ``skip_connect`` is a strided convolution there where a cell halves the resolution."""
_NAME = re.compile(r"(?:64-41414-)?([0-3])_([0-3]{2})_([0-3]{3})")  # base channels and skeleton are the same for all


def parse(text: str) -> tuple[str, ...] | None:
    """Return the operation on each of ``cells.EDGES``.

    Args:
        text: Such as ``64-41414-1_33_000``, or ``1_33_000`` for short.

    Returns:
        The operations; ``None`` if the text is not written so.

    Example:
        >>> parse("64-41414-1_33_000")[:3]
        ('skip_connect', 'nor_conv_3x3', 'nor_conv_3x3')
    """
    match = _NAME.fullmatch(text.strip())
    return None if match is None else tuple(OPERATIONS[int(digit)] for digit in "".join(match.groups()))
