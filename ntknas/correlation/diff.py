"""What differs between two stores: settings, environment, and how far cells moved in the ranking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ntknas.core.errors import NtknasError
from ntknas.correlation.aggregate import over_seeds
from ntknas.correlation.coefficients import Array, kendall
from ntknas.measures import Aggregate, find_measure
from ntknas.store.frame import settings_of
from ntknas.store.setting import Setting

_ENVIRONMENT = ("ntknas", "torch", "numpy", "python", "platform", "device", "threads", "recipe")
Fields = Mapping[str, tuple[object, object]]
"""Names of a setting's fields, with the values of both stores."""


@dataclass(frozen=True)
class Mover:
    """A cell that stands at different ranks in two stores; rank 1 is the best."""

    cell: int
    rank_a: float
    rank_b: float
    value_a: float
    value_b: float


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
        worst: The cells that moved farthest.
    """

    measure: str
    setting_a: str
    setting_b: str
    fields: Fields
    n: int
    only_a: int
    only_b: int
    equal: int
    kendall: float | None
    worst: list[Mover] = field(repr=False)


def environments(frame: pd.DataFrame) -> dict[str, list[str]]:
    """Return what the runs of a store were made with: every value of versions, device and threads."""
    runs = frame.attrs.get("runs", {}).values()
    return {name: sorted({str(run[name]) for run in runs if name in run}) for name in _ENVIRONMENT}


def differing_environments(a: pd.DataFrame, b: pd.DataFrame) -> dict[str, tuple[list[str], list[str]]]:
    """Return what of ``environments`` differs between two stores, with the values of both."""
    first, second = environments(a), environments(b)
    return {name: (first[name], second[name]) for name in first if first[name] != second[name]}


def diff(a: pd.DataFrame, b: pd.DataFrame, worst: int = 10) -> list[MeasureDiff]:
    """Compare the scores of two stores, measure by measure.

    A measure under several settings is compared with the setting of the other store that differs least.

    Args:
        a: Scores, as from ``ntknas.load_store``.
        b: Others.
        worst: Number of cells to name.

    Returns:
        The differences, one for each measure and setting of the first store that the second has too.

    Raises:
        NtknasError: If a store is empty, or they have no measure in common.
    """
    if a.empty or b.empty:
        raise NtknasError("One of the stores holds no scores: there is nothing to compare.")
    settings_a, settings_b = settings_of(a), settings_of(b)
    diffs = []
    for (setting, measure), rows in a.groupby(["setting", "measure"], sort=False, observed=True):
        candidates = b[b["measure"] == measure]
        if len(candidates):
            fields = {
                str(candidate): _differing(settings_a[str(setting)], settings_b[str(candidate)])
                for candidate in candidates["setting"].unique()
            }
            nearest = min(fields, key=lambda candidate: len(fields[candidate]))
            nearest_rows = candidates[candidates["setting"] == nearest]
            diffs.append(_compare(str(measure), rows, nearest_rows, fields[nearest], worst))
    if not diffs:
        raise NtknasError(f"The stores have no measure in common: {_measures(a)} and {_measures(b)}.")
    return diffs


def _measures(frame: pd.DataFrame) -> str:
    return ", ".join(sorted(set(frame["measure"].astype(str))))


def _differing(a: Setting, b: Setting) -> dict[str, tuple[object, object]]:
    names = dict.fromkeys([*a.fields, *b.fields])
    values = {name: (a.fields.get(name), b.fields.get(name)) for name in names}
    return {name: pair for name, pair in values.items() if pair[0] != pair[1]}


def _compare(measure: str, a: pd.DataFrame, b: pd.DataFrame, fields: Fields, worst: int) -> MeasureDiff:
    definition = find_measure(measure)
    rule, sign = (definition.aggregate, definition.sign) if definition else (Aggregate.MEAN, 1)
    first, second = (over_seeds(rows, rule)["value"].dropna() for rows in (a, b))
    cells = first.index.intersection(second.index)
    x, y = first.loc[cells].to_numpy(np.float64), second.loc[cells].to_numpy(np.float64)
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


def _movers(cells: pd.Index, x: Array, y: Array, sign: int, count: int) -> list[Mover]:
    """Return the cells that moved farthest; x and y are signed."""
    frame = pd.DataFrame({"cell": cells, "x": x, "y": y})
    frame["rank_a"], frame["rank_b"] = (frame[name].rank(ascending=False) for name in ("x", "y"))
    frame["moved"] = (frame["rank_a"] - frame["rank_b"]).abs()
    farthest = frame[frame["moved"] > 0].sort_values(["moved", "cell"], ascending=[False, True]).head(count)
    columns = (farthest[name].tolist() for name in ("cell", "rank_a", "rank_b", "x", "y"))
    return [Mover(int(cell), a, b, sign * u, sign * v) for cell, a, b, u, v in zip(*columns, strict=True)]
