"""How far a ranking depends on the choices it was made with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from ntknas.correlation.bootstrap import draw_resamples, estimate
from ntknas.correlation.estimate import Estimate
from ntknas.measures import get_measure

BASE = "base"


@dataclass(frozen=True)
class Agreement:
    """One measure under one variation.

    Attributes:
        variation: What was changed; ``base`` for the base itself.
        measure: Name of the measure.
        n: Number of cells with a score under both.
        with_base: τ-b between the scores and the base's, with its interval.
        with_accuracy: τ-b with the accuracies, if there are any.
    """

    variation: str
    measure: str
    n: int
    with_base: Estimate
    with_accuracy: Estimate | None

    def as_row(self) -> dict[str, object]:
        """Return it as plain data."""
        return asdict(self)


def agreements(
    scores: Mapping[tuple[str, str], pd.Series], accuracies: pd.Series | None, resamples: int = 200, seed: int = 0
) -> list[Agreement]:
    """Compare every variation with the base.

    Args:
        scores: Scores by cell for each (variation, measure), in the measure's own direction, without missing ones; the
            base stands under ``base``.
        accuracies: Accuracies by cell, if there are any.
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.

    Returns:
        One agreement for each variation and measure.
    """
    agreements = []
    for (variation, measure), values in scores.items():
        base = scores[BASE, measure]
        sign = get_measure(measure).sign
        with_accuracy = None if accuracies is None else _estimate(sign * values, accuracies, resamples, seed)
        cells = values.index.intersection(base.index)
        with_base = _estimate(values, base, resamples, seed)
        agreements.append(Agreement(variation, measure, len(cells), with_base, with_accuracy))
    return agreements


def _estimate(x: pd.Series, y: pd.Series, resamples: int, seed: int) -> Estimate:
    cells = x.index.intersection(y.dropna().index)
    a, b = x.loc[cells].to_numpy(float), y.loc[cells].to_numpy(float)
    return estimate("kendall", a, b, draw_resamples(len(a), resamples, seed) if len(a) else np.empty((0, 0), np.int64))
