"""Scores that only a set of cells has, made from the scores of others."""

from __future__ import annotations

import pandas as pd

from ntknas.core.score import Status


def tenas_rank(cond: pd.DataFrame, regions: pd.DataFrame) -> pd.DataFrame:
    """Return the rank sum of TE-NAS, as the negative sum of two ranks: higher is better.

    The rank of a cell by condition number, 1 for the smallest, plus its rank by linear regions, 1 for the most, with
    mid-ranks for ties, among the cells that have both.

    Args:
        cond: Columns ``value`` and ``status`` by cell, as from ``over_seeds``: condition numbers.
        regions: The same for linear regions.
    """
    cells = cond.index.intersection(regions.index)
    cond, regions = cond.loc[cells], regions.loc[cells]
    usable = (cond["status"] == Status.OK.value) & (regions["status"] == Status.OK.value)
    ranks = cond["value"][usable].rank() + regions["value"][usable].rank(ascending=False)
    status = cond["status"].where(cond["status"] != Status.OK.value, regions["status"])
    return pd.DataFrame({"value": -ranks.reindex(cells), "status": status})
