"""Partial rank correlation: what a score adds to simple counts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ntknas.correlation.coefficients import Array, kendall


def partial_kendall(x: Array, y: Array, covariates: Mapping[str, Array]) -> tuple[float | None, list[str]]:
    """Return Kendall's τ-b of x and y given covariates.

    From the inverse P of the matrix of all τ-b: −P_xy / √(P_xx P_yy). Covariates that are constant, or rank the cells
    as an earlier one does, are dropped.

    Args:
        x: Scores.
        y: Accuracies.
        covariates: Covariates by name.

    Returns:
        The partial correlation, ``None`` where it is not defined (constants, a score that ranks as a covariate does),
        and the names of the covariates that were used.
    """
    if len(x) < 4:
        return None, []
    distinct: dict[str, Array] = {}
    for name, values in covariates.items():
        if np.ptp(values) > 0 and not any(_ranks_alike(values, earlier) for earlier in distinct.values()):
            distinct[name] = values
    variables = [x, y, *distinct.values()]
    if any(np.ptp(v) == 0 for v in variables):
        return None, list(distinct)
    matrix = np.eye(len(variables))
    for i in range(len(variables)):
        for j in range(i):
            matrix[i, j] = matrix[j, i] = kendall(variables[i], variables[j])
    if np.linalg.cond(matrix) > 1e10:  # its inverse would be rounding
        return None, list(distinct)
    precision = np.linalg.inv(matrix)
    scale = precision[0, 0] * precision[1, 1]
    return (float(-precision[0, 1] / np.sqrt(scale)) if scale > 0 else None), list(distinct)


def _ranks_alike(a: Array, b: Array) -> bool:
    return abs(kendall(a, b)) > 1 - 1e-12
