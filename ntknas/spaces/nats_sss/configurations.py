"""The channel configurations of the size space and their published order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntknas.core.errors import ChoiceError
from ntknas.core.quoting import quoted
from ntknas.core.shown import Shown

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

CANDIDATES = (8, 16, 24, 32, 40, 48, 56, 64)
PLACES = 5
SIZE = len(CANDIDATES) ** PLACES
CELL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"
"""The NAS-Bench-201 cell that every network of the space repeats."""


@dataclass(frozen=True, repr=False)
class Configuration(Shown):
    """One architecture; prints as its channels joined by colons.

    Attributes:
        index: Index in the published order.
        channels: Channels after the stem and first cell, first reduction, second cell, second reduction, third cell.
    """

    index: int
    channels: tuple[int, ...]

    def __str__(self) -> str:
        return ":".join(map(str, self.channels))

    def _line(self) -> str:
        return f"nats-sss {self.index}: {self}"

    def _parts(self) -> list[Element]:
        from ntknas.spaces.nats_sss.drawing import drawing_of  # which knows cells itself
        from ntknas.spaces.svg import as_svg

        return [as_svg(drawing_of(self.channels))]


def at(index: int) -> Configuration:
    """Return the configuration of an index: the last number changes fastest."""
    digits = []
    quotient = index
    for _ in range(PLACES):
        quotient, digit = divmod(quotient, len(CANDIDATES))
        digits.append(digit)
    return Configuration(index, tuple(CANDIDATES[digit] for digit in reversed(digits)))


def parse(text: str) -> int:
    """Return the index of a configuration.

    Args:
        text: Such as ``8:16:24:32:64``.

    Raises:
        ChoiceError: If the text is not a configuration.
    """
    widths = text.strip().split(":")
    digits = {str(candidate): digit for digit, candidate in enumerate(CANDIDATES)}
    if len(widths) != PLACES or any(width not in digits for width in widths):
        raise ChoiceError(
            f"Not a configuration of the NATS-Bench size space: {quoted(text)}. Expected {PLACES} numbers among "
            f"{', '.join(digits)} joined by ':', such as 8:16:24:32:64."
        )
    index = 0
    for width in widths:
        index = index * len(CANDIDATES) + digits[width]
    return index
