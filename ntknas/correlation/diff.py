"""What differs between two stores: settings, environment, and how far cells moved in the ranking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from ntknas.core.errors import NtknasError
from ntknas.correlation.aggregate import over_seeds
from ntknas.correlation.coefficients import kendall
from ntknas.measures import Aggregate, all_measures

_ENVIRONMENT = ("ntknas", "torch", "numpy", "python", "platform", "device", "threads", "recipe")


@dataclass(frozen=True)
class MeasureDiff:
    """One measure in two stores.

    Attributes:
        measure: Name of the measure.
        setting_a: Digest of its setting in the first store.
        setting_b: Digest of its setting in the second.
        fields: Fields in which the settings differ, with both values.
        n: Number of cells that both have a score for.
        only_a: Number of cells with a score in the first store alone.
        only_b: Number of cells with a score in the second store alone.
        equal: Number of cells whose scores are the same to the last bit.
        kendall: τ-b between the two scores; ``None`` for fewer than three cells or a constant.
        worst: The cells that moved farthest: cell, rank and value in each store; rank 1 is the best.
    """

    measure: str
    setting_a: str
    setting_b: str
    fields: Mapping[str, tuple[Any, Any]]
    n: int
    only_a: int
    only_b: int
    equal: int
    kendall: float | None
    worst: list[dict[str, float]] = field(repr=False)


def environments(frame: pd.DataFrame) -> dict[str, list[str]]:
    """Return what the runs of a store were made with: every value of versions, device and threads."""
    runs = frame.attrs.get("runs", {}).values()
    return {name: sorted({str(run[name]) for run in runs if name in run}) for name in _ENVIRONMENT}


def diff(a: pd.DataFrame, b: pd.DataFrame, worst: int = 10) -> list[MeasureDiff]:
    """Compare the scores of two stores, measure by measure.

    A measure under several settings is compared with the setting of the other store that differs least.

    Args:
        a: Scores, as from ``ntknas.load_store``.
        b: Others.
        worst: Number of cells to name.

    Raises:
        NtknasError: If a store is empty, or they have no measure in common.
    """
    if a.empty or b.empty:
        raise NtknasError("One of the stores holds no scores: there is nothing to compare.")
    found = []
    for (setting, measure), rows in a.groupby(["setting", "measure"], sort=False, observed=True):
        candidates = b[b["measure"] == measure]
        if len(candidates):
            differing = {
                str(other): _differing(a, str(setting), b, str(other)) for other in candidates["setting"].unique()
            }
            nearest = min(differing, key=lambda other: len(differing[other]))
            others = candidates[candidates["setting"] == nearest]
            found.append(_compare(str(measure), rows, others, differing[nearest], worst))
    if not found:
        raise NtknasError(
            f"The stores have no measure in common: {', '.join(sorted(set(a['measure'].astype(str))))} and "
            f"{', '.join(sorted(set(b['measure'].astype(str))))}."
        )
    return found


def _differing(a: pd.DataFrame, setting_a: str, b: pd.DataFrame, setting_b: str) -> dict[str, tuple[Any, Any]]:
    first, second = a.attrs["settings"][setting_a], b.attrs["settings"][setting_b]
    names = [*first, *(name for name in second if name not in first)]
    return {name: (first.get(name), second.get(name)) for name in names if first.get(name) != second.get(name)}


def _compare(
    measure: str, a: pd.DataFrame, b: pd.DataFrame, fields: Mapping[str, tuple[Any, Any]], worst: int
) -> MeasureDiff:
    known = all_measures().get(measure)
    rule, sign = (known.aggregate, known.sign) if known else (Aggregate.MEAN, 1)
    first, second = (over_seeds(rows, rule)["value"].dropna() for rows in (a, b))
    cells = first.index.intersection(second.index)
    x, y = first.loc[cells].to_numpy(float), second.loc[cells].to_numpy(float)
    tau = kendall(x, y) if len(cells) > 2 else float("nan")
    return MeasureDiff(
        measure,
        str(a["setting"].iloc[0]),
        str(b["setting"].iloc[0]),
        fields,
        len(cells),
        len(first.index.difference(second.index)),
        len(second.index.difference(first.index)),
        int((x == y).sum()),
        float(tau) if np.isfinite(tau) else None,
        _movers(cells, sign * x, sign * y, sign, worst),
    )


def _movers(cells: pd.Index, x: np.ndarray, y: np.ndarray, sign: int, count: int) -> list[dict[str, float]]:
    frame = pd.DataFrame({"cell": cells, "x": x, "y": y})
    frame["rank_a"], frame["rank_b"] = (frame[name].rank(ascending=False) for name in ("x", "y"))
    frame["moved"] = (frame["rank_a"] - frame["rank_b"]).abs()
    farthest = frame[frame["moved"] > 0].sort_values(["moved", "cell"], ascending=[False, True]).head(count)
    return [
        {
            "cell": int(row.cell),
            "rank_a": float(row.rank_a),
            "rank_b": float(row.rank_b),
            "value_a": sign * float(row.x),
            "value_b": sign * float(row.y),
        }
        for row in farthest.itertuples(index=False)
    ]
