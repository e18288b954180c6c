"""What matters when a score selects: τ among the best cells, the regret of choosing by it, agreement with itself."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from ntknas.correlation.bootstrap import estimate_of_top
from ntknas.correlation.coefficients import Array, kendall

TOP_SHARES = {"kendall_top10": 0.10, "kendall_top25": 0.25}
BEST_OF = (5, 10)


def top_kendalls(x: Array, y: Array, resamples: int, seed: int) -> dict[str, float | None]:
    """Return τ-b among the most accurate cells, with the ends of its interval."""
    cells: dict[str, float | None] = {}
    for name, share in TOP_SHARES.items():
        found = estimate_of_top(x, y, share, resamples, seed)
        cells |= {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
    return cells


def best_cells(x: Array, y: Array, cells: pd.Index) -> dict[str, Any]:
    """Return the cell with the best score, and what it lacks to the best accuracy; tied bests count by their mean.

    Best of k: what the most accurate of the k best-scored cells lacks, of tied ones those that come first.
    """
    if not len(x):
        return {"best_cell": None, "regret": None, **{f"regret_best_of_{k}": None for k in BEST_OF}}
    best = x == x.max()
    order = np.argsort(-x, kind="stable")
    regrets = {f"regret_best_of_{k}": float(y.max() - y[order[:k]].max()) if k <= len(x) else None for k in BEST_OF}
    return {"best_cell": int(cells[best][0]), "regret": float(y.max() - y[best].mean()), **regrets}


def seed_kendall(rows: pd.DataFrame) -> float | None:
    """Return the mean over pairs of seeds of τ-b between a measure's own scores.

    ``None`` with one seed, or where no two seeds share ten cells.
    """
    values = rows.dropna(subset="value").pivot(index="cell", columns="seed", values="value")
    found = []
    for a, b in combinations(values.columns, 2):
        both = values[[a, b]].dropna().to_numpy(float)
        if len(both) >= 10:
            found.append(kendall(both[:, 0], both[:, 1]))
    found = [tau for tau in found if np.isfinite(tau)]
    return float(np.mean(found)) if found else None
