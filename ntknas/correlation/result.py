"""The answer of ``correlate``, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from ntknas.correlation.coefficients import COEFFICIENTS
from ntknas.correlation.drawn import Codes
from ntknas.correlation.row import Row, RowKey
from ntknas.correlation.targets import Accuracies, TargetSummary
from ntknas.store.setting import Setting


@dataclass(frozen=True)
class Correlation:
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
