"""Scores and accuracies of a population: what is correlated of all that was scored, and which cells are one network."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from operator import index

import numpy as np
import pandas as pd

from ntknas.core.errors import ChoiceError, DataError, NtknasError
from ntknas.core.score import Status
from ntknas.correlation.bootstrap import MIN_CELLS
from ntknas.correlation.targets import Accuracies
from ntknas.spaces import Space
from ntknas.spaces.populations import ALL, DISTINCT, check_population, is_member, network_of


@dataclass(frozen=True)
class Restriction:
    """Which of the scored cells are correlated.

    Attributes:
        population: Name of the population.
        space: The space of the cells, where it is known.
        cells: The only cells to take, or ``None`` for all of the population.
    """

    population: str = ALL
    space: Space | None = None
    cells: frozenset[int] | None = None

    @classmethod
    def of(cls, population: str, space: Space | None, cells: Collection[int] | None) -> Restriction:
        """Return a restriction, checked.

        Raises:
            ChoiceError: If there is no such population, the space has none or is not known, or one of ``cells`` is no
                cell of it.
        """
        check_population(population, space)
        if population != ALL and space is None:
            raise ChoiceError(f"These scores do not say of which space they are: `population` {population} needs it.")
        return cls(population, space, None if cells is None else frozenset(_indices(cells, space)))

    @property
    def is_none(self) -> bool:
        """Whether nothing is left out."""
        return self.population == ALL and self.cells is None

    def scores(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the scores of the cells that are meant.

        Of ``distinct`` each network's scores are those of its first cell that has one, by measure and setting, and it
        goes by the name of the first cell that any of them is of.

        Args:
            table: As from ``given.as_scores``.

        Returns:
            These rows.

        Raises:
            DataError: If a cell is none of the space.
            NtknasError: If fewer than ten cells are left.
        """
        self._check_cells(table["cell"].unique())
        if self.is_none:
            return table
        kept = self._kept(table["cell"].unique())
        rows = table[table["cell"].isin(kept)]
        rows = self._of_networks(rows) if self.population == DISTINCT else rows
        self._check_number(rows["cell"].nunique(), f"the {table['cell'].nunique():,} scored cells")
        return rows

    def _check_cells(self, cells: Iterable[int]) -> None:
        outside = [] if self.space is None else [cell for cell in cells if not 0 <= cell < len(self.space)]
        if self.space is not None and outside:
            raise DataError(
                f"These scores have a cell {outside[0]}: {self.space.name} has cells 0 to {len(self.space) - 1}."
            )

    def _kept(self, cells: Iterable[int]) -> list[int]:
        chosen = [int(cell) for cell in cells if self.cells is None or int(cell) in self.cells]
        if self.population in (ALL, DISTINCT) or self.space is None:
            return chosen
        return list(filter(is_member(self.space, self.population), chosen))

    def _of_networks(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Keep each network's first scored cell by measure and setting, named as its first cell of any."""
        network = self._codes(rows["cell"])
        ranked = rows["cell"].where(rows["status"] == Status.OK.value)
        keys = [rows["setting"], rows["measure"], network]
        first = ranked.groupby(keys, observed=True).transform("min")
        first = first.fillna(rows["cell"].groupby(keys, observed=True).transform("min"))
        chosen = rows[rows["cell"] == first]
        names = chosen["cell"].groupby(network[chosen.index]).transform("min")
        return chosen.assign(cell=names.astype(np.int64))

    def _codes(self, cells: pd.Series) -> pd.Series:
        """Return a number for each cell's network."""
        assert self.space is not None
        identity = network_of(self.space)
        numbers: dict[Hashable, int] = {}
        by_cell = {cell: numbers.setdefault(identity(int(cell)), len(numbers)) for cell in cells.unique()}
        return cells.map(by_cell)

    def accuracies(self, targets: Iterable[Accuracies], cells: pd.Index, *, with_few: bool = True) -> list[Accuracies]:
        """Return the accuracies to correlate with; of ``distinct`` the mean over all cells of each network.

        Args:
            targets: The accuracies of all cells.
            cells: The cells that are left.
            with_few: Whether every target must have accuracies of these cells; else those that have too few are left
                out.

        Returns:
            The accuracies.

        Raises:
            NtknasError: If a target has accuracies of fewer than ten of these cells.
        """
        chosen = [self._over_networks(target, cells) if self.population == DISTINCT else target for target in targets]
        if not with_few:
            least = min(MIN_CELLS, len(cells))
            return [target for target in chosen if len(cells.intersection(target.means.index)) >= least]
        for target in chosen:
            number = len(cells.intersection(target.means.index))
            if number and not self.is_none:  # of none at all there is a message of its own
                self._check_number(number, f"the scored cells with an accuracy in {target.name}")
        return chosen

    def _over_networks(self, target: Accuracies, cells: pd.Index) -> Accuracies:
        known = target.means.index[target.means.index < len(self.space or ())]
        every = pd.Series(known.union(cells))
        network = pd.Series(self._codes(every).to_numpy(), index=every)
        name_of = pd.Series(cells, index=network[cells].to_numpy())  # of each network that was scored
        shown = network[known][network[known].isin(name_of.index)]
        names = pd.Series(name_of[shown].to_numpy(), index=shown.index)
        means = target.means[names.index].groupby(names).mean()
        if target.measurements is not None:
            units = pd.Series(target.units(known, network), index=known)
            target = replace(target, measurements=units[names.index].groupby(names).first())
        if target.runs is None:
            return replace(target, means=means)
        runs = np.full_like(target.runs, np.nan)
        by_run = pd.DataFrame(target.runs[names.index], index=names.index).groupby(names).mean()
        runs[by_run.index] = by_run.to_numpy()
        return replace(target, means=means, runs=runs)

    def _check_number(self, number: int, of_what: str) -> None:
        if number < MIN_CELLS:
            raise NtknasError(f"Of {of_what} {number} are {self}: at least {MIN_CELLS} are needed.")

    def __str__(self) -> str:
        of_space = f" of {self.space.name}" if self.space else ""
        texts = [f"in `population` {self.population}{of_space}"] if self.population != ALL else []
        texts += [f"among the {len(self.cells)} that were chosen"] if self.cells is not None else []
        return " and ".join(texts)

    def networks(self, cells: pd.Index) -> pd.Series | None:
        """Return a number for each cell's network; ``None`` where the space is not known.

        Args:
            cells: The cells that are left.
        """
        if self.space is None:
            return None
        every = pd.Series(cells)
        codes = np.arange(len(every)) if self.population == DISTINCT else self._codes(every).to_numpy()
        return pd.Series(codes, index=cells)


def _indices(cells: Collection[int], space: Space | None) -> Iterator[int]:
    """Yield indices of cells, each of the space where that is known."""
    if isinstance(cells, str) or not isinstance(cells, Iterable):
        raise ChoiceError(f"`cells` are several indices of cells, such as [0, 8216], got {cells!r}.")
    for cell in cells:
        try:
            number = index(cell)
        except TypeError as error:
            raise ChoiceError(f"`cells` are indices of cells, got {cell!r}.") from error
        if number < 0 or (space is not None and number >= len(space)):
            within = "" if space is None else f" to {len(space) - 1} for {space.name}"
            raise ChoiceError(f"`cells` are indices, 0{within or ' and above'}: got {number}.")
        yield number
