"""What an object says of itself: one line anywhere, and in a notebook a little more."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ntknas.core.display import printable

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from ntknas.core import html

MAX_LINE = 360
"""Letters of a line: whatever is longer was written by a file."""


class Shown:
    """An object with a line of its own in place of a dataclass's dump, and with HTML for notebooks.

    Nothing is computed for either that is not there already or costs next to nothing. A dataclass that is one is made
    with ``repr=False``.
    """

    @abstractmethod
    def _line(self) -> str:
        """Return what it is, its size and where it came from, in one line."""

    def _facts(self) -> Mapping[str, html.Child]:
        """Return what a notebook shows of it, by name."""
        return {}

    def _parts(self) -> Iterable[Element]:
        """Return what a notebook shows below: tables, drawings, remarks."""
        return ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({shortened(self._line())})"

    def _repr_html_(self) -> str:
        from ntknas.core import html  # commands that show no HTML need no parser of XML

        said = html.element("p", html.element("b", type(self).__name__), f" {self._line()}", style="margin: 0.3em 0;")
        facts = self._facts()
        return html.as_html(html.element("div", said, html.facts(facts) if facts else None, *self._parts()))


def shortened(text: str, limit: int = MAX_LINE) -> str:
    """Return a text on one line, safe to print, and cut where it is too long."""
    line = printable(text)
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def in_digits(value: float | None, digits: int = 4) -> str:
    """Return a number in few digits; a dash for none.

    Example:
        >>> in_digits(1234567.0), in_digits(-0.25), in_digits(15625), in_digits(None)
        ('1.235e+06', '-0.25', '15,625', '–')
    """
    if value is None or math.isnan(value):
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.{digits}g}"


def counted(count: int, one: str, several: str = "") -> str:
    """Return how many there are of something.

    Example:
        >>> counted(1, "cell"), counted(15625, "cell"), counted(2, "probe drawn", "probes drawn")
        ('1 cell', '15,625 cells', '2 probes drawn')
    """
    return f"{count:,} {one if count == 1 else several or f'{one}s'}"


def listed(names: Iterable[object], most: int = 4) -> str:
    """Return names in a row, the first few of many.

    Example:
        >>> listed("abcdef"), listed(["a"])
        ('a, b, c, d and 2 more', 'a')
    """
    texts = [str(name) for name in names]
    if len(texts) <= most + 1:
        return ", ".join(texts)
    return f"{', '.join(texts[:most])} and {len(texts) - most:,} more"
