"""From rows of scores to one signed score a cell for each measure and setting, baselines included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from ntknas.core.score import Status
from ntknas.correlation import names, seeds
from ntknas.correlation.aggregate import over_seeds
from ntknas.correlation.bootstrap import FEWEST_CELLS
from ntknas.correlation.coefficients import Array
from ntknas.correlation.counts import BASELINES, Counts
from ntknas.correlation.derived import tenas_rank
from ntknas.correlation.epochs import epoch_of
from ntknas.correlation.selection import seed_kendall, seed_variance
from ntknas.measures import Aggregate, Measure, all_measures

BASELINE = "baseline"
INDEPENDENT = "independent"
"""What the field ``cell_seeds`` of a setting says where each network has a seed of its own."""


@dataclass(frozen=True)
class Scored:
    """One measure under one setting.

    Attributes:
        measure: Name of the measure.
        recipe: Recipe that it was computed with.
        setting: Digest of the setting.
        cells: Columns ``value`` and ``status`` by cell.
        sign: +1 if higher is better, else −1.
        seconds: Seconds a cell; ``None`` where they are not known.
        kernel: Name of the kernel.
        seed_kendall: See ``selection.seed_kendall``.
        seed_variance: See ``selection.seed_variance``.
        epoch: Epochs of training before it was taken.
        covers: What an interval over cells covers: ``cells`` or ``cells and initialisation``.
        without: For each seed the same as ``cells`` over the other seeds, where intervals need it.
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
    covers: str = seeds.CELLS
    without: list[pd.DataFrame] = field(default_factory=list)


def scored_measures(scores: pd.DataFrame, counts: Mapping[str, Counts]) -> list[Scored]:
    """Return all measures by setting, then the counts on every cell that any measure has a value for.

    Args:
        scores: As from ``given.as_scores``.
        counts: Counts of cells by setting, where the space is known.
    """
    known = all_measures()
    order = {name: place for place, name in enumerate(known)}
    kernels = names.kernel_names(scores)
    groups = scores.groupby(["setting", "measure"], sort=False, observed=True)
    scored = [_score(str(name), known.get(str(name)), kernels, rows) for (_, name), rows in groups]
    scored += _rank_sums(scored)
    scored.sort(key=lambda item: order.get(item.measure, len(order)))
    setting = scored[0].setting
    if setting not in counts:
        return scored
    cells = sorted(set().union(*(item.cells.index[item.cells["status"] == Status.OK.value] for item in scored)))
    return scored + [_baseline(name, setting, cells, counts[setting].of(name, cells)) for name in BASELINES]


def _score(name: str, measure: Measure | None, kernels: dict[str, str], rows: pd.DataFrame) -> Scored:
    """Bring the rows of one measure under one setting to one score a cell."""
    rule = measure.aggregate if measure else Aggregate.MEAN
    first = rows.iloc[0]
    independent = first.get("cell_seeds") == INDEPENDENT
    return Scored(
        name,
        str(first.get("recipe", "custom")),
        str(first["setting"]),
        over_seeds(rows, rule),
        measure.sign if measure else 1,
        _seconds(rows),
        kernels[str(first["setting"])],
        seed_kendall(rows),
        seed_variance(rows, rule),
        epoch_of(first),
        seeds.BOTH if independent else seeds.CELLS,
        [] if independent else _without_each_seed(rows, rule),
    )


def _without_each_seed(rows: pd.DataFrame, rule: Aggregate) -> list[pd.DataFrame]:
    """Return the scores over all seeds but one, for each of them; none with one seed, or few cells that have all."""
    number = rows.groupby("cell")["seed"].transform("nunique")
    complete = rows[number == rows["seed"].nunique()]
    if rows["seed"].nunique() < 2 or complete["cell"].nunique() < FEWEST_CELLS:
        return []
    return [over_seeds(complete[complete["seed"] != seed], rule) for seed in sorted(complete["seed"].unique())]


def _seconds(rows: pd.DataFrame) -> float | None:
    if "seconds" not in rows:
        return None
    computed = rows[rows["status"] != Status.DISCONNECTED.value]["seconds"].dropna()
    return float(computed.median() * rows.groupby("cell").size().mean()) if len(computed) else None


def _rank_sums(scored: list[Scored]) -> list[Scored]:
    """The rank sum of TE-NAS for every recipe that took both of its measures, by epoch."""
    sums = []
    for cond in scored:
        key = (cond.recipe, cond.epoch)
        partners = [item for item in scored if item.measure == "linear_regions" and (item.recipe, item.epoch) == key]
        if cond.measure == "cond" and partners:
            sums.append(_rank_sum(cond, partners[0]))
    return sums


def _rank_sum(cond: Scored, regions: Scored) -> Scored:
    return Scored(
        "tenas_rank",
        cond.recipe,
        cond.setting,
        tenas_rank(cond.cells, regions.cells),
        1,
        (cond.seconds or 0.0) + (regions.seconds or 0.0),
        cond.kernel,
        epoch=cond.epoch,
        covers=cond.covers if cond.covers == regions.covers else seeds.CELLS,
        without=[tenas_rank(*pair) for pair in zip(cond.without, regions.without, strict=False)]
        if len(cond.without) == len(regions.without)
        else [],
    )


def _baseline(name: str, setting: str, cells: list[int], counts: Array) -> Scored:
    frame = pd.DataFrame({"value": counts, "status": Status.OK.value}, index=pd.Index(cells, name="cell"))
    return Scored(name, BASELINE, setting, frame, 1, 0.0, covers=seeds.BOTH)
