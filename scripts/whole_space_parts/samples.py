"""Samples of a few hundred cells against the whole: how far off they were, and whether their intervals were right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import product, repeat
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
from page import interval, kernel, number, table

from ntknas import load_space, load_store
from ntknas.correlation import Correlation, Estimate, Row, correlate
from ntknas.measures import inputs_of
from ntknas.published import Release
from ntknas.scoring.cells import sample
from ntknas.store import Setting
from whole_space_parts.findings import COUNTS, FIRST, MIN_CELLS, TARGETS, Finding, Findings, targets

T = TypeVar("T")
SIZES, SEED = (100, 300, 500), 1
"""Samples: the first cells of one permutation of all, which the committed figures are of."""
DRAWN = 300
"""Cells of the samples that are drawn again and again."""
FIGURES = {"τ": "kendall", "ρ": "spearman", "τ top 10 %": "kendall_top10", "partial τ": "partial"}


@dataclass(frozen=True)
class Pair:
    """A figure of a sample beside that of all cells.

    Attributes:
        sampled: The figure of the sample.
        whole: That of all cells.
    """

    sampled: Estimate
    whole: float

    @property
    def distance(self) -> float:
        """How far the sample's figure is off."""
        assert self.sampled.value is not None
        return abs(self.sampled.value - self.whole)

    @property
    def is_held(self) -> bool | None:
        """Whether the interval holds the figure of all cells; ``None`` without an interval."""
        ends = self.sampled.interval
        return None if ends is None else ends[0] <= self.whole <= ends[1]


def summary(pairs: list[Pair]) -> list[str]:
    """Return their number, how far they are off, and how many of the intervals hold."""
    if not pairs:
        return ["0", "–", "–", "–"]
    distances, held = [pair.distance for pair in pairs], [p.is_held for p in pairs if p.is_held is not None]
    share = f"{sum(held)} of {len(held)} ({100 * np.mean(held):.0f} %)" if held else "–"
    return [str(len(pairs)), number(float(np.mean(distances)), 3), number(max(distances), 3), share]


def same_scores(release: Release, findings: Findings, resamples: int, jobs: int) -> str:
    """Return how far off these very scores are on a sample of the cells: by size and data set."""
    names, tasks = list(release.ways), list(product(SIZES, release.ways))
    pairs: dict[tuple[int, str, str], list[Pair]] = {}
    for (size, way), rows in zip(tasks, _in_processes(_sampled, release, tasks, resamples, jobs), strict=True):
        for row, (text, field) in product(rows, FIGURES.items()):
            whole = findings.get((COUNTS if row.is_baseline else way, row.measure), "all", row.target)
            if not (row.is_baseline and way != names[0]):  # the counts stand beside every way
                pairs.setdefault((size, row.target, text), []).extend(_pair(row, whole, field))
    lines = [
        [str(size), target.split("/")[0], text, *summary(pairs.get((size, target, text), []))]
        for size, target, text in product(SIZES, TARGETS, FIGURES)
    ]
    return table(("cells", "accuracies", "figure", "figures", "mean distance", "largest", "intervals that hold"), lines)


def _in_processes(
    work: Callable[[Path, T, int], list[Row]], release: Release, tasks: list[T], resamples: int, jobs: int
) -> list[list[Row]]:
    """Return what each task gives, in the order of the tasks; each process opens the release for itself."""
    with ProcessPoolExecutor(jobs) as pool:
        return list(pool.map(partial(work, release.folder), tasks, repeat(resamples)))


def _sampled(folder: Path, task: tuple[int, str], resamples: int) -> list[Row]:
    """Return the rows of a way on a sample; none of a way of one cell for each network, which is no sample of all."""
    size, way = task
    scores = Release.open(folder).frame([way], cells=sample(load_space("nb201"), size, SEED))
    return correlate(scores, targets(), resamples=resamples).rows if scores["cell"].nunique() == size else []


def _pair(row: Row, whole: Row | None, field: str) -> list[Pair]:
    sampled = getattr(row, field)
    value = None if whole is None else getattr(whole, field).value
    return [] if value is None or sampled.value is None else [Pair(sampled, value)]


