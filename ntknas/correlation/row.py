"""One row of a correlation: a measure under a setting, against a target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, NamedTuple

from ntknas.core.shown import Shown, counted, in_digits
from ntknas.correlation.estimate import TOP_SHARES, Estimate

if TYPE_CHECKING:
    from ntknas.core.html import Child

CELLS = "cells"
NETWORKS = "networks"
MEASUREMENTS = "measurements"
BASELINE = "baseline"
"""What stands in place of a recipe where a row is one of the counts."""
LEFT_OUT, LAST = "left-out", "last"
UNSCORED = (LEFT_OUT, LAST)
"""What is done with cells without a score."""
SETTING = "given"
"""What stands in place of a setting where scores are not of a store."""
OFFICIAL = "official"
"""What stands there of the counts beside such scores: those of the official networks."""


class RowKey(NamedTuple):
    """What tells rows of one result apart."""

    measure: str
    setting: str
    target: str


@dataclass(frozen=True, repr=False)
class Row(Shown):
    """How a measure under a setting ranks the cells of a target.

    Attributes:
        measure: Name of the measure.
        recipe: Recipe that it was computed with, or ``baseline``.
        target: Name of the target.
        setting: Digest of the setting.
        kernel: Name of the kernel.
        epoch: Epochs of training before it was taken.
        n: Number of cells with a score and an accuracy.
        left_out: Number of the other cells, by reason.
        ties: Pairs of cells with equal scores.
        tied_accuracies: Pairs of cells with equal accuracies.
        kendall: Kendall's τ-b.
        spearman: Spearman's ρ.
        pearson: Pearson's r.
        kendall_top10: τ-b among the tenth of the cells with the highest accuracies.
        kendall_top25: The same among a quarter of them.
        interval_covers: What intervals cover: ``cells`` or ``cells and initialisation``.
        best_cell: The cell with the best score.
        regret: How far its accuracy falls short of the best; the mean over tied cells.
        regret_best_of_5: How far the most accurate of the five best-scored cells falls short.
        regret_best_of_10: The same of ten.
        partial_kendall: τ-b given what is in ``partial_given``.
        partial_given: Counts and measures that the partial correlation holds fixed.
        baseline_kendall: τ-b of each count with the accuracies, on the same cells.
        seed_kendall: Mean τ-b between the scores of two seeds.
        seed_variance: Share of the measure's variance that lies between the seeds of one cell.
        seconds_per_cell: Time that a cell takes; ``None`` where it is not known.
        weighted_kendall: Weighted τ; see ``coefficients.weighted_kendall``.
        ndcg: nDCG by the number of first cells; ``None`` where there are fewer, or accuracies are not in percent.
        precision: Share of the first cells by score that are among as many most accurate ones, by their number.
        precision_top10: The same of a tenth of the cells.
        best_of: Expected best accuracy among the first cells by score, by their number.
        population: Name of the population that the cells are of.
        chosen_cells: Number of cells that the population was narrowed to; ``None`` where it was not.
        networks: Number of networks that the cells are; ``None`` where that is not known.
        resampled: What intervals resample: ``cells``, ``networks`` where several cells are one, or ``measurements``
            where several networks share one.
        partial_n: Number of the cells that have all of ``partial_given``.
        higher_is_better: Direction of the measure; scores are signed by it.
        placed_last: Number of cells without a score that were placed last, by reason.
        fitted: What of the score was chosen on cells with known accuracies, or may have been: on such cells it looks
            better than it is. Empty if nothing was.
        partial_dropped: Why other covariates are not held fixed, by name: ``constant``, or which ranks the cells alike.
        partial: ``partial_kendall`` with its interval.
        measurements: Number of measurements that the accuracies are; ``None`` where each cell has its own.
    """

    measure: str
    recipe: str
    target: str
    setting: str
    kernel: str
    epoch: int
    n: int
    left_out: Mapping[str, int]
    ties: int
    tied_accuracies: int
    kendall: Estimate
    spearman: Estimate
    pearson: Estimate
    kendall_top10: Estimate
    kendall_top25: Estimate
    interval_covers: str
    best_cell: int | None
    regret: float | None
    regret_best_of_5: float | None
    regret_best_of_10: float | None
    partial_kendall: float | None
    partial_given: tuple[str, ...]
    baseline_kendall: Mapping[str, float | None]
    seed_kendall: float | None
    seed_variance: float | None
    seconds_per_cell: float | None
    weighted_kendall: float | None = None
    ndcg: Mapping[int, float | None] = field(default_factory=dict)
    precision: Mapping[int, float | None] = field(default_factory=dict)
    precision_top10: float | None = None
    best_of: Mapping[int, float | None] = field(default_factory=dict)
    population: str = "all"
    chosen_cells: int | None = None
    networks: int | None = None
    resampled: str = CELLS
    partial_n: int = 0
    partial_dropped: Mapping[str, str] = field(default_factory=dict)
    partial: Estimate = field(default_factory=lambda: Estimate(None))
    higher_is_better: bool = True
    placed_last: Mapping[str, int] = field(default_factory=dict)
    fitted: str = ""
    measurements: int | None = None

    @property
    def key(self) -> RowKey:
        """What tells the row apart from the others of its result."""
        return RowKey(self.measure, self.setting, self.target)

    @property
    def is_baseline(self) -> bool:
        """Whether the row is one of the counts."""
        return self.recipe == BASELINE

    def as_json(self) -> dict[str, object]:
        """Return plain data; τ-b among the best, and the ends of its interval, are entries of their own."""
        data: dict[str, object] = {}
        for name in (entry.name for entry in fields(self)):
            value = getattr(self, name)
            if name in TOP_SHARES:
                data |= {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}
            else:
                data[name] = _plain(value)
        return data

    def _line(self) -> str:
        ends = self.kendall.interval
        interval = "" if ends is None else f" [{in_digits(ends[0], 3)}, {in_digits(ends[1], 3)}]"
        by = f"{self.measure} ({self.recipe}{f', {self.kernel}' if self.kernel else ''})"
        return f"{by} with {self.target}: τ {in_digits(self.kendall.value, 3)}{interval}, {counted(self.n, 'cell')}"

    def _facts(self) -> Mapping[str, Child]:
        shown = {"Kendall τ-b": self.kendall, "Spearman ρ": self.spearman, "partial τ-b": self.partial}
        facts: dict[str, Child] = {name: repr(estimate) for name, estimate in shown.items()}
        facts["held fixed"] = ", ".join(self.partial_given)
        facts["left out"] = ", ".join(f"{count} {reason}" for reason, count in self.left_out.items()) or "nothing"
        return facts


def _plain(value: object) -> object:
    if isinstance(value, Estimate):
        return value.as_json()
    if isinstance(value, tuple):
        return list(value)
    return {str(key): item for key, item in value.items()} if isinstance(value, Mapping) else value
