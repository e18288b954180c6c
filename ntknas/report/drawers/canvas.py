"""What the drawers share: the style, and figures with panels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
"""Okabe and Ito's palette, which colour-blind readers can tell apart."""
STYLE: dict[str, bool | str | int] = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": "medium",
    "font.size": 9,
    "figure.constrained_layout.use": True,
    "savefig.dpi": 130,
}
COLUMNS = 4
MIN_WIDTH = 7.0
"""Inches, for heading and legend."""


@dataclass(frozen=True)
class Panels:
    """A figure and its axes, row by row."""

    figure: Figure
    rows: list[list[Axes]]

    @classmethod
    def make(
        cls, rows: int, columns: int, size: tuple[float, float], *, share_x: bool = False, share_y: bool = False
    ) -> Panels:
        """Return an empty figure of some width and height in inches."""
        figure = Figure(figsize=size)  # not pyplot's, which keeps every figure and chooses a backend
        axes = figure.subplots(rows, columns, sharex=share_x, sharey=share_y, squeeze=False)
        return cls(figure, [list(row) for row in axes])

    def __iter__(self) -> Iterator[Axes]:
        """Yield the axes from left to right, the upper row first."""
        return (axes for row in self.rows for axes in row)

    def hide_from(self, count: int) -> None:
        """Hide all axes but the first ``count``."""
        for axes in list(self)[count:]:
            axes.set_visible(False)


def single(size: tuple[float, float]) -> tuple[Figure, Axes]:
    """Return an empty figure with one pair of axes."""
    figure = Figure(figsize=size)
    return figure, figure.subplots()
