"""Partial rank correlation: what a score adds to simple counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ntknas.correlation.coefficients import Array, kendall

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
    if len(x) < 4:
        return Partial(None, (), {})
    distinct, dropped = _distinct(covariates)
    variables = [x, y, *distinct.values()]
    undefined = Partial(None, tuple(distinct), dropped)
    if any(np.ptp(v) == 0 for v in variables):
        return undefined
    matrix = np.eye(len(variables))
    for i in range(len(variables)):
        for j in range(i):
            matrix[i, j] = matrix[j, i] = kendall(variables[i], variables[j])
    value = float(of_matrices(matrix[None])[0])
    return undefined._replace(value=value if np.isfinite(value) else None)


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


def _distinct(covariates: Mapping[str, Array]) -> tuple[dict[str, Array], dict[str, str]]:
    """Return the covariates that tell cells apart, each in its own way, and why the others are dropped."""
    distinct: dict[str, Array] = {}
    dropped: dict[str, str] = {}
    for name, values in covariates.items():
        alike = [earlier for earlier, others in distinct.items() if np.ptp(values) and _ranks_alike(values, others)]
        if np.ptp(values) == 0:
            dropped[name] = CONSTANT
        elif alike:
            dropped[name] = alike[0]
        else:
            distinct[name] = values
    return distinct, dropped


def _ranks_alike(a: Array, b: Array) -> bool:
    return abs(kendall(a, b)) > 1 - 1e-12
