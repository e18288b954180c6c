"""The answer of ``over_targets``, as data: how every measure ranks the cells by every target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from ntknas.core.errors import check_known
from ntknas.core.shown import Shown, counted, in_digits
from ntknas.correlation.bootstrap import MIN_RESAMPLES
from ntknas.correlation.estimate import STATISTICS, Estimate
from ntknas.correlation.export import INTERVAL
from ntknas.correlation.likeness import likeness
from ntknas.correlation.names import row_name
from ntknas.correlation.row import BASELINE, RowKey
from ntknas.correlation.targets import Accuracies, TargetSummary
from ntknas.store.setting import Setting

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from matplotlib.figure import Figure

_SHOWN = 12
"""Scores that a notebook shows side by side."""
_NOT_ASKED = "none: they are made where they are asked for (`intervals`)"


@dataclass(frozen=True, repr=False)
class Agreement(Shown):
    """How a measure under a setting ranks the cells of a target: as a ``Row``, with no more than its ranks say.

    Attributes:
        measure: Name of the measure.
        recipe: Recipe that it was computed with, or ``baseline``.
        setting: Digest of the setting.
        kernel: Name of the kernel.
        epoch: Epochs of training before it was taken.
        target: Name of the target.
        n: Number of cells with a score and a value of the target.
        kendall: Kendall's τ-b.
        spearman: Spearman's ρ.
        partial: τ-b given what is in ``partial_given``.
        partial_given: Counts and measures that the partial correlation holds fixed.
        partial_n: Number of the cells that have all of them.
        resampled: What intervals resample: ``cells``, ``networks`` or ``measurements``.
        interval_covers: What intervals cover: ``cells`` or ``cells and initialisation``.
    """

    measure: str
    recipe: str
    setting: str
    kernel: str
    epoch: int
    target: str
    n: int
    kendall: Estimate
    spearman: Estimate
    partial: Estimate
    partial_given: tuple[str, ...]
    partial_n: int
    resampled: str
    interval_covers: str

    @property
    def key(self) -> RowKey:
        """What tells it apart from the others of its result."""
        return RowKey(self.measure, self.setting, self.target)

    @property
    def is_baseline(self) -> bool:
        """Whether it is of one of the counts."""
        return self.recipe == BASELINE

    def flat(self) -> dict[str, object]:
        """Return plain data in one level: the ends of intervals are entries of their own."""
        data: dict[str, object] = {}
        for name, value in vars(self).items():
            if isinstance(value, Estimate):
                data |= {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}
            else:
                data[name] = " ".join(value) if name == "partial_given" else value
        return data

    def _line(self) -> str:
        value = in_digits(self.kendall.value, 3)
        return f"{self.measure} ({self.recipe}) with {self.target}: τ {value}, {counted(self.n, 'cell')}"


@dataclass(frozen=True, repr=False)
class Overview(Shown):
    """The answer of ``over_targets``.

    Attributes:
        rows: One for each (measure, setting, target).
        targets: What is known of each target; figures of noise are those of ``correlate``.
        settings: What the digests in the rows stand for.
        cells: The cells that were scored.
        accuracies: The values of each target, signed so that higher is better.
        resamples: Number of bootstrap resamples; 0 where there are no intervals.
        notes: What is to be said beside the rows.
        population: Name of the population that the cells are of.
        networks: Number of networks that the cells are; ``None`` where that is not known.
        seeds: Seeds of the weights that scores are of; none of scores that are not of a store.
    """

    rows: list[Agreement]
    targets: Mapping[str, TargetSummary]
    settings: Mapping[str, Setting]
    cells: pd.Index
    accuracies: Mapping[str, Accuracies] = field(repr=False)
    resamples: int = 0
    notes: tuple[str, ...] = ()
    population: str = "all"
    networks: int | None = None
    seeds: tuple[int, ...] = ()

    def frame(self) -> pd.DataFrame:
        """Return the rows as a data frame in long form, each with what its target is."""
        return pd.DataFrame([row.flat() | self.targets[row.target].meaning() for row in self.rows])

    def table(self, statistic: str = "kendall") -> pd.DataFrame:
        """Return one statistic as a table, targets × measures, the counts last; NaN for none.

        Args:
            statistic: ``kendall``, ``spearman`` or ``partial``.

        Returns:
            The table.

        Raises:
            ChoiceError: If there is no such statistic.
        """
        check_known("statistic", statistic, STATISTICS)
        columns = {name: dict.fromkeys(self.targets, float("nan")) for name in self.names.values()}
        for row in self.rows:
            value = getattr(row, statistic).value
            columns[self.name_of(row)][row.target] = float("nan") if value is None else value
        return pd.DataFrame(columns, index=list(self.targets), dtype=float)

    @cached_property
    def names(self) -> dict[tuple[str, str], str]:
        """The names of the measures under their settings, in the order of the rows."""
        first = {(row.measure, row.setting): row for row in reversed(self.rows)}
        places = dict.fromkeys((row.measure, row.setting) for row in self.rows)
        return {place: row_name(self, first[place]) for place in places}

    def name_of(self, row: Agreement) -> str:
        """Return the name of a row's measure under its setting."""
        return self.names[row.measure, row.setting]

    @property
    def baselines(self) -> list[str]:
        """The names of the counts."""
        baselines = dict.fromkeys((row.measure, row.setting) for row in self.rows if row.is_baseline)
        return [self.names[place] for place in baselines]

    def likeness(self) -> pd.DataFrame:
        """Return τ-b of every two targets on the scored cells that have both; NaN where they are fewer than ten."""
        return likeness(list(self.accuracies.values()), self.cells)

    def as_json(self) -> dict[str, object]:
        """Return plain data."""
        return {
            "rows": [_row_as_json(row) for row in self.rows],
            "targets": {name: summary.as_json() for name, summary in self.targets.items()},
            "settings": {digest: dict(setting.fields) for digest, setting in self.settings.items()},
            "interval": INTERVAL if self.resamples >= MIN_RESAMPLES else _NOT_ASKED,
            "resamples": self.resamples,
            "population": self.population,
            "networks": self.networks,
            "notes": list(self.notes),
        }

    def plot(self, statistic: str = "kendall", style: str = "screen") -> Figure:
        """Draw every measure with every target; see ``ntknas.figures.over_targets``."""
        from ntknas import figures  # which know results

        return figures.over_targets(self, statistic, style)

    def _line(self) -> str:
        scores, targets = counted(len(self.names), "score"), counted(len(self.targets), "target")
        return f"{scores} with {targets}, {counted(len(self.cells), 'cell')}, population {self.population}"

    def _parts(self) -> list[Element]:
        from ntknas.correlation.shown_rows import remarks, rows_table

        table = self.table()
        names = [str(name) for name in table.columns][:_SHOWN]
        rows = [(str(target), *(in_digits(float(row[name]), 2) for name in names)) for target, row in table.iterrows()]
        more = len(table.columns) - len(names)
        said = [f"Kendall τ-b{f'; {more} more scores: table() has all' if more else ''}.", *self.notes]
        return [*rows_table(("target", *names), rows, 1), *remarks(said)]


def _row_as_json(row: Agreement) -> dict[str, object]:
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in vars(row).items()}
    return {name: value.as_json() if isinstance(value, Estimate) else value for name, value in plain.items()}
