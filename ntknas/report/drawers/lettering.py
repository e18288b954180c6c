"""How much room letters take: texts in lines, and entries of a legend side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib.font_manager import FontProperties

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WORDS = re.compile(r"(?:[^\s$\\]|\\.|(?<!\\)\$[^$]*\$)+")
"""Words, which a line may be broken between: not within a formula."""

_SURE = 0.98
"""Share of a line that is filled: letters are set on whole pixels, and take a little more at another resolution."""


def points(size: str | float) -> float:
    """Return the points of a size of letters, such as ``small``, in the style that is drawn in."""
    return float(FontProperties(size=size).get_size_in_points())


def widths(figure: Figure, texts: Sequence[str], size: float) -> list[float]:
    """Return the inches that texts take side by side.

    Args:
        figure: The figure that they are for.
        texts: The texts.
        size: Points of their letters.
    """
    probe = figure.text(0, 0, "", fontsize=size)
    found = []
    for text in texts:
        probe.set_text(text)
        found.append(float(probe.get_window_extent().width) / figure.dpi)
    probe.remove()
    return found


def broken(figure: Figure, text: str, size: float, width: float) -> list[str]:
    """Return a text in lines of some width; none of an empty text.

    Args:
        figure: The figure that it is for.
        text: The text; formulas stay whole.
        size: Points of its letters.
        width: Inches of a line.
    """
    room = _SURE * width * figure.dpi
    probe = figure.text(0, 0, "", fontsize=size)
    lines: list[str] = []
    for paragraph in filter(None, text.split("\n")):
        line = ""
        for word in _WORDS.findall(paragraph):
            longer = f"{line} {word}" if line else word
            probe.set_text(longer)
            if line and probe.get_window_extent().width > room:
                lines.append(line)
                longer = word
            line = longer
        lines.append(line)
    probe.remove()
    return lines


def short(value: float) -> str:
    """Return a number in three digits; from ten thousand on, or below a thousandth, with a power of ten."""
    if value == 0 or 1e-3 <= abs(value) < 1e4:
        text = f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
        return text.replace("-", "−")
    digits, power = f"{value:.2e}".split("e")
    digits = digits.rstrip("0").rstrip(".")
    times = "" if digits == "1" else rf"{digits}\times"
    return rf"${times}10^{{{int(power)}}}$"
