"""Coefficients with their intervals: over cells, and over initialisations where cells have several seeds."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ntknas.correlation.bootstrap import draw_any, estimate, estimate_of_top, top_of
from ntknas.correlation.coefficients import COEFFICIENTS, Array, kendall
from ntknas.correlation.drawn import Codes, repeated
from ntknas.correlation.estimate import TOP_SHARES, Estimate
from ntknas.correlation.scored import Scored
from ntknas.correlation.seeds import BOTH, with_seeds


def with_intervals(
    item: Scored, cells: pd.Index, x: Array, y: Array, resamples: int, seed: int, networks: Codes | None = None
) -> tuple[dict[str, Estimate], str]:
    """Return every coefficient, τ-b among the best included, with its interval, and what the intervals cover.

    Args:
        item: What was scored.
        cells: The cells to take.
        x: Their signed scores.
        y: Their accuracies.
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.
        networks: A number for each cell's network, where it is known; those that several cells are are resampled.
    """
    indices = draw_any(len(x), resamples if len(x) else 0, seed, repeated(networks))
    over_cells = {name: estimate(name, x, y, indices) for name in COEFFICIENTS}
    tops = {name: estimate_of_top(x, y, share, resamples, seed, networks) for name, share in TOP_SHARES.items()}
    jackknifed = jackknifed_scores(item, cells)
    if jackknifed is None:
        return over_cells | tops, item.coverage
    for name, value in over_cells.items():
        over_cells[name] = with_seeds(value, [COEFFICIENTS[name](scores, y) for scores in jackknifed])
    for name, value in tops.items():
        top = top_of(y, TOP_SHARES[name])
        tops[name] = with_seeds(value, [kendall(scores[top], y[top]) for scores in jackknifed])
    return over_cells | tops, BOTH


def jackknifed_scores(item: Scored, cells: pd.Index) -> Array | None:
    """Return the signed scores over all seeds but one, seeds × cells; ``None`` where cells lack them."""
    if not len(cells) or not item.jackknifed or not all(cells.isin(frame.index).all() for frame in item.jackknifed):
        return None
    values = np.stack([frame.loc[cells, "value"].to_numpy(np.float64) for frame in item.jackknifed])
    return item.sign * values if np.isfinite(values).all() else None
