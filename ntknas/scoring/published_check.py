"""Published scores held against the same networks computed again: equal, within rounding, or beyond it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from ntknas.core.errors import ChoiceError
from ntknas.core.score import Status
from ntknas.measures import expand
from ntknas.published import Release
from ntknas.published.cells import COLUMN
from ntknas.scoring.cells import select
from ntknas.scoring.environment import describe, resolve_device
from ntknas.scoring.events import Event
from ntknas.scoring.job import Job
from ntknas.scoring.published_way import job_of
from ntknas.scoring.session import score, threads
from ntknas.spaces import load_space

MEDIAN, LARGEST = 1e-2, 0.1
"""Relative differences that rounding can make, of half of the networks and of any one (docs/numerics.md)."""
_SAME = ("ntknas", "torch", "numpy", "device", "threads")
"""What has to be the same for the same bits."""
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


def networks_of(release: Release, way: str, seed: int, cells: str, cells_seed: int = 0) -> list[int]:
    """Return the networks that are to be computed again, each by one of its cells.

    Args:
        release: The release.
        way: Name of the way.
        seed: Seed of the weights.
        cells: A number of networks, drawn of those that the way has scores of; a range of cells such as ``0:10``; or
            ``all``.
        cells_seed: Seed of the draw.

    Returns:
        Indices of cells.

    Raises:
        ChoiceError: If the way, the seed or the cells are not in the release.
    """
    unit, measure = release.way(way).unit, next(iter(release.way(way).measures))
    scored = release.frame([way], [seed], [measure])["cell"].to_numpy()
    held = release.cells.table.set_index("cell").rename_axis(None).assign(cell=lambda table: table.index)
    firsts: list[int] = held.loc[scored].drop_duplicates(COLUMN[unit])["cell"].tolist()
    if cells == "all":
        return firsts
    if cells.isascii() and cells.isdigit():
        if not 1 <= int(cells) <= len(firsts):
            raise ChoiceError(f"`cells` must be a number from 1 to {len(firsts)}, the networks of {way}, got {cells}.")
        drawn = np.random.default_rng(cells_seed).permutation(len(firsts))[: int(cells)]
        return sorted(firsts[place] for place in drawn)
    named = select(load_space(release.space), cells, cells_seed)
    release.cells.positions(named)
    if outside := sorted(set(named) - set(scored.tolist())):
        raise ChoiceError(f"The way {way} has no score of the cell {outside[0]}: it has some of {len(scored)} cells.")
    networks: list[int] = held.loc[named].drop_duplicates(COLUMN[unit])["cell"].tolist()
    return networks


@dataclass(frozen=True)
class Recomputation:
    """Networks of a way that are to be computed again; made by ``of``, which finds out whether they can be.

    Attributes:
        release: The release.
        way: Name of the way.
        seed: Seed of the weights.
        cells: The networks, each by one of its cells.
        job: What computes them.
        spectra: The published spectra of these cells, if they are compared too.
    """

    release: Release
    way: str
    seed: int
    cells: tuple[int, ...]
    job: Job
    spectra: pd.DataFrame | None = None

    @classmethod
    def of(
        cls,
        release: Release,
        way: str,
        seed: int,
        image_data: Path,
        cells: str = "20",
        cells_seed: int = 0,
        spectra: Path | None = None,
    ) -> Recomputation:
        """Prepare to compute networks of a way again, under its very settings.

        Args:
            release: The release.
            way: Name of the way.
            seed: Seed of the weights.
            image_data: Folder of the image sets.
            cells: As of ``networks_of``.
            cells_seed: Seed of the draw.
            spectra: Folder of the spectra, which are compared too where the way has some; left out without it.

        Returns:
            What can be run.

        Raises:
            NtknasError: If the way, seed or cells are not in the release, the images or spectra are not there or are
                others, or this version of ntknas computes something else.
        """
        chosen = tuple(networks_of(release, way, seed, cells, cells_seed))
        job = job_of(release.way(way), load_space(release.space), image_data)
        number = release.way(way).eigenvalues
        if spectra is None or not number:
            return cls(release, way, seed, chosen, job)
        measures = (*job.recipe.measures, *expand([f"spectrum:{number}"]))
        job = replace(job, recipe=replace(job.recipe, measures=measures))
        return cls(release, way, seed, chosen, job, release.spectra(way, seed, spectra).loc[list(chosen)])

    def run(self, *, device: str = "auto", on_event: Callable[[Event], None] = lambda event: None) -> WayCheck:
        """Compute, with as many threads as the release was computed with, and compare.

        Args:
            device: Where to compute.
            on_event: Told what happens, as of ``ntknas.score``.

        Returns:
            What differs.

        Raises:
            NtknasError: If there is no such device, or a file of the release was changed meanwhile.
        """
        published, job = self.release.frame([self.way], [self.seed], cells=self.cells), self.job
        with threads(_threads(self.release, published)):
            made_here = describe(resolve_device(device))
            computed = score(
                job.space,
                self.cells,
                recipe=job.recipe,
                probe=job.probe,
                dataset=job.dataset,
                seeds=[self.seed],
                device=device,
                on_event=on_event,
            ).frame
        pairs = _side_by_side(published, computed)
        measures = [_check(name, pairs) for name in self.release.way(self.way).measures]
        if self.spectra is not None:
            measures.append(_check_spectra(self.spectra, computed))
        return WayCheck(
            self.way, self.seed, self.cells, tuple(measures), _differing(self.release, published, made_here)
        )


def _runs(release: Release, published: pd.DataFrame) -> list[dict[str, object]]:
    """Return what is known of the runs that some published scores are from."""
    return [dict(release.environment.runs[run].info) for run in published["run"].unique()]


def _threads(release: Release, published: pd.DataFrame) -> int | None:
    """Return the number of threads that all of the scores were computed with; ``None`` where it is not one."""
    counts = [run.get("threads") for run in _runs(release, published)]
    first = counts[0] if counts else None
    return first if isinstance(first, int) and first > 0 and counts.count(first) == len(counts) else None


def _differing(release: Release, published: pd.DataFrame, here: dict[str, object]) -> dict[str, tuple[str, str]]:
    """Return what decides bits and is other here than it was there."""
    there = {name: sorted({str(run.get(name)) for run in _runs(release, published)}) for name in _SAME}
    return {name: (", ".join(values), str(here[name])) for name, values in there.items() if values != [str(here[name])]}


def _side_by_side(published: pd.DataFrame, computed: pd.DataFrame) -> pd.DataFrame:
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


def _check(measure: str, pairs_of_all: pd.DataFrame) -> MeasureCheck:
    pairs = pairs_of_all.loc[measure]
    there, here = pairs["value_there"].to_numpy(), pairs["value_here"].to_numpy()
    is_other = (pairs["status_there"] != pairs["status_here"]).to_numpy()
    is_equal = ~is_other & ((there == here) | (pairs["status_there"] != Status.OK.value).to_numpy())
    is_noise = pairs.index.isin(_singular(pairs_of_all) if measure in _SMALLEST else [])
    is_compared = np.isfinite(there) & np.isfinite(here) & ~is_noise
    cells, x, y = pairs.index.to_numpy()[is_compared], there[is_compared], here[is_compared]
    relative = np.abs(x - y) / np.maximum(np.maximum(np.abs(x), np.abs(y)), np.finfo(float).tiny)
    tau = stats.kendalltau(x, y).statistic if len(x) >= MIN_RANKED else float("nan")
    other = pairs.loc[is_other, ["status_there", "status_here"]]
    return MeasureCheck(
        measure,
        len(pairs),
        int(is_equal.sum()),
        float(np.median(relative)) if len(relative) else None,
        float(relative.max()) if len(relative) else None,
        int(cells[relative.argmax()]) if len(relative) else None,
        float(tau) if np.isfinite(tau) else None,
        {int(cell): (str(first), str(second)) for cell, first, second in other.itertuples()},
        int(is_noise.sum()),
    )


def _check_spectra(published: pd.DataFrame, computed: pd.DataFrame) -> MeasureCheck:
    """Compare the eigenvalues of every kernel, relative to its largest."""
    names = {f"eigenvalue_{number}": number for number in published.columns}
    rows = computed[computed["measure"].isin(list(names))]
    rows = rows.assign(number=rows["measure"].astype(str).map(names))
    there, here = published, rows.pivot(index="cell", columns="number", values="value").loc[published.index]
    x, y = there.to_numpy(np.float64), here[published.columns].to_numpy().astype(np.float32).astype(np.float64)
    has_both = np.isfinite(x).all(axis=1) & np.isfinite(y).all(axis=1)
    is_other = np.isfinite(x).all(axis=1) != np.isfinite(y).all(axis=1)
    relative = np.abs(x - y)[has_both].max(axis=1, initial=0.0) / np.abs(x[has_both, 0])
    absent = zip(published.index[is_other], np.isfinite(x[is_other]).all(axis=1), strict=True)
    cells, equal = published.index.to_numpy(), ((x == y) | (np.isnan(x) & np.isnan(y))).all(axis=1)
    return MeasureCheck(
        "spectrum",
        len(cells),
        int(equal.sum()),
        float(np.median(relative)) if len(relative) else None,
        float(relative.max()) if len(relative) else None,
        int(cells[has_both][relative.argmax()]) if len(relative) else None,
        None,
        {int(cell): ("there" if a else "absent", "absent" if a else "there") for cell, a in absent},
    )


def _singular(pairs: pd.DataFrame) -> set[int]:
    """Return the cells that have a measure without a value since their kernel is singular."""
    is_singular = (pairs[["status_there", "status_here"]] == Status.SINGULAR.value).any(axis=1)
    return set(pairs.index.get_level_values("cell")[is_singular])
