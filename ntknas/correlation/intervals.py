"""Coefficients with their intervals: over cells, and over initialisations where cells have several seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from ntknas.correlation.bootstrap import draw_any, estimate, estimate_of_top
from ntknas.correlation.coefficients import COEFFICIENTS, Array, kendall
from ntknas.correlation.estimate import TOP_SHARES, Estimate
from ntknas.correlation.scored import Scored
from ntknas.correlation.seeds import BOTH, with_seeds
from ntknas.correlation.shared import Shared
from ntknas.correlation.variable import Variable


def with_intervals(
    item: Scored, x: Variable, shared: Shared, resamples: int, seed: int
) -> tuple[dict[str, Estimate], str]:
    """Return every coefficient, τ-b among the best included, with its interval, and what the intervals cover.

    Args:
        item: What was scored.
        x: Its signed scores of the cells to take.
        shared: The cells, their accuracies and units, which are resampled.
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.
    """
    y = shared.accuracies.values
    over_cells = over_all(COEFFICIENTS, x, shared, resamples, seed)
    tops = {
        name: estimate_of_top(x.values, y, share, resamples, seed, shared.units) for name, share in TOP_SHARES.items()
    }
    jackknifed = jackknifed_scores(item, shared.cells)
    if jackknifed is None:
        return over_cells | tops, item.coverage
    over_cells = over_seeds(over_cells, jackknifed, shared)
    for name, value in tops.items():
        top = shared.tops[name]
        tops[name] = with_seeds(value, [kendall(scores[top], y[top]) for scores in jackknifed])
    return over_cells | tops, BOTH


def over_all(names: Iterable[str], x: Variable, shared: Shared, resamples: int, seed: int) -> dict[str, Estimate]:
    """Return coefficients with their intervals over cells.

    Args:
        names: Keys of ``COEFFICIENTS``.
        x: Signed scores of the cells.
        shared: The cells, their accuracies and units, which are resampled.
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.
    """
    indices = draw_any(len(x), resamples if len(x) else 0, seed, shared.repeated)
    return {name: estimate(name, x, shared.accuracies, indices) for name in names}


def over_seeds(estimates: Mapping[str, Estimate], jackknifed: Array, shared: Shared) -> dict[str, Estimate]:
    """Return coefficients with intervals over cells and initialisations.

    Args:
        estimates: With intervals over cells.
        jackknifed: As from ``jackknifed_scores``.
        shared: The cells and their accuracies.
    """
    y = shared.accuracies.values
    return {
        name: with_seeds(value, [COEFFICIENTS[name](scores, y) for scores in jackknifed])
        for name, value in estimates.items()
    }


def jackknifed_scores(item: Scored, cells: pd.Index) -> Array | None:
    """Return the signed scores over all seeds but one, seeds × cells; ``None`` where cells lack them."""
    if not len(cells) or not item.jackknifed or not all(cells.isin(frame.index).all() for frame in item.jackknifed):
        return None
    values = np.stack([frame.loc[cells, "value"].to_numpy(np.float64) for frame in item.jackknifed])
    return item.sign * values if np.isfinite(values).all() else None
