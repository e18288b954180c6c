"""The answer of ``trade_offs``, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

import pandas as pd

from ntknas.core.shown import Shown, counted, in_digits
from ntknas.correlation.choice import Choice
from ntknas.correlation.estimate import Estimate
from ntknas.correlation.front import Places
from ntknas.correlation.plane import Plane
from ntknas.correlation.row import BASELINE
from ntknas.store.setting import Setting

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False)
class TradeOff(Shown):
    """What a score and a stand-in choose, held against the true front.

    Attributes:
        measure: Name of the score, in place of the first target.
        recipe: Recipe that it was computed with, or ``baseline`` for a count.
        setting: Digest of its setting.
        kernel: Name of the kernel.
        epoch: Epochs of training before it was taken.
        stand_in: What was there in place of the second target: a count, ``measured``, or another target.
        n: Number of cells that could be chosen: those with a score, the stand-in and both targets.
        left_out: Number of the other cells with both targets, by reason; they are on the true front all the same.
        chosen: Number of cells that are chosen.
        reached: Their hypervolume over that of the true front, of values.
        reached_ranks: The same of ranks.
        random: What as many cells drawn at random reach in expectation.
        random_ranks: The same of ranks.
        missed: IGD⁺ of the chosen cells, in shares of the targets' ranges.
        found: Number of points of the true front that are among them; a mean where chance decides.
        fitted: What of the score was chosen on cells with known accuracies, or may have been.
    """

    measure: str
    recipe: str
    setting: str
    kernel: str
    epoch: int
    stand_in: str
    n: int
    left_out: Mapping[str, int]
    chosen: int
    reached: Estimate
    reached_ranks: Estimate
    random: float
    random_ranks: float
    missed: float | None
    found: float
    fitted: str = ""

    @property
    def is_baseline(self) -> bool:
        """Whether the score is a count."""
        return self.recipe == BASELINE

    def as_json(self) -> dict[str, object]:
        """Return plain data."""
        return asdict(self)

    def _line(self) -> str:
        by = f"{self.measure} ({self.recipe}) with {self.stand_in}"
        return (
            f"{by}: reaches {in_digits(self.reached.value, 3)} of the hypervolume, random {in_digits(self.random, 3)}"
        )


@dataclass(frozen=True, repr=False)
class TradeOffs(Shown):
    """The answer of ``trade_offs``.

    Attributes:
        rows: One for each score and stand-in.
        plane: The cells with both targets.
        chosen: Places in ``plane.cells`` of what each row chose; one choice of several where chance decides.
        choice: How cells were chosen.
        population: Population of the cells.
        resamples: Number of resamples behind intervals.
        settings: What the digests in the rows stand for.
        notes: What is to be said beside the rows.
    """

    rows: list[TradeOff]
    plane: Plane
    chosen: list[Places]
    choice: Choice
    population: str
    resamples: int
    settings: Mapping[str, Setting]
    notes: tuple[str, ...] = ()

    def frame(self) -> pd.DataFrame:
        """Return the rows as a data frame; values and ends of intervals are columns."""
        return pd.DataFrame([_flat(row) for row in self.rows])

    def as_json(self) -> dict[str, object]:
        """Return plain data: the targets with their quantities, the true front, and the rows."""
        plane = self.plane
        values, front = plane.own(plane.values), plane.on_front
        targets = {target.name: asdict(target.quantity) for target in (plane.first, plane.second)}
        settings = {row.setting: self.settings[row.setting] for row in self.rows if row.setting in self.settings}
        return {
            "targets": targets,
            "cells": len(plane),
            "units": int(plane.units.max()) + 1,
            "population": self.population,
            "fronts": None if self.choice.budget else self.choice.fronts,
            "budget": self.choice.budget,
            "resamples": self.resamples,
            "front": [
                {"cell": int(plane.cells[place]), **dict(zip(targets, values[place].tolist(), strict=True))}
                for place in front
            ],
            "rows": [
                {**row.as_json(), "cells": plane.cells[places].tolist()}
                for row, places in zip(self.rows, self.chosen, strict=True)
            ],
            "settings": {digest: dict(setting.fields) for digest, setting in settings.items()},
        }

    def plot(self, stand_in: str | None = None, style: str = "screen") -> Figure:
        """Draw what scores choose beside the true front, with a stand-in or the first one; see ``figures.fronts``.

        Returns:
            The figure.

        Raises:
            ChoiceError: If there is no such stand-in.
        """
        from ntknas import figures  # which know results

        return figures.fronts(self, self.rows[0].stand_in if stand_in is None else stand_in, style)

    def _line(self) -> str:
        first, second = self.plane.first.name, self.plane.second.name
        return f"{first} against {second}: {counted(len(self.rows), 'row')}, {counted(len(self.plane), 'cell')}"

    def _parts(self) -> list[Element]:
        from ntknas.correlation.shown_rows import remarks, rows_table, with_interval

        head = ("score", "recipe", "stand-in", "chosen", "hypervolume reached", "random")
        rows = [
            (row.measure, row.recipe, row.stand_in, row.chosen, with_interval(row.reached), in_digits(row.random, 3))
            for row in self.rows
        ]
        return [*rows_table(head, rows, 3), *remarks(self.notes)]


def _flat(row: TradeOff) -> dict[str, object]:
    columns: dict[str, object] = {}
    for entry in fields(row):
        value = getattr(row, entry.name)
        if isinstance(value, Estimate):
            columns |= {entry.name: value.value, f"{entry.name}_low": value.low, f"{entry.name}_high": value.high}
        elif isinstance(value, Mapping):
            columns[entry.name] = " ".join(f"{reason}:{count}" for reason, count in value.items())
        else:
            columns[entry.name] = value
    return columns
