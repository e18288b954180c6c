"""The specification of a portrait: one cell or network on one page, panel by panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntknas.report.figures import Array, Line
from ntknas.spaces.drawing import Drawing


@dataclass(frozen=True)
class DrawnCell:
    """The drawing of a cell.

    Attributes:
        drawing: The drawing.
        node_notes: A line to each of its nodes; empty for none.
        edge_notes: A line to each of its edges.
    """

    drawing: Drawing
    node_notes: Sequence[str]
    edge_notes: Sequence[str]


@dataclass(frozen=True)
class Dot:
    """A place among all cells.

    Attributes:
        name: What it is by.
        percentile: From 0 to 100, the best; NaN for none.
        text: The value, as it is to be written.
        kind: What kind of number it is, which decides its colour: ``accuracy``, ``count`` or ``measure``.
    """

    name: str
    percentile: float
    text: str
    kind: str


@dataclass(frozen=True)
class ShareBars:
    """Shares of blocks, in the order of depth.

    Attributes:
        blocks: Names of the blocks.
        names: What each series is a share of.
        values: Series × blocks; NaN for none.
    """

    blocks: Sequence[str]
    names: Sequence[str]
    values: Array


@dataclass(frozen=True)
class ChangeMap:
    """What changes with each choice at each place.

    Attributes:
        title: Heading.
        places: Names of the rows.
        choices: Names of the columns.
        values: Rows × columns; NaN for none.
        own: Column of the cell's own choice in each row.
        same: Rows × columns: whether the neighbour is the same network.
        decimals: Decimals of the numbers in the map.
    """

    title: str
    places: Sequence[str]
    choices: Sequence[str]
    values: Array
    own: Sequence[int]
    same: NDArray[np.bool_]
    decimals: int


@dataclass(frozen=True)
class Portrait:
    """One cell or network on one page; panels that are empty are left out.

    Attributes:
        title: Heading.
        text: A line under it, such as the architecture string.
        note: Lines at the foot: settings.
        cell: The drawing.
        dots: Places among all cells.
        dots_title: What they are places by.
        shares: Shares of blocks.
        spectra_title: Heading of the spectra.
        spectra: Spectra, the own one first; those beside it are muted.
        threshold: Eigenvalue at or below which the own kernel counts as singular; ``None`` where it is another one.
        changes: The neighbourhood.
    """

    title: str
    text: str
    note: str
    cell: DrawnCell | None
    dots: Sequence[Dot]
    dots_title: str
    shares: ShareBars | None
    spectra_title: str
    spectra: Sequence[Line]
    threshold: float | None
    changes: Sequence[ChangeMap]
