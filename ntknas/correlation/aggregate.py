"""From scores of each seed to one score a cell."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ntknas.core.score import Status
from ntknas.measures import Aggregate


def over_seeds(rows: pd.DataFrame, rule: Aggregate) -> pd.DataFrame:
    """Bring the scores of one measure under one setting to one score a cell.

    Args:
        rows: Columns ``cell``, ``seed``, ``value``, ``status``.
        rule: ``mean``, or ``geometric``: the mean of the logarithm of the magnitude, exponentiated, sign kept.

    Returns:
        Indexed by cell: ``value`` (NaN without one), ``status``, ``spread`` (standard deviation over seeds, of the
        logarithm for ``geometric``) and ``seeds``. A cell with a seed that has no value has none either, with that
        seed's status: a mean over what is left would compare cells on different seeds.
    """
    frames = []
    for cell, group in rows.groupby("cell", sort=True):
        without = group[group["status"] != Status.OK.value]
        if len(without):
            frames.append((cell, np.nan, without["status"].iloc[0], np.nan, len(group)))
        else:
            value, spread = _combine(group["value"].to_numpy(float), rule)
            frames.append((cell, value, Status.OK.value, spread, len(group)))
    return pd.DataFrame(frames, columns=["cell", "value", "status", "spread", "seeds"]).set_index("cell")


def _combine(values: np.ndarray, rule: Aggregate) -> tuple[float, float]:
    signs = np.unique(np.sign(values))
    if rule is Aggregate.GEOMETRIC and len(signs) == 1 and signs[0] != 0:
        logarithms = np.log(np.abs(values))
        return float(signs[0] * np.exp(logarithms.mean())), _deviation(logarithms)
    return float(values.mean()), _deviation(values)


def _deviation(values: np.ndarray) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else float("nan")
