"""Networks of a published way, computed again under its very settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from ntknas.core.errors import ChoiceError
from ntknas.measures import expand
from ntknas.published import Release
from ntknas.published.cells import COLUMN
from ntknas.scoring.cells import select
from ntknas.scoring.environment import describe, resolve_device
from ntknas.scoring.events import Event
from ntknas.scoring.job import Job
from ntknas.scoring.published_check import WayCheck, check_measure, check_spectra, side_by_side
from ntknas.scoring.published_way import job_of
from ntknas.scoring.session import score, threads
from ntknas.spaces import load_space

_SAME = ("ntknas", "torch", "numpy", "device", "threads")
"""What has to be the same for the same bits."""


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
        pairs = side_by_side(published, computed)
        measures = [check_measure(name, pairs) for name in self.release.way(self.way).measures]
        if self.spectra is not None:
            measures.append(check_spectra(self.spectra, computed))
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
