"""The keys of NAS-Bench-Macro in lexicographic order, and which of them are one network."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ntknas.core.errors import ChoiceError
from ntknas.core.quoting import quoted
from ntknas.core.shown import Shown

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

STAGES = (2, 3, 3)
"""Layers of each stage; the first one halves the image and doubles the channels."""
LENGTH = sum(STAGES)
IDENTITY = "0"


class Residual(NamedTuple):
    """An inverted residual: its depthwise kernel, and how much wider it is inside than its input."""

    kernel: int
    expansion: int


RESIDUALS = {"1": Residual(3, 3), "2": Residual(5, 6)}
OPERATIONS = (IDENTITY, *RESIDUALS)
SIZE = len(OPERATIONS) ** LENGTH
_BOUNDS = (0, *accumulate(STAGES))
_KEY = re.compile(f"[{''.join(OPERATIONS)}]{{{LENGTH}}}")


@dataclass(frozen=True, repr=False)
class Key(Shown):
    """One architecture; prints as its digits.

    Attributes:
        index: Place in lexicographic order.
        digits: One for each layer: 0 identity, 1 inverted residual of kernel 3 and expansion 3, 2 of kernel 5 and
            expansion 6.
    """

    index: int
    digits: str

    def __str__(self) -> str:
        return self.digits

    def _line(self) -> str:
        return f"nb-macro {self.index}: {self}"

    def _parts(self) -> list[Element]:
        from ntknas.spaces.nb_macro.drawing import drawing_of  # which knows cells itself
        from ntknas.spaces.svg import as_svg

        return [as_svg(drawing_of(self.digits))]


def at(index: int) -> Key:
    """Return the key of an index: the index written in base 3."""
    return Key(index, np.base_repr(index, len(OPERATIONS)).zfill(LENGTH))


def parse(text: str) -> int:
    """Return the index of a key.

    Args:
        text: Such as ``22212220``.

    Raises:
        ChoiceError: If the text is not a key.
    """
    digits = text.strip()
    if not _KEY.fullmatch(digits):
        raise ChoiceError(
            f"Not a key of NAS-Bench-Macro: {quoted(text)}. Expected {LENGTH} digits among {', '.join(OPERATIONS)}, "
            "zeros in front included, such as 00012220."
        )
    return int(digits, len(OPERATIONS))


def stages(digits: str) -> tuple[str, ...]:
    """Return the layers of each stage that are there: an identity is nothing, but where it changes the image's size.

    Equal for keys that are one network, and for no others.

    Example:
        >>> stages("00012021")
        ('0', '012', '021')
    """
    return tuple(digits[first] + digits[first + 1 : end].replace(IDENTITY, "") for first, end in pairwise(_BOUNDS))


def representative(digits: str) -> int:
    """Return the smallest index of a key that is the same network: identities come first among a stage's later layers.

    The benchmark's authors trained each network once, under the key whose identities come last (``get_real_arch`` of
    the official code), and wrote its record under every key of it.
    """
    there = zip(stages(digits), STAGES, strict=True)
    return parse("".join(stage[0] + stage[1:].rjust(length - 1, IDENTITY) for stage, length in there))
