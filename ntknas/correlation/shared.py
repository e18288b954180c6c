"""What the rows of one target on the same cells share: networks, accuracies, counts and covariates, each taken once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ntknas.correlation.bootstrap import top_of
from ntknas.correlation.coefficients import Array, kendall
from ntknas.correlation.counts import Counts
from ntknas.correlation.drawn import Codes, repeated
from ntknas.correlation.estimate import TOP_SHARES
from ntknas.correlation.partial import Fixed
from ntknas.correlation.variable import Variable

_KEPT = 4
"""Sets of cells whose rows share: measures fail on the same cells, and each set costs memory."""


class Held(NamedTuple):
    """What a partial correlation holds fixed.

    Attributes:
        names: All that was to be held fixed.
        complete: Which cells have all of it; ``None`` where all have.
        cells: These cells.
        networks: A number for each of their networks; ``None`` where that is not known.
        fixed: What is held fixed on them, beside their accuracies.
    """

    names: tuple[str, ...]
    complete: NDArray[np.bool_] | None
    cells: pd.Index
    networks: Codes | None
    fixed: Fixed

    def of(self, scores: Variable) -> Variable:
        """Return the scores of the cells that have all covariates."""
        return scores if self.complete is None else Variable(scores.values[self.complete])


class Shared:
    """What no score changes in the rows of one target on the same cells.

    Args:
        cells: The cells.
        accuracies: Their accuracies.
        networks: A number for each cell's network; ``None`` where that is not known.

    Attributes:
        cells: The cells.
        accuracies: Their accuracies.
        networks: A number for each cell's network; ``None`` where that is not known.
    """

    def __init__(self, cells: pd.Index, accuracies: Array, networks: Codes | None):
        self.cells, self.accuracies, self.networks = cells, Variable(accuracies), networks
        self._of_counts: dict[Counts, dict[str, float | None]] = {}
        self._held: dict[str, Held | None] = {}

    @cached_property
    def repeated(self) -> Codes | None:
        """The networks, where several cells are one."""
        return repeated(self.networks)

    @cached_property
    def number_of_networks(self) -> int | None:
        """The number of networks, where they are known."""
        return None if self.networks is None else len(np.unique(self.networks))

    @cached_property
    def tops(self) -> dict[str, NDArray[np.bool_]]:
        """Which cells are in each of the shares with the highest accuracies."""
        return {name: top_of(self.accuracies.values, share) for name, share in TOP_SHARES.items()}

    def kendall_of(self, counts: Counts | None) -> dict[str, float | None]:
        """Return τ-b of every count with the accuracies."""
        if counts is None or len(self.cells) < 3:
            return {}
        if counts not in self._of_counts:
            taus = {name: kendall(counts.of(name, self.cells), self.accuracies.values) for name in counts.names}
            self._of_counts[counts] = {name: tau if np.isfinite(tau) else None for name, tau in taus.items()}
        return self._of_counts[counts]

    def held(self, setting: str, covariates: Callable[[pd.Index], pd.DataFrame]) -> Held | None:
        """Return what partial correlations of a setting's scores hold fixed; ``None`` where that is nothing.

        Args:
            setting: Digest of the setting.
            covariates: Gives the covariates of cells, in columns.
        """
        if setting not in self._held:
            self._held[setting] = self._hold(covariates(self.cells))
        return self._held[setting]

    def _hold(self, covariates: pd.DataFrame) -> Held | None:
        if covariates.empty:
            return None
        names, complete = tuple(map(str, covariates)), covariates.notna().all(axis=1).to_numpy()
        if complete.all():
            columns = {str(name): covariates[name].to_numpy(np.float64) for name in covariates}
            return Held(names, None, self.cells, self.networks, Fixed(self.accuracies, columns))
        columns = {str(name): covariates[name].to_numpy(np.float64)[complete] for name in covariates}
        networks = None if self.networks is None else self.networks[complete]
        fixed = Fixed(self.accuracies.values[complete], columns)
        return Held(names, complete, self.cells[complete], networks, fixed)


class Sharing:
    """What rows share, by target and cells.

    Args:
        networks: A number for each cell's network; ``None`` where that is not known.
    """

    def __init__(self, networks: pd.Series | None):
        self._networks = networks
        self._shared: dict[tuple[str, bytes], Shared] = {}

    def of(self, target: str, points: pd.DataFrame) -> Shared:
        """Return what rows of a target on some cells share.

        Args:
            target: Name of the target.
            points: As from ``rows.points_of``.
        """
        key = (target, points.index.to_numpy(np.int64).tobytes())
        shared = self._shared.pop(key, None) or self._make(points)
        while len(self._shared) >= _KEPT:
            del self._shared[next(iter(self._shared))]
        self._shared[key] = shared  # the last, and so dropped last
        return shared

    def _make(self, points: pd.DataFrame) -> Shared:
        networks = None if self._networks is None else self._networks[points.index].to_numpy(np.int64)
        return Shared(points.index, points["accuracy"].to_numpy(np.float64), networks)
