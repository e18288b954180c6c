"""Published scores held against the same networks computed again: equal, within rounding, or beyond it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from scipy import stats

from ntknas.core.score import Status
from ntknas.measures import expand

MEDIAN, LARGEST = 1e-2, 0.1
"""Relative differences that rounding can make, of half of the networks and of any one (docs/numerics.md)."""
MIN_RANKED = 3
_BESIDE_THRESHOLD = {Status.OK.value, Status.SINGULAR.value}
"""Statuses that rounding may exchange, where λ_n lies at the threshold; of few networks."""
_SMALLEST = ("lambda_min", "class_lambda_min")
"""Measures that are reported as computed where a kernel is singular."""


@dataclass(frozen=True)
class MeasureCheck:
    """The scores of one measure, published and computed again.

    Attributes:
        measure: Name of the measure.
        networks: Number of networks.
        equal: Number of them with the same status and the same number in float32.
        median: Median of the relative differences; ``None`` where no network has both values.
        largest: The largest of them.
        worst_cell: The cell that it is of.
        kendall: τ-b between both; ``None`` for fewer than three values, or a constant.
        other_status: Status that is published and the one here, by cell, where they are not the same.
        rounding_alone: Number of networks whose kernel is singular, where the number is zero to rounding: their
            differences mean nothing, and are left out.
    """

    measure: str
    networks: int
    equal: int
    median: float | None
    largest: float | None
    worst_cell: int | None
    kendall: float | None
    other_status: dict[int, tuple[str, str]]
    rounding_alone: int = 0

    @property
    def fault(self) -> str:
        """What is more than rounding can do; empty where nothing is."""
        at_threshold = [cell for cell, both in self.other_status.items() if set(both) == _BESIDE_THRESHOLD]
        may_be_rounding = len(at_threshold) <= LARGEST * self.networks
        for cell, (published, here) in self.other_status.items():
            if cell not in at_threshold or not may_be_rounding:
                return f"cell {cell} is {published} in the release and {here} here"
        if self.median is not None and self.median > MEDIAN:
            return f"half of the networks differ by more than {MEDIAN:.0%}"
        if self.largest is not None and self.largest > LARGEST:
            return f"cell {self.worst_cell} differs by more than {LARGEST:.0%}"
        return ""


@dataclass(frozen=True)
class WayCheck:
    """What came of computing some networks of a way again.

    Attributes:
        way: Name of the way.
        seed: Seed of the weights.
        cells: The networks, each by one of its cells.
        measures: What came of each measure.
        differing: What of versions, device and threads is other than it was: the value there, and here.
    """

    way: str
    seed: int
    cells: tuple[int, ...]
    measures: tuple[MeasureCheck, ...]
    differing: dict[str, tuple[str, str]]

    @property
    def is_right(self) -> bool:
        """Whether no score differs by more than rounding can do."""
        return not any(check.fault for check in self.measures)

    def as_json(self) -> dict[str, object]:
        """Return plain data."""
        measures = [{**asdict(check), "fault": check.fault} for check in self.measures]
        return {**asdict(self), "cells": list(self.cells), "measures": measures, "right": self.is_right}


def side_by_side(published: pd.DataFrame, computed: pd.DataFrame) -> pd.DataFrame:
    """Return values, as float32 has them, and statuses of both by measure and cell."""
    both = [
        frame.astype({"measure": str, "status": str}).set_index(["measure", "cell"])[["value", "status"]]
        for frame in (published, computed)
    ]
    pairs = both[0].add_suffix("_there").join(both[1].add_suffix("_here"))
    for name in ("value_there", "value_here"):
        with np.errstate(over="ignore"):
            rounded = pairs[name].astype(np.float32).astype(np.float64)
        pairs[name] = rounded.where(~np.isinf(rounded), pairs[name])
    return pairs


def check_measure(measure: str, pairs_of_all: pd.DataFrame) -> MeasureCheck:
    """Compare the scores of one measure.

    Args:
        measure: Name of the measure.
        pairs_of_all: As from ``side_by_side``, of all measures of the way.

    Returns:
        What differs.
    """
    pairs = pairs_of_all.loc[measure]
    there, here = pairs["value_there"].to_numpy(), pairs["value_here"].to_numpy()
    is_other = (pairs["status_there"] != pairs["status_here"]).to_numpy()
    is_equal = ~is_other & ((there == here) | (pairs["status_there"] != Status.OK.value).to_numpy())
    is_noise = pairs.index.isin(_singular(pairs_of_all) if measure in _SMALLEST else [])
    is_compared = np.isfinite(there) & np.isfinite(here) & ~is_noise
    x, y = there[is_compared], here[is_compared]
    relative = np.abs(x - y) / _at_least_tiny(np.maximum(np.abs(x), np.abs(y)))
    tau = stats.kendalltau(x, y).statistic if len(x) >= MIN_RANKED else float("nan")
    return MeasureCheck(
        measure,
        len(pairs),
        int(is_equal.sum()),
        *_largest(relative, pairs.index.to_numpy()[is_compared]),
        float(tau) if np.isfinite(tau) else None,
        {
            int(cell): (str(first), str(second))
            for cell, first, second in pairs.loc[is_other, ["status_there", "status_here"]].itertuples()
        },
        int(is_noise.sum()),
    )


def check_spectra(published: pd.DataFrame, computed: pd.DataFrame) -> MeasureCheck:
    """Compare the eigenvalues of every kernel, relative to its largest.

    Args:
        published: As of ``Release.spectra``, of some cells.
        computed: Scores of these cells, as from ``ntknas.score``, measures ``eigenvalue_1``, … among them.

    Returns:
        What differs; a spectrum that is absent on one side alone has another status.
    """
    names = dict(zip(expand([f"spectrum:{len(published.columns)}"]), published.columns, strict=True))
    rows = computed[computed["measure"].isin(list(names))]
    rows = rows.assign(number=rows["measure"].astype(str).map(names))
    here = rows.pivot(index="cell", columns="number", values="value").loc[published.index, published.columns]
    with np.errstate(over="ignore"):
        x, y = (frame.to_numpy(np.float32).astype(np.float64) for frame in (published, here))
    is_there, is_here = (np.isfinite(values).all(axis=1) for values in (x, y))
    has_both, cells = is_there & is_here, published.index.to_numpy()
    relative = np.abs(x - y)[has_both].max(axis=1, initial=0.0) / _at_least_tiny(np.abs(x[has_both, 0]))
    sides = {True: "there", False: "absent"}
    return MeasureCheck(
        "spectrum",
        len(cells),
        int(((x == y).all(axis=1) | ~(is_there | is_here)).sum()),
        *_largest(relative, cells[has_both]),
        None,
        {
            int(cell): (sides[bool(there)], sides[not there])
            for cell, there in zip(cells[is_there != is_here], is_there[is_there != is_here], strict=True)
        },
    )


def _at_least_tiny(sizes: np.ndarray) -> np.ndarray:
    bounded: np.ndarray = np.maximum(sizes, np.finfo(np.float64).tiny)
    return bounded


def _largest(relative: np.ndarray, cells: np.ndarray) -> tuple[float | None, float | None, int | None]:
    """Return the median of differences, the largest, and the cell that it is of."""
    if not len(relative):
        return None, None, None
    return float(np.median(relative)), float(relative.max()), int(cells[relative.argmax()])


def _singular(pairs: pd.DataFrame) -> set[int]:
    """Return the cells that have a measure without a value since their kernel is singular."""
    is_singular = (pairs[["status_there", "status_here"]] == Status.SINGULAR.value).any(axis=1)
    return set(pairs.index.get_level_values("cell")[is_singular])
