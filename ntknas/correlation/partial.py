"""Partial rank correlation: what a score adds to simple counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import combinations
from typing import NamedTuple

import numpy as np

from ntknas.correlation.asymptotic import kendall_influence
from ntknas.correlation.coefficients import Array
from ntknas.correlation.variable import Values, Variable, variable

CONSTANT = "constant"
"""Why a covariate that tells no cells apart is dropped."""


class Partial(NamedTuple):
    """A partial correlation, and what it holds fixed.

    Attributes:
        value: τ-b given the covariates; ``None`` where it is not defined: constants, a score that ranks the cells as a
            covariate does.
        given: Names of the covariates that were used.
        dropped: Why each of the others was not: ``constant``, or the one that ranks the cells alike.
    """

    value: float | None
    given: tuple[str, ...]
    dropped: Mapping[str, str]


class Others:
    """Variables that scores of the same cells are held against; what no score changes is taken once.

    Args:
        variables: Accuracies and covariates.

    Attributes:
        variables: The same.
    """

    def __init__(self, variables: Sequence[Values]):
        self.variables = [variable(values) for values in variables]

    def matrix(self, x: Variable) -> Array:
        """Return the matrix of all τ-b of scores and of these variables, the scores being the first."""
        matrix = np.eye(1 + len(self.variables))
        matrix[1:, 1:] = self._taus
        for place, other in enumerate(self.variables, start=1):
            matrix[place, 0] = matrix[0, place] = x.kendall(other)
        return matrix

    def influence(self, x: Variable, slopes: Array) -> Array:
        """Return the influence of each cell on a figure of the matrix.

        Args:
            x: The scores.
            slopes: How the figure moves with each entry of the matrix and its mirror image.
        """
        influence: Array = np.zeros(len(x))
        for place, other in enumerate(self.variables, start=1):
            influence += slopes[0, place] * kendall_influence(x, other)
        for (i, j), of_pair in self._influences.items():
            influence += slopes[i + 1, j + 1] * of_pair
        return influence

    @cached_property
    def _taus(self) -> Array:
        taus = np.eye(len(self.variables))
        for j, i in combinations(range(len(self.variables)), 2):
            taus[i, j] = taus[j, i] = self.variables[i].kendall(self.variables[j])
        return taus

    @cached_property
    def _influences(self) -> dict[tuple[int, int], Array]:
        places = combinations(range(len(self.variables)), 2)
        return {(i, j): kendall_influence(self.variables[i], self.variables[j]) for i, j in places}


class Fixed:
    """Covariates that are held fixed beside accuracies, on some cells.

    Args:
        accuracies: Accuracies.
        covariates: Covariates by name; what is constant, or ranks the cells as an earlier one does, is dropped.

    Attributes:
        given: Names of those that are used.
        others: The accuracies, and what is used.
    """

    def __init__(self, accuracies: Values, covariates: Mapping[str, Values]):
        distinct, self._dropped = _distinct({name: variable(values) for name, values in covariates.items()})
        self.given = tuple(distinct)
        self.others = Others([accuracies, *distinct.values()])

    def partial(self, x: Values) -> Partial:
        """Return the partial correlation of scores and accuracies."""
        if len(x) < 4:
            return Partial(None, (), {})
        scores, undefined = variable(x), Partial(None, self.given, self._dropped)
        if any(v.is_constant for v in (scores, *self.others.variables)):
            return undefined
        value = float(of_matrices(self.others.matrix(scores)[None])[0])
        return undefined._replace(value=value if np.isfinite(value) else None)


def partial_kendall(x: Array, y: Array, covariates: Mapping[str, Array]) -> Partial:
    """Return Kendall's τ-b of x and y given covariates.

    From the inverse P of the matrix of all τ-b: −P_xy / √(P_xx P_yy). Covariates that are constant, or rank the cells
    as an earlier one does, are dropped.

    Args:
        x: Scores.
        y: Accuracies.
        covariates: Covariates by name.

    Returns:
        The partial correlation, and which covariates were used.
    """
    return Fixed(y, covariates).partial(x)


def of_matrices(matrices: Array) -> Array:
    """Return the partial correlation of the first two variables in each of some matrices of τ-b; NaN for none.

    Args:
        matrices: B of them, B×k×k.
    """
    partials = np.full(len(matrices), np.nan)
    usable = np.flatnonzero(np.isfinite(matrices).all(axis=(1, 2)))
    usable = usable[np.linalg.cond(matrices[usable]) <= 1e10]  # beyond, an inverse would be rounding
    precision = np.linalg.inv(matrices[usable])
    scale = precision[:, 0, 0] * precision[:, 1, 1]
    with np.errstate(invalid="ignore", divide="ignore"):
        partials[usable] = np.where(scale > 0, -precision[:, 0, 1] / np.sqrt(scale), np.nan)
    return partials


def _distinct(covariates: Mapping[str, Variable]) -> tuple[dict[str, Variable], dict[str, str]]:
    """Return the covariates that tell cells apart, each in its own way, and why the others are dropped."""
    distinct: dict[str, Variable] = {}
    dropped: dict[str, str] = {}
    for name, values in covariates.items():
        alike = [] if values.is_constant else [earlier for earlier, v in distinct.items() if _ranks_alike(values, v)]
        if values.is_constant:
            dropped[name] = CONSTANT
        elif alike:
            dropped[name] = alike[0]
        else:
            distinct[name] = values
    return distinct, dropped


def _ranks_alike(a: Variable, b: Variable) -> bool:
    return abs(a.kendall(b)) > 1 - 1e-12
