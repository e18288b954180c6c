"""From rows of scores to one signed score per cell for each measure and setting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from ntknas.core.score import Status
from ntknas.correlation import seeds
from ntknas.correlation.aggregate import over_seeds
from ntknas.correlation.bootstrap import MIN_CELLS
from ntknas.correlation.coefficients import Array
from ntknas.correlation.row import BASELINE
from ntknas.correlation.selection import seed_kendall, seed_variance
from ntknas.measures import Aggregate, Measure, find_measure
from ntknas.store.setting import Setting


@dataclass(frozen=True)
class Scored:
    """One measure under one setting.

    Attributes:
        measure: Name of the measure.
        recipe: Recipe that it was computed with.
        setting: Digest of the setting.
        cells: Columns ``value`` and ``status`` by cell.
        sign: +1 if higher is better, else −1.
        seconds: Seconds per cell; ``None`` where they are not known.
        kernel: Name of the kernel.
        seed_kendall: See ``selection.seed_kendall``.
        seed_variance: See ``selection.seed_variance``.
        epoch: Epochs of training before it was taken.
        coverage: What an interval over cells covers: ``cells`` or ``cells and initialisation``.
        jackknifed: For each seed the same as ``cells`` over the other seeds, where intervals need it.
        fitted: What of it was chosen on cells with known accuracies, or may have been; empty if nothing was.
    """

    measure: str
    recipe: str
    setting: str
    cells: pd.DataFrame
    sign: int
    seconds: float | None
    kernel: str = ""
    seed_kendall: float | None = None
    seed_variance: float | None = None
    epoch: int = 0
    coverage: str = seeds.CELLS
    jackknifed: list[pd.DataFrame] = field(default_factory=list)
    fitted: str = ""

    @property
    def scored_cells(self) -> pd.Index:
        """The cells that have a value."""
        return self.cells.index[self.cells["status"] == Status.OK.value]

    @property
    def failed_cells(self) -> pd.Index:
        """The cells that were scored and have no value; one of which a part was not scored at all is none of them."""
        failures = [status.value for status in Status if status is not Status.OK]
        return self.cells.index[self.cells["status"].isin(failures)]


def baseline(name: str, setting: str, cells: Iterable[int], values: Array) -> Scored:
    """Return a count of cells as a score: it takes no time, and no initialisation moves it.

    Args:
        name: Name of the count.
        setting: Digest of the setting whose networks were counted.
        cells: The cells.
        values: Their counts.
    """
    index = pd.Index(list(cells), name="cell")
    frame = pd.DataFrame({"value": values, "status": Status.OK.value}, index=index)
    return Scored(name, BASELINE, setting, frame, 1, 0.0, coverage=seeds.BOTH)


def scored_measures(scores: pd.DataFrame, settings: Mapping[str, Setting], kernels: Mapping[str, str]) -> list[Scored]:
    """Return every measure under every setting.

    Args:
        scores: As from ``given.as_scores``.
        settings: Settings by digest, where the scores are a store's.
        kernels: Names of the kernels by setting.
    """
    groups = scores.groupby(["setting", "measure"], sort=False, observed=True)
    return [
        _score(str(name), find_measure(str(name)), rows, settings.get(str(digest)), kernels.get(str(digest), ""))
        for (digest, name), rows in groups
    ]


def _score(name: str, measure: Measure | None, rows: pd.DataFrame, setting: Setting | None, kernel: str) -> Scored:
    """Bring the rows of one measure under one setting to one score per cell; a user's own say their direction."""
    own_sign = int(rows["sign"].iloc[0]) if "sign" in rows and rows["sign"].notna().all() else 0
    measure = None if own_sign else measure
    rule = measure.aggregate if measure else Aggregate.MEAN
    first = rows.iloc[0]
    is_independent = setting is not None and setting.network.has_independent_seeds
    return Scored(
        name,
        str(first.get("recipe", "custom")),
        str(first["setting"]),
        over_seeds(rows, rule),
        measure.sign if measure else own_sign or 1,
        _seconds(rows),
        kernel,
        seed_kendall(rows),
        seed_variance(rows, rule),
        setting.epoch if setting else 0,
        seeds.BOTH if is_independent else seeds.CELLS,
        [] if is_independent else _without_each_seed(rows, rule),
    )


def _without_each_seed(rows: pd.DataFrame, rule: Aggregate) -> list[pd.DataFrame]:
    """Return the scores over all seeds but one, for each of them; none with one seed, or few cells that have all."""
    rows = rows[["cell", "seed", "value", "status"]]  # a store's have dozens of columns, each of which would be copied
    number = rows.groupby("cell")["seed"].transform("nunique")
    complete = rows[number == rows["seed"].nunique()]
    if rows["seed"].nunique() < 2 or complete["cell"].nunique() < MIN_CELLS:
        return []
    return [over_seeds(complete[complete["seed"] != seed], rule) for seed in sorted(complete["seed"].unique())]


def _seconds(rows: pd.DataFrame) -> float | None:
    if "seconds" not in rows:
        return None
    computed = rows[rows["status"] != Status.DISCONNECTED.value]["seconds"].dropna()
    return float(computed.median() * rows.groupby("cell").size().mean()) if len(computed) else None
