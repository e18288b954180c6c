"""One row of a correlation: a measure under a setting, against a target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import NamedTuple

from ntknas.correlation.estimate import TOP_SHARES, Estimate

BASELINE = "baseline"
"""What stands in place of a recipe where a row is one of the counts."""


class RowKey(NamedTuple):
    """What tells rows of one result apart."""

    measure: str
    setting: str
    target: str


@dataclass(frozen=True)
class Row:
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
        partial_kendall: τ-b given the counts in ``partial_given``.
        partial_given: Counts that the partial correlation holds fixed.
        baseline_kendall: τ-b of each count with the accuracies, on the same cells.
        seed_kendall: Mean τ-b between the scores of two seeds.
        seed_variance: Share of the measure's variance that lies between the seeds of one cell.
        seconds_per_cell: Time that a cell takes; ``None`` where it is not known.
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
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in TOP_SHARES:
                data |= {field.name: value.value, f"{field.name}_low": value.low, f"{field.name}_high": value.high}
            else:
                data[field.name] = _plain(value)
        return data


def _plain(value: object) -> object:
    if isinstance(value, Estimate):
        return value.as_json()
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value
