"""Figure specifications: what a figure shows, without saying how it is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Panel:
    """One cloud of points.

    Attributes:
        title: Heading.
        x: Horizontal values.
        y: Vertical values.
        x_label: Name of the horizontal axis.
        note: A line under the heading.
    """

    title: str
    x: np.ndarray
    y: np.ndarray
    x_label: str
    note: str = ""


@dataclass(frozen=True)
class ScatterGrid:
    """Clouds of points that share their vertical axis.

    Attributes:
        title: Heading of the figure.
        y_label: Name of the vertical axis.
        panels: The clouds.
    """

    title: str
    y_label: str
    panels: Sequence[Panel]


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
    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    limit: float | None = None


@dataclass(frozen=True)
class Bars:
    """Horizontal bars with intervals, one row a label, one bar a group.

    Attributes:
        title: Heading of the figure.
        x_label: Name of the horizontal axis.
        labels: Names of the rows.
        groups: The series.
        muted: Labels to draw in a quieter shade, such as baselines.
    """

    title: str
    x_label: str
    labels: Sequence[str]
    groups: Sequence[BarGroup]
    muted: frozenset[str] = frozenset()


@dataclass(frozen=True)
class KernelView:
    """A kernel as heat map beside its spectrum.

    Attributes:
        title: Heading of the figure.
        matrix: The kernel, n×n.
        labels: Class of each row, or ``None``.
        spectrum: Eigenvalues in descending order.
        threshold: Eigenvalue at or below which the kernel counts as singular.
    """

    title: str
    matrix: np.ndarray
    labels: np.ndarray | None
    spectrum: np.ndarray
    threshold: float


@dataclass(frozen=True)
class Matrix:
    """Correlations in cells, with their numbers.

    Attributes:
        title: Heading of the figure.
        rows: Names of the rows.
        columns: Names of the columns.
        values: From −1 to 1, rows × columns; NaN for none.
    """

    title: str
    rows: Sequence[str]
    columns: Sequence[str]
    values: np.ndarray


Figure = ScatterGrid | Bars | KernelView | Matrix
