"""Figure specifications: what a figure shows, without saying how it is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntknas.core.errors import KernelError
from ntknas.core.kernel import Kernel
from ntknas.report.kernel_words import kernel_in_words, of_spectrum
from ntknas.report.text import Formula

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
ENTRY = Formula("entry $K_{ij}$")
"""What the colours of a kernel mean."""

AXES = {
    "linear": "values as they are",
    "log": "logarithms of positive values",
    "negative log": "logarithms of the magnitudes of negative values",
    "rank": "evenly spaced by rank, so that a few values do not take the room of all others; the ticks say values",
}
"""How values lie along an axis."""


@dataclass(frozen=True)
class Panel:
    """One cloud of points.

    Attributes:
        title: Heading.
        x: Horizontal values.
        y: Vertical values.
        x_label: Name of the horizontal axis.
        note: A line under the heading.
        x_scale: A key of ``AXES``.
        is_muted: Whether to draw it in a quieter shade, such as a baseline.
    """

    title: str
    x: Array
    y: Array
    x_label: str
    note: str = ""
    x_scale: str = "linear"
    is_muted: bool = False


@dataclass(frozen=True)
class ScatterGrid:
    """Clouds of points that share their vertical axis.

    Attributes:
        title: Heading of the figure.
        y_label: Name of the vertical axis.
        panels: The clouds.
        setting: With what it was measured, in words.
        y_scale: A key of ``AXES``.
    """

    title: str
    y_label: str
    panels: Sequence[Panel]
    setting: str = ""
    y_scale: str = "linear"


@dataclass(frozen=True)
class BarGroup:
    """Bars of one series, such as one target.

    Attributes:
        name: Name in the legend.
        values: Length of each bar; NaN for none.
        low: Lower ends of the intervals; NaN for none.
        high: Upper ends.
        limit: A line to compare with, such as the noise ceiling.
    """

    name: str
    values: Array
    low: Array
    high: Array
    limit: float | None = None


@dataclass(frozen=True)
class Bars:
    """Horizontal bars with intervals, one row per label.

    Attributes:
        title: Heading of the figure.
        x_label: Name of the horizontal axis.
        labels: Names of the rows.
        groups: The series.
        muted: Labels to draw in a quieter shade, such as baselines.
        setting: With what it was measured, in words.
        muted_name: What these are, for the legend.
        shown_name: What the others are, where they have no kinds.
        kinds: What each row is, which its colour says; all are of one kind without it.
        is_apart: Whether each group has a panel of its own, and its bars the colours of their kinds; else the bars of a
            row stand below one another, in the colours of their groups.
        limit_name: What the limits of the groups are.
        bounds: What no value can be below and above; nothing is drawn beyond.
    """

    title: str
    x_label: str
    labels: Sequence[str]
    groups: Sequence[BarGroup]
    muted: frozenset[str] = frozenset()
    setting: str = ""
    muted_name: str = ""
    shown_name: str = ""
    kinds: Sequence[str] = ()
    is_apart: bool = False
    limit_name: str = "noise ceiling"
    bounds: tuple[float, float] | None = None


@dataclass(frozen=True)
class DotSeries:
    """Values with intervals, one in each row.

    Attributes:
        name: Name in the legend.
        values: The values; NaN for none.
        low: Lower ends of the intervals; NaN for none.
        high: Upper ends.
    """

    name: str
    values: Array
    low: Array
    high: Array


@dataclass(frozen=True)
class DotPanel:
    """Series in one frame.

    Attributes:
        title: Heading.
        series: The series.
        level: A value of the last series to compare its others with, or ``None``.
    """

    title: str
    series: Sequence[DotSeries]
    level: float | None = None


@dataclass(frozen=True)
class DotGrid:
    """Dots with intervals, one row per label, in panels side by side.

    Attributes:
        title: Heading of the figure.
        x_label: Name of the horizontal axes.
        labels: Names of the rows.
        panels: The panels.
        bounds: What no value can be below and above; nothing is drawn beyond.
        setting: With what it was measured, in words.
    """

    title: str
    x_label: str
    labels: Sequence[str]
    panels: Sequence[DotPanel]
    bounds: tuple[float, float] | None = None
    setting: str = ""


@dataclass(frozen=True)
class Line:
    """One curve.

    Attributes:
        name: Name in the legend.
        x: Horizontal values.
        y: Vertical values; NaN for none.
        low: Lower ends of the intervals, or ``None``.
        high: Upper ends, or ``None``.
        muted: Whether to draw it in a quieter shade, such as a baseline.
        wide: Whether to draw it broad and pale below the others, such as a bound that a curve may lie on.
        behind: Whether to draw it thin and pale behind the others, such as all that a panel is not about.
    """

    name: str
    x: Array
    y: Array
    low: Array | None = None
    high: Array | None = None
    muted: bool = False
    wide: bool = False
    behind: bool = False


@dataclass(frozen=True)
class LinePanel:
    """Curves in one frame.

    Attributes:
        title: Heading.
        lines: The curves.
        level: A horizontal line to compare with, or ``None``.
        y_scale: ``linear`` or ``log``.
        limits: Ends of the vertical axis, or ``None`` for all that is drawn.
        y_label: Name of its vertical axis, where that is not the figure's.
    """

    title: str
    lines: Sequence[Line]
    level: float | None = None
    y_scale: str = "linear"
    limits: tuple[float, float] | None = None
    y_label: str = ""


@dataclass(frozen=True)
class LineGrid:
    """Panels of curves with one legend.

    Attributes:
        title: Heading of the figure.
        x_label: Name of the horizontal axes.
        y_label: Name of the vertical axes.
        panels: The panels.
        x_scale: ``linear``, ``log``, or ``symlog`` where the first value is zero.
        share_y: Whether the panels share one vertical axis.
        ordered: Whether the names are in an order, such as widths, which their colours then say.
        setting: With what it was measured, in words.
        columns: Panels side by side, where a row of them belongs together; ``None`` for as many as fit.
    """

    title: str
    x_label: str
    y_label: str
    panels: Sequence[LinePanel]
    x_scale: str = "linear"
    share_y: bool = True
    ordered: bool = False
    setting: str = ""
    columns: int | None = None


@dataclass(frozen=True)
class KernelStrip:
    """One kernel at several moments, in one colour scale.

    Attributes:
        title: Heading of the figure.
        names: Heading of each moment.
        matrices: The kernel at each, n×n, brought to a common scale by the caller.
        labels: Class of each row, or ``None``.
        colour_label: What the colours mean.
        setting: With what it was measured, in words.
    """

    title: str
    names: Sequence[str]
    matrices: Sequence[Array]
    labels: Labels | None
    colour_label: str
    setting: str = ""


@dataclass(frozen=True)
class OfSpectrum:
    """A measure that a spectrum decides.

    Attributes:
        name: Its name.
        value: Its value, or ``None``.
        status: Why there is none.
    """

    name: str
    value: float | None
    status: str = ""


@dataclass(frozen=True)
class KernelView:
    """A kernel as heat map beside its spectrum.

    Attributes:
        title: Heading of the figure.
        matrix: The kernel, n×n.
        labels: Class of each row, or ``None``.
        spectrum: Eigenvalues in descending order.
        threshold: Eigenvalue at or below which the kernel counts as singular.
        measures: Measures that the spectrum decides.
        row_label: What a row is.
        colour_label: What the colours mean.
        setting: With what it was measured, in words.
    """

    title: str
    matrix: Array
    labels: Labels | None
    spectrum: Array
    threshold: float
    measures: Sequence[OfSpectrum] = ()
    row_label: str = "sample"
    colour_label: str = ENTRY
    setting: str = ""

    @classmethod
    def of(cls, kernel: Kernel, title: str = "", setting: str = "") -> KernelView:
        """Return the view of a kernel of one batch; classes are shown where every row is one sample.

        Args:
            kernel: The kernel.
            title: Heading of the figure.
            setting: With what it was measured, beside what the kernel itself says.

        Returns:
            The view.

        Raises:
            KernelError: If the kernel holds entries that are not numbers.
        """
        if not kernel.is_finite:
            raise KernelError("This kernel holds entries that are not numbers: there is nothing to draw.")
        has_labels = kernel.labels is not None and len(kernel.labels) == kernel.size
        words = kernel_in_words(kernel)
        return cls(
            title,
            kernel.matrix.numpy(),
            kernel.labels.numpy() if kernel.labels is not None and has_labels else None,
            kernel.spectrum.numpy(),
            kernel.singular_below,
            [OfSpectrum(score.measure, score.value, score.status.value) for score in of_spectrum(kernel)],
            "sample" if kernel.size == kernel.samples else "sample and output",
            setting=f"{setting}; {words}." if setting else f"{words}.",
        )


@dataclass(frozen=True)
class Matrix:
    """Correlations in cells, with their numbers.

    Attributes:
        title: Heading of the figure.
        rows: Names of the rows.
        columns: Names of the columns.
        values: From −1 to 1, rows × columns; NaN for none.
        setting: With what it was measured, in words.
    """

    title: str
    rows: Sequence[str]
    columns: Sequence[str]
    values: Array
    setting: str = ""


@dataclass(frozen=True)
class HeatMap:
    """One map of positive numbers.

    Attributes:
        title: Its heading.
        values: Rows × columns; NaN for none.
    """

    title: str
    values: Array


@dataclass(frozen=True)
class HeatMaps:
    """Maps of positive numbers side by side, with one logarithmic scale of colours.

    Attributes:
        title: Heading of the figure.
        x_label: What the columns are.
        rows: Names of the rows.
        columns: Names of the columns.
        maps: The maps.
        colour_label: What the numbers are.
        setting: With what it was measured, in words.
    """

    title: str
    x_label: str
    rows: Sequence[str]
    columns: Sequence[str]
    maps: Sequence[HeatMap]
    colour_label: str
    setting: str = ""


@dataclass(frozen=True)
class FrontPanel:
    """Cells that one score chose, in the plane of two quantities.

    Attributes:
        title: Heading.
        note: A line under the heading.
        chosen: The chosen cells, x and y, n×2.
        line: The line that they attain, x and y of its corners.
        band_low: The line that nearly all choices of as many random cells attain.
        band_high: The line that few of them attain.
    """

    title: str
    note: str
    chosen: Array
    line: Array
    band_low: Array
    band_high: Array


@dataclass(frozen=True)
class Fronts:
    """Chosen cells beside the true front, a panel for each choice.

    Attributes:
        title: Heading of the figure.
        x_label: Name of the horizontal axes.
        y_label: Name of the vertical axes.
        cells: All cells, x and y, n×2.
        front: The true front, x and y of the corners of its line.
        panels: The choices.
        x_view: Ends of the horizontal axes.
        y_view: Ends of the vertical axes.
        setting: With what it was measured, in words.
    """

    title: str
    x_label: str
    y_label: str
    cells: Array
    front: Array
    panels: Sequence[FrontPanel]
    x_view: tuple[float, float]
    y_view: tuple[float, float]
    setting: str = ""


@dataclass(frozen=True)
class Block:
    """Columns of a map that stand together.

    Attributes:
        title: Their heading.
        columns: Their names.
        values: Rows × columns; NaN for none.
    """

    title: str
    columns: Sequence[str]
    values: Array


@dataclass(frozen=True)
class OrderedMap:
    """Correlations as colours about zero, with their numbers; rows in the order of a tree in which like ones are near.

    Attributes:
        title: Heading of the figure.
        rows: Names of the rows, in the order of the tree.
        kinds: What each row is, which a colour says beside it.
        tree: Its lines, each from leaf to fork to fork to leaf: places along the rows and heights; ``None`` for none.
        tree_label: What the heights are.
        blocks: The columns.
        colour_label: What the numbers are.
        note: A line below.
        setting: With what it was measured, in words.
    """

    title: str
    rows: Sequence[str]
    kinds: Sequence[str]
    tree: tuple[Array, Array] | None
    tree_label: str
    blocks: Sequence[Block]
    colour_label: str
    note: str = ""
    setting: str = ""


Figure = ScatterGrid | Bars | DotGrid | LineGrid | KernelView | KernelStrip | Matrix | HeatMaps | OrderedMap | Fronts
