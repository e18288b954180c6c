"""What matters when a score selects: τ among the best cells, the regret of choosing by it, agreement with itself."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from ntknas.correlation.bootstrap import MIN_CELLS
from ntknas.correlation.coefficients import Array, kendall
from ntknas.measures import Aggregate

BEST_OF = (5, 10)


@dataclass(frozen=True)
class BestCells:
    """What choosing by a score costs; ``None`` where too few cells are scored.

    Attributes:
        cell: The cell with the best score; of several the first.
        regret: What it lacks to the best accuracy; tied bests count by their mean.
        regret_of_5: What the most accurate of the five best-scored cells lacks, of tied ones those that come
            first.
        regret_of_10: The same of ten.
    """

    cell: int | None = None
    regret: float | None = None
    regret_of_5: float | None = None
    regret_of_10: float | None = None


def best_cells(x: Array, y: Array, cells: pd.Index) -> BestCells:
    """Return the cell with the best score, and what choosing by the score costs.

    Args:
        x: Signed scores.
        y: Accuracies.
        cells: The cells.
    """
    if not len(x):
        return BestCells()
    best = x == x.max()
    order = np.argsort(-x, kind="stable")  # ties in the order of the cells
    of_5, of_10 = (float(y.max() - y[order[:k]].max()) if k <= len(x) else None for k in BEST_OF)
    return BestCells(int(cells[best][0]), float(y.max() - y[best].mean()), of_5, of_10)


def seed_variance(rows: pd.DataFrame, rule: Aggregate) -> float | None:
    """Return the share of a measure's variance that lies between the seeds of one cell: within / (within + between).

    within is the variance over seeds, pooled over cells; between is the variance of the cells' means less what of it is
    due to seeds (one-way random effects). Of logarithms for measures that are averaged so.

    Args:
        rows: Columns ``cell``, ``seed``, ``value``.
        rule: How the measure is brought from seeds to one score.

    Returns:
        From 0 (seeds do not matter) to 1; ``None`` with one seed, for fewer than ten cells, or without logarithms.
    """
    scored = rows.dropna(subset="value")
    repeated = scored[scored.groupby("cell")["value"].transform("size") > 1]
    values, cells = repeated["value"], repeated["cell"]
    if rule is Aggregate.GEOMETRIC:
        if values.min() * values.max() <= 0:
            return None
        values = np.log(values.abs())
    if cells.nunique() < MIN_CELLS:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        by_cell = values.groupby(cells).agg(["mean", "var", "size"])
        within = float(np.average(by_cell["var"], weights=by_cell["size"] - 1))
        between = max(0.0, float(by_cell["mean"].var()) - within * float((1 / by_cell["size"]).mean()))
    total = within + between
    return within / total if 0 < total < np.inf else None


def seed_kendall(rows: pd.DataFrame) -> float | None:
    """Return the mean over pairs of seeds of τ-b between a measure's own scores.

    ``None`` with one seed, or where no two seeds share ten cells.
    """
    values = rows.dropna(subset="value").pivot(index="cell", columns="seed", values="value")
    taus = []
    for a, b in combinations(values.columns, 2):
        both = values[[a, b]].dropna().to_numpy(float)
        if len(both) >= MIN_CELLS:
            taus.append(kendall(both[:, 0], both[:, 1]))
    finite = [tau for tau in taus if np.isfinite(tau)]
    return float(np.mean(finite)) if finite else None
