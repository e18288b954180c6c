"""Cells by how accurate they become: bins with equally many cells each, samples from them, averages over them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import stats

from ntknas.core.errors import ChoiceError
from ntknas.spaces import Space

LEVEL = 0.95
FEWEST = 3
"""Cells of a bin from which an average has an interval."""


@dataclass(frozen=True)
class Bins:
    """Accuracies cut at their quantiles.

    Attributes:
        edges: Lower end of the first bin, ends of all; the last one is closed.
    """

    edges: np.ndarray

    @classmethod
    def of(cls, accuracies: pd.Series, count: int) -> Bins:
        """Return bins with equally many cells each.

        Raises:
            ChoiceError: If there are too few different accuracies.
        """
        ends = np.linspace(0, 1, count + 1)
        edges = np.quantile(accuracies.to_numpy(float), ends) if len(accuracies) else np.empty(0)
        if count < 1 or len(np.unique(edges)) < count + 1:
            raise ChoiceError(f"{len(accuracies)} accuracies do not make {count} bins: choose fewer --bins.")
        return cls(edges)

    @property
    def names(self) -> list[str]:
        """Names such as ``80.1–87.6 %``, from the least accurate bin to the most."""
        return [f"{low:.1f}–{high:.1f} %" for low, high in pairwise(self.edges)]

    def place(self, accuracy: float) -> int:
        """Return the number of the bin of an accuracy, the outer ones reaching as far as need be."""
        return int(np.clip(np.searchsorted(self.edges, accuracy, side="right") - 1, 0, len(self.edges) - 2))


def usable(space: Space, accuracies: pd.Series) -> pd.Series:
    """Return the accuracies of cells that have one and a path from input to output."""
    known = accuracies.dropna()
    return known[[not space.is_disconnected(space[int(cell)]) for cell in known.index]]


def stratified(accuracies: pd.Series, bins: Bins, per_bin: int, seed: int) -> list[int]:
    """Return a random sample of cells with equally many of each bin, in the order of the bins.

    Args:
        accuracies: Accuracies by cell.
        bins: The bins.
        per_bin: Cells of each.
        seed: Seed of the sample.

    Raises:
        ChoiceError: If a bin has fewer cells.
    """
    generator = np.random.default_rng(seed)
    places = np.array([bins.place(value) for value in accuracies])
    chosen: list[int] = []
    for place, name in enumerate(bins.names):
        cells = accuracies.index.to_numpy()[places == place]
        if len(cells) < per_bin:
            raise ChoiceError(f"The bin {name} has {len(cells)} cells, and {per_bin} were asked for.")
        chosen += sorted(generator.permutation(cells)[:per_bin].tolist())
    return chosen


POSITIVE = frozenset(
    name + suffix
    for name in ("relative_difference", "relative_difference_sq", "relative_difference_entrywise")
    for suffix in ("", "/previous")
)
"""Quantities that span orders of magnitude: averaged by their logarithm, zeros (a kernel and itself) left out."""


def averages(frame: pd.DataFrame, quantities: Iterable[str]) -> pd.DataFrame:
    """Average quantities over the cells of each bin, at each step; seeds of a cell are averaged first.

    Those of ``POSITIVE`` have geometric means.

    Args:
        frame: Columns ``bin``, ``cell``, ``step``, ``quantity``, ``value``.
        quantities: Which.

    Returns:
        ``bin``, ``quantity``, ``step``, ``mean``, ``low``, ``high`` (95 % interval of the mean by Student's t, from
        three cells on) and ``n``, the number of cells that have a value.
    """
    rows = frame[frame["quantity"].isin(list(quantities))]
    logarithmic = rows["quantity"].isin(POSITIVE)
    rows = rows[~logarithmic | (rows["value"] > 0)]
    rows = rows.assign(value=rows["value"].where(~logarithmic, np.log(rows["value"].where(logarithmic, 1.0))))
    cells = rows.groupby(["bin", "quantity", "step", "cell"], sort=False, observed=True)["value"].mean().dropna()
    grouped = cells.groupby(level=["bin", "quantity", "step"], sort=False)
    found = grouped.agg(["mean", "std", "count"]).reset_index().rename(columns={"count": "n"})
    enough = found["n"] >= FEWEST
    quantile = stats.t.ppf((1 + LEVEL) / 2, found["n"].clip(lower=2) - 1)
    half = (quantile * found["std"] / np.sqrt(found["n"])).where(enough)
    found = found.assign(low=found["mean"] - half, high=found["mean"] + half).drop(columns="std")
    ends = ["mean", "low", "high"]
    positive = found["quantity"].isin(POSITIVE)
    found.loc[positive, ends] = np.exp(found.loc[positive, ends])
    return found


def names_of(cells: Sequence[int], accuracies: pd.Series, bins: Bins | None) -> dict[int, str]:
    """Return the name of every cell's bin; one bin for all without accuracies."""
    if bins is None:
        return dict.fromkeys(cells, "all cells")
    names = bins.names
    return {cell: names[bins.place(accuracies[cell])] if cell in accuracies else "no accuracy" for cell in cells}
