"""What is said of a cell, or of a network of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ntknas.core.kernel import Kernel
from ntknas.core.score import Score
from ntknas.core.shown import Shown, counted, in_digits
from ntknas.explanation.neighbours import Neighbour
from ntknas.explanation.shares import LayerShare, by_block, of_part
from ntknas.explanation.standing import Array, Standing
from ntknas.spaces.drawing import Drawing

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from matplotlib.figure import Figure


@dataclass(frozen=True)
class MeasureRow:
    """A measure of the cell: as computed here, and as published.

    Attributes:
        name: The measure.
        formula: Its definition.
        higher_is_better: Its direction.
        here: Its score of the kernel that was computed here; ``None`` where it was not taken.
        published: Its place in the whole space by published scores; ``None`` without any.
    """

    name: str
    formula: str
    higher_is_better: bool
    here: Score | None
    published: Standing | None

    def as_json(self) -> dict[str, object]:
        """Return it as plain data."""
        here = self.here
        computed = None if here is None else {"value": here.value, "status": here.status.value, "reason": here.reason}
        published = None if self.published is None else self.published.as_json()
        named = {"measure": self.name, "formula": self.formula, "higher_is_better": self.higher_is_better}
        return {**named, "here": computed, "published": published}

    def shown_numbers(self) -> tuple[str, ...]:
        """Return the score computed here, the published one, its place and its percentile, as texts."""
        here = "–" if self.here is None else self.here.status.value
        here = here if self.here is None or self.here.value is None else in_digits(self.here.value)
        if self.published is None:
            return here, "–", "–", "–"
        return here, in_digits(self.published.value), *self.published.shown_place()


@dataclass(frozen=True, repr=False)
class Spectrum(Shown):
    """Eigenvalues to compare.

    Attributes:
        name: Whose: ``this cell``, ``best cell``, ``median cell``, ``this network``.
        cell: Index of the cell; ``None`` for a network of one's own.
        values: In descending order.
        is_published: Whether they are published, or computed here.
    """

    name: str
    cell: int | None
    values: Array
    is_published: bool

    def as_json(self) -> dict[str, object]:
        """Return it as plain data."""
        return {
            "name": self.name,
            "cell": self.cell,
            "values": self.values.tolist(),
            "is_published": self.is_published,
        }

    def _line(self) -> str:
        where = "published" if self.is_published else "computed here"
        of = "" if self.cell is None else f", cell {self.cell}"
        ends = (
            f"{in_digits(float(self.values[0]))} to {in_digits(float(self.values[-1]))}" if len(self.values) else "none"
        )
        return f"{self.name}{of}: {counted(len(self.values), 'eigenvalue')}, {ends}, {where}"


@dataclass(frozen=True, eq=False, repr=False)
class Explanation(Shown):
    """What is said of a cell, or of a network of one's own.

    Attributes:
        heading: What it is of, in a few words.
        text: Architecture string of the cell, or what a network prints as; may be empty.
        setting: Which kernel was computed here, on what, in words.
        kernel: That kernel.
        measures: Its measures, with their places by published scores.
        layers: Each layer's share; none where they cannot be told.
        spectra: Its spectrum, and those beside it.
        left_out: What is not here, and why, a sentence each.
        space: Name of the space; ``None`` for a network of one's own.
        cell: Index of the cell.
        is_disconnected: Whether no path leads from the cell's input to its output.
        drawing: How the cell is drawn; ``None`` where its space has no drawing.
        counts: Places by what its drawing counts, such as parameters.
        accuracies: Places by accuracy, the main target first.
        published: Which published scores places are by; ``None`` without any.
        score: The measure that neighbours are compared by; ``None`` without published scores.
        neighbours: The cells one step away.
        network: What a network that was named is: library, weights, size of its images, hashes; ``None`` for others.
    """

    heading: str
    text: str
    setting: str
    kernel: Kernel
    measures: Sequence[MeasureRow]
    layers: Sequence[LayerShare]
    spectra: Sequence[Spectrum]
    left_out: Sequence[str]
    space: str | None = None
    cell: int | None = None
    is_disconnected: bool = False
    drawing: Drawing | None = None
    counts: Sequence[Standing] = field(default_factory=tuple)
    accuracies: Sequence[Standing] = field(default_factory=tuple)
    published: str | None = None
    score: str | None = None
    neighbours: Sequence[Neighbour] = field(default_factory=tuple)
    network: Mapping[str, object] | None = None

    def as_json(self) -> dict[str, object]:
        """Return everything, ready for JSON."""
        drawing = self.drawing
        parts = [] if drawing is None else drawing.parts
        shares = {part: found for part in parts if (found := of_part(self.layers, part)) is not None}
        return {
            "heading": self.heading,
            "space": self.space,
            "cell": self.cell,
            "architecture": self.text,
            "disconnected": self.is_disconnected,
            "setting": self.setting,
            "network": None if self.network is None else dict(self.network),
            "choices": self.kernel.choices.as_dict(),
            "drawing": None if drawing is None else drawing.as_json(),
            "counts": [standing.as_json() for standing in self.counts],
            "accuracies": [standing.as_json() for standing in self.accuracies],
            "published": self.published,
            "measures": [row.as_json() for row in self.measures],
            "layers": [layer.as_json() for layer in self.layers],
            "blocks": {name: vars(share) for name, share in by_block(self.layers).items()},
            "parts": {part: vars(share) for part, share in shares.items()},
            "spectra": [spectrum.as_json() for spectrum in self.spectra],
            "score": self.score,
            "neighbours": [neighbour.as_json() for neighbour in self.neighbours],
            "left_out": list(self.left_out),
        }

    def plot(self, style: str = "screen") -> Figure:
        """Draw everything on one page; see ``ntknas.figures.explanation``."""
        from ntknas import figures  # which know results

        return figures.explanation(self, style)

    def _line(self) -> str:
        said = [counted(len(self.measures), "measure"), counted(len(self.layers), "layer")]
        said += [counted(len(self.neighbours), "neighbour")] if self.neighbours else []
        left_out = f", {len(self.left_out)} left out" if self.left_out else ""
        return f"{self.heading}: {', '.join(said)}{left_out}; {self.setting}"

    def _parts(self) -> list[Element]:
        from ntknas.core import html
        from ntknas.spaces.svg import as_svg

        drawn = [] if self.drawing is None else [as_svg(self.drawing)]
        head = ("measure", "computed here", "published", "place", "percentile")
        rows = [(row.name, *row.shown_numbers()) for row in self.measures]
        standings = [*self.accuracies, *self.counts]
        others = [(each.name, in_digits(each.value), *each.shown_place()) for each in standings]
        places = [html.table(("", "value", "place", "percentile"), others)] if others else []
        return [
            *drawn,
            html.table(head, rows),
            *places,
            *(html.quiet(f"Left out: {reason}") for reason in self.left_out),
        ]
