"""Cells of NAS-Bench-201 as NASLib and NAS-Bench-Suite-Zero write them: six numbers of operations.

Operations and edges have another order than in the architecture string: leaving that out still gives a cell, only the
wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ntknas.spaces.nb201.cells import EDGES

OPERATIONS = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")
_EDGES = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
_TUPLE = re.compile(r"\((?P<round>[\d\s,]+)\)|\[(?P<square>[\d\s,]+)\]")
_DIGITS = re.compile(r"[0-4]{6}")
_NUMBERS = re.compile(r"\s*[0-4]\s*(?:,\s*[0-4]\s*){5}")


def parse(text: str) -> tuple[str, ...] | None:
    """Return the operation on each of ``cells.EDGES``.

    Args:
        text: Such as ``(4, 0, 3, 1, 4, 3)``, in round or square brackets. Six digits alone are not taken: they could
            be an index, or number the operations in another order.

    Returns:
        The operations; ``None`` if the text is not written so.

    Example:
        >>> parse("(4, 3, 3, 0, 0, 0)")[:3]
        ('avg_pool_3x3', 'nor_conv_1x1', 'skip_connect')
    """
    bracketed = _TUPLE.fullmatch(text.strip())
    numbers = (bracketed["round"] or bracketed["square"]) if bracketed else ""
    return _operations(numbers.split(",")) if _NUMBERS.fullmatch(numbers) else None


def parse_digits(text: str) -> tuple[str, ...] | None:
    """Return the operation on each of ``cells.EDGES`` of six digits without anything between them."""
    return _operations(text) if _DIGITS.fullmatch(text) else None


def _operations(digits: Sequence[str]) -> tuple[str, ...]:
    by_edge = dict(zip(_EDGES, (OPERATIONS[int(digit)] for digit in digits), strict=True))
    return tuple(by_edge[edge] for edge in EDGES)
