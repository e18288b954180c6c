"""The ways in which people write a cell of NAS-Bench-201, beside its index."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from ntknas.core.errors import ChoiceError
from ntknas.spaces.nb201 import naslib, transnas
from ntknas.spaces.nb201.cells import OPERATIONS, index_of_operations, parse_cell

_SIX_DIGITS = re.compile(r"[0-4]{6}")


def _string(text: str) -> tuple[str, ...] | None:
    try:
        return parse_cell(text)
    except ChoiceError:
        return None


def _digits(text: str) -> tuple[str, ...] | None:
    return tuple(OPERATIONS[int(digit)] for digit in text) if _SIX_DIGITS.fullmatch(text) else None


def _reader(parse: Callable[[str], tuple[str, ...] | None]) -> Callable[[str], int | None]:
    def read(text: str) -> int | None:
        operations = parse(text)
        return None if operations is None else index_of_operations()[operations]

    return read


_PARSERS: Mapping[str, Callable[[str], tuple[str, ...] | None]] = {
    "an architecture string": _string,
    "NASLib's tuple": naslib.parse,
    "a name of TransNAS-Bench-101": transnas.parse,
    "six operations as NASLib numbers them": naslib.parse_digits,
    "six operations as the benchmark's own code and TransNAS-Bench-101 number them": _digits,
}
ENCODINGS = MappingProxyType({name: _reader(parse) for name, parse in _PARSERS.items()})
"""By what a text is then: returns the index of its cell, ``None`` for a text that is not written so.

Six digits alone say nothing: most can be read in several ways.
"""
