"""The interval of a partial correlation: bootstrap, or a standard error where each resample would take long."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from scipy import stats

from ntknas.correlation.asymptotic import error_of
from ntknas.correlation.bootstrap import LEVEL, MIN_CELLS, MIN_RESAMPLES, Interval, draw_any, middle, resampled
from ntknas.correlation.coefficients import Array
from ntknas.correlation.compare import MANY_CELLS
from ntknas.correlation.drawn import Codes, repeated
from ntknas.correlation.partial import Others, of_matrices
from ntknas.correlation.variable import Values, Variable, variable

_NONE = (None, None)


def partial_interval(
    variables: Sequence[Values], resamples: int, seed: int = 0, networks: Codes | None = None
) -> Interval:
    """Return the 95 % interval of τ-b of the first two variables given the others; see ``interval_given``.

    Args:
        variables: Scores, accuracies and the covariates that are held fixed, each of shape n.
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.
        networks: A number for each cell's network, where it is known: networks are resampled, not cells.

    Returns:
        Both ends, or none.
    """
    return interval_given(variable(variables[0]), Others(variables[1:]), resamples, seed, networks)


def interval_given(
    x: Variable, others: Others, resamples: int, seed: int = 0, networks: Codes | None = None
) -> Interval:
    """Return the 95 % interval of τ-b of scores and accuracies given covariates.

    The percentiles of resamples, each with covariates of its own; beyond 500 cells ± 1.96 standard errors by the delta
    method from the influences on each τ-b.

    Args:
        x: Scores, shape n.
        others: Accuracies and the covariates that are held fixed.
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.
        networks: A number for each cell's network, where it is known: networks are resampled, not cells.

    Returns:
        Both ends; none for fewer than ten cells or networks or 200 resamples, or where more than one resample in twenty
        has no partial correlation.
    """
    n, same = len(x), repeated(networks)
    if (n if networks is None else len(np.unique(networks))) < MIN_CELLS or resamples < MIN_RESAMPLES:
        return _NONE
    if n > MANY_CELLS:
        return _by_standard_error(x, others, same)
    draws, variables = draw_any(n, resamples, seed, same), [x, *others.variables]
    matrices = np.tile(np.eye(len(variables)), (resamples, 1, 1))
    for i, j in combinations(range(len(variables)), 2):
        taus = resampled("kendall", variables[i].values, variables[j].values, draws)
        matrices[:, i, j] = matrices[:, j, i] = taus
    return middle(of_matrices(matrices))


def _by_standard_error(x: Variable, others: Others, networks: Codes | None) -> Interval:
    matrix = others.matrix(x)
    value = float(of_matrices(matrix[None])[0])
    if not np.isfinite(value):
        return _NONE
    half = float(stats.norm.ppf((1 + LEVEL) / 2)) * error_of(others.influence(x, gradient(matrix)), networks)
    return max(-1.0, value - half), min(1.0, value + half)


def gradient(matrix: Array) -> Array:
    """Return how the partial correlation of the first two variables moves with each entry of the matrix of τ-b.

    With P the inverse, an entry (i, j) and its mirror image move P by −(P_ai P_jb + P_aj P_ib), and the partial
    correlation −P_xy / √(P_xx P_yy) with it.

    Args:
        matrix: The matrix of all τ-b.

    Returns:
        The slopes, of its shape; those on the diagonal mean nothing.
    """
    p = np.linalg.inv(matrix)

    def moved(a: int, b: int) -> Array:
        return -(np.outer(p[a], p[:, b]) + np.outer(p[:, b], p[a]))

    scale = np.sqrt(p[0, 0] * p[1, 1])
    relative = moved(0, 0) / p[0, 0] + moved(1, 1) / p[1, 1]
    slopes: Array = -moved(0, 1) / scale + p[0, 1] / scale * relative / 2
    return slopes
