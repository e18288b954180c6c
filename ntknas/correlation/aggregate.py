"""From scores of each seed to one score per cell."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ntknas.core.score import Status
from ntknas.measures import Aggregate


def over_seeds(rows: pd.DataFrame, rule: Aggregate) -> pd.DataFrame:
    """Bring the scores of one measure under one setting to one score per cell.

    Args:
        rows: Columns ``cell``, ``seed``, ``value``, ``status``.
        rule: ``mean``, or ``geometric``: the mean of the logarithm of the magnitude, exponentiated, sign kept.

    Returns:
        Indexed by cell: ``value`` (NaN without one), ``status``, ``spread`` (standard deviation over seeds, of the
        logarithm for ``geometric``) and ``seeds``. A cell with a seed that has no value has none either, with that
        seed's status: a mean over what is left would compare cells on different seeds. A mean beyond the largest number
        is ``non-finite``.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # sums beyond the largest number
        combined = _combine(rows, rule)
    failures = rows[rows["status"] != Status.OK.value].groupby("cell")["status"].first()
    status = np.full(len(combined), Status.OK.value, dtype=object)
    status[combined.index.get_indexer(failures.index)] = failures.astype(str)
    value, spread = (combined[name].to_numpy(np.float64, copy=True) for name in ("mean", "std"))
    status[(status == Status.OK.value) & ~np.isfinite(value)] = Status.NON_FINITE.value
    has_none = status != Status.OK.value
    value[has_none] = spread[has_none] = np.nan
    columns = {"value": value, "status": status, "spread": spread, "seeds": rows.groupby("cell").size().to_numpy()}
    return pd.DataFrame(columns, index=combined.index).astype({"status": str})


def _combine(rows: pd.DataFrame, rule: Aggregate) -> pd.DataFrame:
    """Return mean and deviation over seeds; values of mixed sign, or zero, are averaged without logarithms."""
    plain = rows.groupby("cell")["value"].agg(["mean", "std"])
    if rule is Aggregate.MEAN:
        return plain
    values = rows["value"].to_numpy(float)
    with np.errstate(divide="ignore", invalid="ignore"):  # zeros, whose cells are averaged plainly
        columns = {"cell": rows["cell"].to_numpy(), "logarithm": np.log(np.abs(values)), "sign": np.sign(values)}
        groups = pd.DataFrame(columns).groupby("cell")
        logarithms, sign = groups["logarithm"].agg(["mean", "std"]), groups["sign"].agg(["min", "max"])
    geometric = (sign["min"] == sign["max"]) & (sign["min"] != 0)
    signed = pd.DataFrame({"mean": sign["min"] * np.exp(logarithms["mean"]), "std": logarithms["std"]})
    return plain.where(~geometric, signed)
