"""Values of cells with what their order says, each taken once however often it is asked for."""

from __future__ import annotations

from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ntknas.correlation.coefficients import Array, kendall, pearson

Integers = NDArray[np.int64]


class Variable:
    """Scores, accuracies or counts of some cells.

    Args:
        values: One of each cell.

    Attributes:
        values: The same.
        influences: The influence of each cell on τ-b with other variables, as far as it was asked for.
    """

    def __init__(self, values: Array):
        self.values = values
        self.influences: WeakKeyDictionary[Variable, Array] = WeakKeyDictionary()  # else targets would never go
        self._taus: WeakKeyDictionary[Variable, float] = WeakKeyDictionary()

    def __len__(self) -> int:
        return len(self.values)

    @property
    def is_constant(self) -> bool:
        """Whether it tells no cells apart."""
        return len(self._sizes) < 2

    @property
    def tied_pairs(self) -> int:
        """The number of pairs of equal values."""
        return int((self._sizes * (self._sizes - 1) // 2).sum())

    def kendall(self, other: Variable) -> float:
        """Return τ-b with another variable, which is taken once; NaN for a constant."""
        if other not in self._taus:
            self._taus[other] = kendall(self.values, other.values)
        return self._taus[other]

    def coefficient(self, name: str, other: Variable) -> float:
        """Return a coefficient with another variable; NaN for a constant.

        Args:
            name: ``kendall``, ``spearman`` or ``pearson``.
            other: The other variable.
        """
        if name == "kendall":
            return self.kendall(other)
        if name == "spearman":
            return pearson(self.mid_ranks, other.mid_ranks)
        return pearson(self.values, other.values)

    @cached_property
    def order(self) -> Integers:
        """The places of the cells in ascending order; of equal ones the first comes first."""
        return np.argsort(self.values, kind="stable")

    @cached_property
    def dense(self) -> Integers:
        """The number of different values below each cell's."""
        dense = np.empty(len(self), dtype=np.int64)
        dense[self.order] = np.cumsum(self._is_first) - 1
        return dense

    @cached_property
    def same(self) -> Integers:
        """The number of cells with each cell's value, itself included."""
        return self._sizes[self.dense]

    @cached_property
    def below(self) -> Integers:
        """The number of cells below each."""
        return (np.cumsum(self._sizes) - self._sizes)[self.dense]

    @cached_property
    def mid_ranks(self) -> Array:
        """The ranks from 1 on, equal cells having the mean of theirs."""
        ranks: Array = self.below + (self.same + 1) / 2
        return ranks

    @cached_property
    def _is_first(self) -> NDArray[np.bool_]:
        """Which cells, in ascending order, are above the one before."""
        ordered = self.values[self.order]
        return np.concatenate([np.ones(min(1, len(ordered)), dtype=bool), ordered[1:] != ordered[:-1]])

    @cached_property
    def _sizes(self) -> Integers:
        """The number of cells of each value, ascending."""
        return np.diff(np.append(np.flatnonzero(self._is_first), len(self)))


Values = Array | Variable
"""Of each cell one."""


def variable(values: Values) -> Variable:
    """Return values as a variable."""
    return values if isinstance(values, Variable) else Variable(values)
