"""What the rows of one target on the same cells share: networks, accuracies, counts and covariates, each taken once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ntknas.correlation.bootstrap import top_of
from ntknas.correlation.coefficients import Array, kendall
from ntknas.correlation.counts import Counts
from ntknas.correlation.drawn import Codes, repeated
from ntknas.correlation.estimate import TOP_SHARES
from ntknas.correlation.partial import Fixed
from ntknas.correlation.row import CELLS, MEASUREMENTS, NETWORKS
from ntknas.correlation.targets import Accuracies
from ntknas.correlation.variable import Variable

K = TypeVar("K")
V = TypeVar("V")
_KEPT = 4
"""Sets of cells whose rows share: measures fail on the same cells, and each set costs memory."""
_COVARIATES_KEPT = 16
"""The same of covariates, which all targets share."""


class OnCells:
    """Covariates of some cells, whatever the target.

    Args:
        covariates: The covariates, in columns by cell; NaN where a cell has none.

    Attributes:
        names: Their names.
        complete: Which cells have all of them; ``None`` where all have.
        cells: These cells.
        variables: The covariates of these, by name.
    """

    def __init__(self, covariates: pd.DataFrame):
        complete: NDArray[np.bool_] = covariates.notna().all(axis=1).to_numpy()
        self.names = tuple(map(str, covariates))
        self.complete = None if complete.all() else complete
        self.cells = covariates.index[complete]
        self.variables = {str(name): Variable(covariates[name].to_numpy(np.float64)[complete]) for name in covariates}
        self._restricted: WeakKeyDictionary[Variable, Variable] = WeakKeyDictionary()

    def of(self, values: Variable) -> Variable:
        """Return the values of the cells that have all covariates."""
        if self.complete is None:
            return values
        if values not in self._restricted:
            self._restricted[values] = Variable(values.values[self.complete])
        return self._restricted[values]


class Held(NamedTuple):
    """What a partial correlation holds fixed.

    Attributes:
        covariates: The covariates, and the cells that have them.
        units: A number for each of these cells' units; ``None`` where that is not known.
        fixed: What is held fixed on them, beside their accuracies.
    """

    covariates: OnCells
    units: Codes | None
    fixed: Fixed


class Shared:
    """What no score changes in the rows of one target on the same cells.

    Args:
        cells: The cells.
        accuracies: Their accuracies.
        networks: A number for each cell's network; ``None`` where that is not known.
        units: A number for each cell's unit, which is drawn as a whole; ``None`` where that is not known.
        measurements: A number for each cell's measurement; ``None`` where each has its own.
        covariates: Covariates of these cells by setting, as far as they were asked for.

    Attributes:
        cells: The cells.
        accuracies: Their accuracies.
        units: A number for each cell's unit; ``None`` where that is not known.
    """

    def __init__(
        self,
        cells: pd.Index,
        accuracies: Array,
        networks: Codes | None,
        units: Codes | None,
        measurements: Codes | None = None,
        covariates: dict[str, OnCells] | None = None,
    ):
        self.cells, self.accuracies, self.units = cells, Variable(accuracies), units
        self._networks, self._measurements = networks, measurements
        self._covariates = {} if covariates is None else covariates
        self._of_counts: dict[Counts, dict[str, float | None]] = {}
        self._held: dict[str, Held | None] = {}

    @cached_property
    def repeated(self) -> Codes | None:
        """The units, where several cells are one."""
        return repeated(self.units)

    @cached_property
    def resampled(self) -> str:
        """What is drawn as a whole: cells, networks, or measurements where several networks share one."""
        if self.repeated is None:
            return CELLS
        number = len(np.unique(self.repeated))
        return NETWORKS if number == self.number_of_networks else MEASUREMENTS

    @cached_property
    def number_of_networks(self) -> int | None:
        """The number of networks, where they are known."""
        return _number(self._networks)

    @cached_property
    def number_of_measurements(self) -> int | None:
        """The number of measurements, where cells share one."""
        return _number(self._measurements)

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
        if setting not in self._covariates:
            self._covariates[setting] = OnCells(covariates(self.cells))
        if setting not in self._held:
            self._held[setting] = self._hold(self._covariates[setting])
        return self._held[setting]

    def _hold(self, covariates: OnCells) -> Held | None:
        if not len(self.cells) or not covariates.names:
            return None
        units = self.units if self.units is None or covariates.complete is None else self.units[covariates.complete]
        return Held(covariates, units, Fixed(covariates.of(self.accuracies), covariates.variables))


def _number(codes: Codes | None) -> int | None:
    return None if codes is None else len(np.unique(codes))


class Sharing:
    """What rows share, by target and cells.

    Args:
        networks: A number for each cell's network; ``None`` where that is not known.
    """

    def __init__(self, networks: pd.Series | None):
        self._networks = networks
        self._shared: dict[tuple[str, bytes], Shared] = {}
        self._covariates: dict[bytes, dict[str, OnCells]] = {}

    def of(self, target: Accuracies, points: pd.DataFrame) -> Shared:
        """Return what rows of a target on some cells share.

        Args:
            target: The accuracies.
            points: As from ``rows.points_of``.
        """
        key = (target.name, _bytes(points.index))
        return _kept(self._shared, key, lambda: self._make(target, points), _KEPT)

    def _make(self, target: Accuracies, points: pd.DataFrame) -> Shared:
        cells, accuracies = points.index, points["accuracy"].to_numpy(np.float64)
        networks, measurements = (_of(cells, codes) for codes in (self._networks, target.measurements))
        covariates = _kept(self._covariates, _bytes(cells), dict, _COVARIATES_KEPT)
        return Shared(cells, accuracies, networks, target.units(cells, self._networks), measurements, covariates)


def _kept(kept: dict[K, V], key: K, make: Callable[[], V], number: int) -> V:
    """Return what is kept under a key, made where it is not there; a number of the last asked for are kept."""
    value = kept.pop(key) if key in kept else make()
    while len(kept) >= number:
        del kept[next(iter(kept))]
    kept[key] = value
    return value


def _bytes(cells: pd.Index) -> bytes:
    return bytes(cells.to_numpy(np.int64).tobytes())


def _of(cells: pd.Index, codes: pd.Series | None) -> Codes | None:
    return None if codes is None else codes[cells].to_numpy(np.int64)
