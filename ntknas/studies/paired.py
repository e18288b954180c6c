"""Means over the folds of repeated cross-validation, with intervals and paired tests that allow for shared samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Mean:
    """A mean over folds.

    Attributes:
        value: The mean.
        low: Lower end of its 95 % interval; NaN for fewer than two folds, and where all are equal.
        high: Upper end.
        p: p-value of the two-sided test that it is 0.
    """

    value: float
    low: float
    high: float
    p: float


def corrected_mean(values: np.ndarray, test_share: float) -> Mean:
    """Return the mean of values of J folds, by the corrected resampled t-test (Nadeau & Bengio 2003).

    Training parts overlap, so that folds are not independent: the variance of the mean is s² (1/J + n_test/n_train),
    with J − 1 degrees of freedom.

    Args:
        values: A score, or a difference of scores, of each fold.
        test_share: n_test / n_train.

    Example:
        >>> corrected_mean(np.array([1.0, 2.0, 3.0]), 0.5).value
        2.0
    """
    count = len(values)
    mean = float(values.mean())
    if count < 2:
        return Mean(mean, np.nan, np.nan, np.nan)
    error = float(np.sqrt(values.var(ddof=1) * (1 / count + test_share)))
    if error <= 1e-12 * abs(mean) or error == 0:  # equal by chance, as accuracies of few samples are
        return Mean(mean, np.nan, np.nan, np.nan)
    reach = float(stats.t.ppf(0.975, count - 1)) * error
    return Mean(mean, mean - reach, mean + reach, float(2 * stats.t.sf(abs(mean / error), count - 1)))
