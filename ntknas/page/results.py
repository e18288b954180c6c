"""Sections of results that are no scores: facts, sentences, pictures, lines, matrices and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ntknas.page.drawings import pack
from ntknas.page.section import Section
from ntknas.spaces.drawing import Drawing

KIND = "results"


@dataclass(frozen=True)
class Series:
    """A line of a plot.

    Attributes:
        name: What it is of.
        x: Where its points are.
        y: Their values.
        low: Lower ends of their intervals; nothing without intervals.
        high: Upper ends.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None

    def as_data(self) -> dict[str, object]:
        """Return what a page draws."""
        return {"name": self.name, "x": self.x, "y": self.y, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class Lines:
    """A plot of lines.

    Attributes:
        title: Its heading.
        x: What its x axis is.
        series: The lines.
        is_log: Whether the y axis is logarithmic.
    """

    title: str
    x: str
    series: Sequence[Series]
    is_log: bool = False

    def as_data(self) -> dict[str, object]:
        """Return what a page draws."""
        series = [one.as_data() for one in self.series]
        return {"kind": "lines", "title": self.title, "x": self.x, "series": series, "is_log": self.is_log}


@dataclass(frozen=True)
class Matrix:
    """Coefficients between −1 and 1, in colours that part at zero.

    Attributes:
        title: Its heading.
        label: What they are.
        rows: Names of the rows.
        columns: Names of the columns.
        values: Rows × columns, NaN for none.
    """

    title: str
    label: str
    rows: Sequence[str]
    columns: Sequence[str]
    values: np.ndarray

    def as_data(self) -> dict[str, object]:
        """Return what a page draws."""
        names = {"rows": list(self.rows), "columns": list(self.columns)}
        return {"kind": "matrix", "title": self.title, "label": self.label, **names, "values": self.values.ravel()}


@dataclass(frozen=True)
class Rows:
    """A table.

    Attributes:
        title: Its heading.
        columns: Names of its columns.
        rows: Texts and numbers; nothing where there is none.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | float | None]]

    def as_data(self) -> dict[str, object]:
        """Return what a page shows."""
        return {"kind": "table", "title": self.title, "columns": list(self.columns), "rows": [*map(list, self.rows)]}


@dataclass(frozen=True)
class Sketch:
    """The drawing of a cell.

    Attributes:
        title: Its heading.
        drawing: The drawing.
    """

    title: str
    drawing: Drawing

    def as_data(self) -> dict[str, object]:
        """Return what a page draws."""
        return {"kind": "sketch", "title": self.title, "drawings": pack([self.drawing])}


@dataclass(frozen=True)
class Results:
    """All that a section shows, in this order.

    Attributes:
        title: Its heading.
        lead: What it is about, in a sentence.
        sentences: What was found.
        pictures: Addresses of pictures within the page, by what they show.
        parts: Drawings, lines, matrices and tables.
        fields: What it was made with.
        notes: What else is to be said.
    """

    title: str
    lead: str = ""
    sentences: Sequence[str] = ()
    pictures: Mapping[str, str] = field(default_factory=dict)
    parts: Sequence[Lines | Matrix | Rows | Sketch] = ()
    fields: Mapping[str, object] = field(default_factory=dict)
    notes: Sequence[str] = ()

    def section(self) -> Section:
        """Return the section."""
        facts = {
            "lead": self.lead,
            "sentences": self.sentences,
            "pictures": self.pictures,
            "parts": [part.as_data()["kind"] for part in self.parts],
            "fields": self.fields,
            "notes": self.notes,
        }
        data = {"parts": [part.as_data() for part in self.parts]} if self.parts else {}
        return Section(KIND, self.title, facts, data)