def many_draws(release: Release, findings: Findings, draws: int, resamples: int, jobs: int) -> str:
    """Return how far off other samples of 300 cells would have been: the best measure of each way, and the counts.

    Args:
        release: The release.
        findings: Its findings.
        draws: Number of samples.
        resamples: Resamples of intervals.
        jobs: Processes.
    """
    pairs: dict[tuple[str, str], list[Pair]] = {}
    best = {way: finding.row.measure for way, finding in findings.best().items()}
    tasks = [(seed, best) for seed in range(SEED, SEED + draws)]
    for rows in _in_processes(_drawn, release, tasks, resamples, jobs):
        if not rows:
            return "No way has a score of every cell."
        for finding, row in _known(rows, findings):
            for text, field in FIGURES.items():
                pairs.setdefault((finding.name, text), []).extend(_pair(row, finding.row, field))
    names = dict.fromkeys(name for name, _ in pairs)
    lines = [[name, *(_short(pairs.get((name, text), [])) for text in FIGURES)] for name in names]
    return table(("ranking", *(f"{text}: mean distance, held" for text in FIGURES)), lines)


def _drawn(folder: Path, task: tuple[int, dict[str, str]], resamples: int) -> list[Row]:
    """Return the rows of a sample, of ways that have a score of every cell."""
    scores = _best_scores(Release.open(folder), *task)
    return [] if scores.empty else correlate(scores, {FIRST: targets()[FIRST]}, resamples=resamples).rows


def _best_scores(release: Release, seed: int, best: dict[str, str]) -> pd.DataFrame:
    """Return the scores of a sample by the best measure of each way, of ways that have one of every cell."""
    cells, frames = sample(load_space("nb201"), DRAWN, seed), []
    for way, measure in best.items():
        scores = release.frame([way], measures=inputs_of([measure]), cells=cells)
        frames += [scores] if scores["cell"].nunique() == len(cells) else []
    together = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    together.attrs["settings"] = {name: fields for each in frames for name, fields in each.attrs["settings"].items()}
    return together


def _known(rows: list[Row], findings: Findings) -> Iterator[tuple[Finding, Row]]:
    """Yield rows with what was found of the whole."""
    best = {finding.row.key: finding for finding in findings.best().values()}
    counts = {finding.row.measure: finding for finding in findings.of("all", FIRST) if finding.way == COUNTS}
    for row in rows:  # those that a derived measure is made of stand there too
        finding = counts.get(row.measure) if row.is_baseline else best.get(row.key)
        if finding is not None:
            yield finding, row


def _short(pairs: list[Pair]) -> str:
    """Return the mean distance, and how many of the intervals hold."""
    held = [pair.is_held for pair in pairs if pair.is_held is not None]
    distance = number(float(np.mean([pair.distance for pair in pairs])), 3) if pairs else "–"
    return f"{distance}, {sum(held)} of {len(held)}" if held else distance


def committed(store: Path, release: Release, findings: Findings, resamples: int) -> tuple[str, str]:
    """Return the committed figures, which are of other images, beside those of all cells.

    Args:
        store: Scores of the committed sample.
        release: The release.
        findings: Its findings.
        resamples: Resamples of intervals.

    Returns:
        The table of the first data set, and a line that sums up.
    """
    answer = correlate(load_store(store), {FIRST: targets()[FIRST]}, resamples=resamples)
    found = []
    for row, way in product(answer.rows, release.ways):
        whole = findings.get((way, row.measure), "all", FIRST)
        if whole is not None and row.n >= MIN_CELLS and _alike(answer, row, release.ways[way].settings[whole.setting]):
            found += [(way, row, pair) for pair in _pair(row, whole, "kendall")]
    found.sort(key=lambda item: -item[2].distance)
    lines = [
        [row.measure, way, kernel(answer, row), str(row.n), interval(pair.sampled), number(pair.whole), _held(pair)]
        for way, row, pair in found
    ]
    head = ("measure", "way", "committed: kernel", "cells", "τ [95 %]", "τ of all cells", "held")
    number_of, mean, most, share = summary([pair for *_, pair in found])
    return table(head, lines), (
        f"Of {number_of} committed τ on {FIRST} that have a way here, {share} of the intervals hold the τ of all cells; "
        f"they are off by {mean} on average, by {most} at most."
    )


def _held(pair: Pair) -> str:
    return {None: "–", True: "yes", False: "**no**"}[pair.is_held]


def _alike(answer: Correlation, row: Row, published: Setting) -> bool:
    """Return whether a committed score was made as a published one, but for which images of the source, and how many."""
    setting = answer.settings.get(row.setting)
    if setting is None or row.is_baseline:
        return False
    ours, theirs = setting.fields, published.fields
    names = {name for name in {*ours, *theirs} if name == "probe_source" or not name.startswith("probe")}
    return all(ours.get(name) == theirs.get(name) for name in names)
