"""Panels side by side with one row per label, as bars and dots have them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ntknas.report.drawers.canvas import Panels
from ntknas.report.drawers.lettering import broken, points

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ntknas.report.figures import Array
    from ntknas.report.look import Style

AROUND = 0.75
"""Inches of a panel's axis and heading."""
_MARGIN = 0.03
"""Share of an axis that stays empty at its ends."""


class RowPanels:
    """Panels that share their rows and their horizontal axis, whose name and ticks stand below the lowest ones.

    Args:
        count: How many.
        inches: Height of all rows.
        style: How it looks.

    Attributes:
        panels: The panels; those beyond ``count`` are hidden.
    """

    def __init__(self, count: int, inches: float, style: Style):
        shown = max(1, count)
        self._count = count
        self._columns = min(shown, style.columns - 1)
        rows = math.ceil(shown / self._columns)
        self._width = style.width(2.4 * self._columns + 1.6, spans=self._columns > 1)
        size = (self._width, rows * style.height(AROUND + inches))
        self.panels = Panels.make(rows, self._columns, size, share_x=True, share_y=True)

    def head(self, axes: Axes, title: str) -> None:
        """Set the heading of a panel, in lines that are as wide as it is."""
        size = points("small")
        lines = broken(self.panels.figure, title, size, 0.75 * self._width / self._columns)
        axes.set_title("\n".join(lines), fontsize=size)

    def finish(self, x_label: str) -> None:
        """Hide what holds nothing, and name the horizontal axis below the lowest panels."""
        self.panels.hide_from(self._count)
        for number, axes in enumerate(self.panels):
            is_lowest = number + self._columns >= self._count
            axes.tick_params(labelbottom=is_lowest)
            axes.set_xlabel(x_label if is_lowest else "")


def heights_of(labels: Sequence[str]) -> Array:
    """Return where the rows of labels lie, the first one on top."""
    return np.arange(len(labels), dtype=np.float64)[::-1]


def reach(values: Iterable[Array]) -> tuple[float, float, float]:
    """Return the ends of what is drawn, zero included, and the margin beyond.

    Args:
        values: Everything that is drawn; what is no finite number is not.
    """
    drawn = np.concatenate([[0.0], *values])
    finite = drawn[np.isfinite(drawn)]
    low, high = float(finite.min()), float(finite.max())
    return low, high, _MARGIN * ((high - low) or 1.0)
