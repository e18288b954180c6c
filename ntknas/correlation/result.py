"""The answer of ``correlate``, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from ntknas.core.shown import Shown, counted, in_digits, listed
from ntknas.correlation.coefficients import COEFFICIENTS
from ntknas.correlation.drawn import Codes
from ntknas.correlation.row import Row, RowKey
from ntknas.correlation.targets import Accuracies, TargetSummary
from ntknas.store.setting import Setting

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from matplotlib.figure import Figure

    from ntknas.core.html import Child


@dataclass(frozen=True, repr=False)
class Correlation(Shown):
    """The answer of ``correlate``.

    Attributes:
        rows: One for each (measure, setting, target).
        targets: What is known of each target's accuracies.
        points: For each row the cells, signed scores and accuracies that were used.
        settings: What the digests in the rows stand for.
        resamples: Number of bootstrap resamples.
        notes: What is to be said beside the rows.
        networks: A number for each cell's network; ``None`` where that is not known.
        accuracies: The accuracies of each target.
        seeds: Seeds of the weights that scores are of; none of scores that are not of a store.
    """

    rows: list[Row]
    targets: Mapping[str, TargetSummary]
    points: Mapping[RowKey, pd.DataFrame]
    settings: Mapping[str, Setting]
    resamples: int
    notes: tuple[str, ...] = ()
    networks: pd.Series | None = None
    accuracies: Mapping[str, Accuracies] = field(default_factory=dict)
    seeds: tuple[int, ...] = ()

    def units_of(self, target: str, cells: pd.Index) -> Codes | None:
        """Return a number for each of some cells' units, which are drawn as a whole; see ``Accuracies.units``."""
        return self.accuracies[target].units(cells, self.networks)

    def of_target(self, target: str) -> list[Row]:
        """Return the rows of one target."""
        return [row for row in self.rows if row.target == target]

    def frame(self) -> pd.DataFrame:
        """Return the rows as a data frame; the coefficients' values and interval ends are columns."""
        rows = [_flat(row) | self.targets[row.target].meaning() for row in self.rows]
        return pd.DataFrame(rows).astype({"best_cell": "Int64"})

    def plot(self, style: str = "screen") -> Figure:
        """Draw every rank correlation with its interval; ``ntknas.figures`` has scatter plots and curves of it too."""
        from ntknas import figures  # which know results

        return figures.correlations(self, style)

    def _line(self) -> str:
        measures = dict.fromkeys(row.measure for row in self.rows if not row.is_baseline)
        counts = dict.fromkeys(row.measure for row in self.rows if row.is_baseline)
        beside = f" beside {counted(len(counts), 'count')}" if counts else ""
        cells = max((row.n for row in self.rows), default=0)
        what = f"{listed(measures)}{beside} against {listed(self.targets)}"
        return f"{what}: {counted(len(self.rows), 'row')}, {counted(cells, 'cell')}{self._highest()}"

    def _highest(self) -> str:
        known = [(row.kendall.value, row) for row in self.rows if row.kendall.value is not None and not row.is_baseline]
        if not known:
            return ""
        value, row = max(known, key=lambda pair: pair[0])
        return f", highest τ {in_digits(value, 3)} by {row.measure}"

    def _parts(self) -> list[Element]:
        from ntknas.correlation.names import row_name
        from ntknas.correlation.shown_rows import remarks, rows_table, with_interval

        head = ("score", "recipe", "target", "cells", "Kendall τ-b", "Spearman ρ", "given structure")
        rows: list[tuple[Child, ...]] = [
            (
                row_name(self, row),
                row.recipe,
                row.target,
                row.n,
                *map(with_interval, (row.kendall, row.spearman, row.partial)),
            )
            for row in self.rows
        ]
        covers = dict.fromkeys(row.interval_covers for row in self.rows if row.kendall.interval)
        said = [f"Intervals: 95 %, over {' or '.join(covers)}."] if covers else []
        return [*rows_table(head, rows, 3), *remarks([*said, *self.notes])]


def _flat(row: Row) -> dict[str, object]:
    columns = {name: value for name, value in row.as_json().items() if not isinstance(value, dict)}
    for name in COEFFICIENTS:
        estimate = getattr(row, name)
        columns |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    for name in ("ndcg", "precision", "best_of"):
        columns |= {f"{name}_{number}": value for number, value in getattr(row, name).items()}
    columns |= {"partial_low": row.partial.low, "partial_high": row.partial.high}
    columns["partial_given"] = " ".join(row.partial_given)
    columns["placed_last"] = " ".join(f"{status}:{count}" for status, count in row.placed_last.items())
    columns["left_out"] = " ".join(f"{status}:{count}" for status, count in row.left_out.items())
    return columns
