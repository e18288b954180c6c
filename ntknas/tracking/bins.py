"""Cells by how accurate they become: bins with equally many cells each, samples from them, averages over them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import stats

from ntknas.core.errors import ChoiceError
from ntknas.spaces import Space
from ntknas.tracking.quantities import POSITIVE, range_of
from ntknas.tracking.track import Track

LEVEL = 0.95
MIN_CELLS = 3
"""Cells of a bin from which an average has an interval."""
_ALIGNED = ["bin", "cell", "seed", "step", "k", "eigenvalue", "alignment", "cumulative"]
_COLUMNS = ["bin", "cell", "seed", "step", "quantity", "value", "status", "reason"]


@dataclass(frozen=True)
class Bins:
    """Accuracies cut at their quantiles.

    Attributes:
        edges: Lower end of the first bin, ends of all; the last one is closed.
    """

    edges: np.ndarray

    @classmethod
    def of(cls, accuracies: pd.Series, count: int) -> Bins:
        """Cut accuracies into bins with equally many cells each.

        Args:
            accuracies: The accuracies.
            count: Number of bins.

        Returns:
            The bins.

        Raises:
            ChoiceError: If there are too few different accuracies.
        """
        quantiles = np.linspace(0, 1, count + 1)
        edges = np.quantile(accuracies.to_numpy(float), quantiles) if len(accuracies) else np.empty(0)
        if count < 1 or len(np.unique(edges)) < count + 1:
            raise ChoiceError(f"{len(accuracies)} accuracies do not make {count} bins: choose fewer `bins`.")
        return cls(edges)

    @property
    def names(self) -> list[str]:
        """Names such as ``80.1–87.6 %``, from the least accurate bin to the most."""
        return [f"{low:.1f}–{high:.1f} %" for low, high in pairwise(self.edges)]

    def index(self, accuracy: float) -> int:
        """Return the number of the bin of an accuracy, the outer ones reaching as far as need be."""
        return int(np.clip(np.searchsorted(self.edges, accuracy, side="right") - 1, 0, len(self.edges) - 2))


@dataclass(frozen=True)
class BinnedCells:
    """The cells of a space in bins of their accuracies.

    Attributes:
        accuracies: Accuracies by cell.
        connected: The same of cells that have one, and a path from input to output.
        bins: Bins of these.
    """

    accuracies: pd.Series
    connected: pd.Series
    bins: Bins

    @classmethod
    def of(cls, space: Space, accuracies: pd.Series, count: int) -> BinnedCells:
        """Cut the cells of a space into bins with equally many each; raises as ``Bins.of``."""
        finite = accuracies.dropna()
        connected = finite[[not space.is_disconnected(space[int(cell)]) for cell in finite.index]]
        return cls(accuracies, connected, Bins.of(connected, count))

    def sample(self, per_bin: int, seed: int) -> list[int]:
        """Draw cells at random, equally many of each bin.

        Args:
            per_bin: Cells of each bin.
            seed: Seed of the sample.

        Returns:
            The cells in the order of the bins.

        Raises:
            ChoiceError: If a bin has fewer cells.
        """
        generator = np.random.default_rng(seed)
        bin_of_cell = np.array([self.bins.index(value) for value in self.connected])
        sample: list[int] = []
        for index, name in enumerate(self.bins.names):
            cells = self.connected.index.to_numpy()[bin_of_cell == index]
            if len(cells) < per_bin:
                raise ChoiceError(f"The bin {name} has {len(cells)} cells, and {per_bin} were asked for.")
            # Not choice(): of a permutation a smaller sample of one seed is part of a larger one.
            sample += sorted(generator.permutation(cells)[:per_bin].tolist())
        return sample

    def names_of(self, cells: Sequence[int]) -> dict[int, str]:
        """Return the name of every cell's bin."""
        names, accuracies = self.bins.names, self.accuracies
        return {
            cell: names[self.bins.index(accuracies[cell])] if cell in accuracies else "no accuracy" for cell in cells
        }


def frame_of(tracks: Iterable[Track], bins: Mapping[int, str]) -> pd.DataFrame:
    """Return what was recorded as one table.

    Args:
        tracks: The tracks.
        bins: Name of the bin of every cell.

    Returns:
        One row for each (bin, cell, seed, step, quantity): ``value``, ``status`` and ``reason``.
    """
    return _joined([(track, track.frame) for track in tracks], bins, _COLUMNS)


def alignments_of(tracks: Iterable[Track], bins: Mapping[int, str]) -> pd.DataFrame:
    """Return how the labels lie along the eigenvectors of all kernels as one table.

    Args:
        tracks: The tracks.
        bins: Name of the bin of every cell.

    Returns:
        One row for each (bin, cell, seed, step, k): ``eigenvalue``, ``alignment`` and ``cumulative``.
    """
    return _joined([(track, track.alignment_frame()) for track in tracks], bins, _ALIGNED)


def _joined(pairs: Iterable[tuple[Track, pd.DataFrame]], bins: Mapping[int, str], columns: list[str]) -> pd.DataFrame:
    """Return a frame of each track as one, with the track's cell, seed and bin."""
    frames = [
        frame.assign(cell=track.cell, seed=track.seed, bin=bins[track.cell]) for track, frame in pairs if len(frame)
    ]
    return pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)


def averages(frame: pd.DataFrame, quantities: Iterable[str]) -> pd.DataFrame:
    """Average quantities over the cells of each bin, at each step; seeds of a cell are averaged first.

    Those of ``POSITIVE`` have geometric means. An interval ends where its quantity's range does, which takes nothing
    from what it covers: no mean lies beyond.

    Args:
        frame: Columns ``bin``, ``cell``, ``step``, ``quantity``, ``value``.
        quantities: Which.

    Returns:
        ``bin``, ``quantity``, ``step``, ``mean``, ``low``, ``high`` (95 % interval of the mean by Student's t, from
        three cells on) and ``n``, the number of cells that have a value.
    """
    rows = frame[frame["quantity"].isin(list(quantities))]
    is_logarithmic = rows["quantity"].isin(POSITIVE)
    rows = rows[~is_logarithmic | (rows["value"] > 0)]
    # The logarithm is taken of every row: of 1.0 where it is not used, which may be negative.
    rows = rows.assign(value=rows["value"].where(~is_logarithmic, np.log(rows["value"].where(is_logarithmic, 1.0))))
    cells = rows.groupby(["bin", "quantity", "step", "cell"], sort=False, observed=True)["value"].mean().dropna()
    grouped = cells.groupby(level=["bin", "quantity", "step"], sort=False)
    means = grouped.agg(["mean", "std", "count"]).reset_index().rename(columns={"count": "n"})
    quantile = stats.t.ppf((1 + LEVEL) / 2, means["n"].clip(lower=2) - 1)
    half = (quantile * means["std"] / np.sqrt(means["n"])).where(means["n"] >= MIN_CELLS)
    ranges = np.array([range_of(str(quantity)) for quantity in means["quantity"]]).reshape(-1, 2)
    low, high = (means["mean"] - half).clip(lower=ranges[:, 0]), (means["mean"] + half).clip(upper=ranges[:, 1])
    means = means.assign(low=low, high=high).drop(columns="std")
    columns = ["mean", "low", "high"]
    is_logarithmic = means["quantity"].isin(POSITIVE)
    means.loc[is_logarithmic, columns] = np.exp(means.loc[is_logarithmic, columns])
    return means
