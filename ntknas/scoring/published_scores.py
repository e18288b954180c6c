"""Scores that are published, taken in place of computing them: those of the same setting, seed and cell."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ntknas.core.score import Score, Status
from ntknas.published import Release, Way
from ntknas.scoring.events import OtherSetting, PublishedTaken
from ntknas.scoring.job import Job
from ntknas.scoring.plan import Plan, WorkItem
from ntknas.scoring.published_way import nearest, settings_of, ways_by_setting
from ntknas.store import ScoreRecord, ScoreStore


class _Row(NamedTuple):
    """A published score."""

    measure: str
    value: float
    status: str
    reason: str
    seconds: float
    run: str

    @property
    def score(self) -> Score:
        return Score(self.measure, None if math.isnan(self.value) else self.value, Status(self.status), self.reason)


@dataclass(frozen=True)
class Taken:
    """What of a plan is published.

    Attributes:
        release: Name and version of the release.
        recipe: Name of the recipe that asked for the scores.
        rest: What is left to compute.
        records: The scores by way; their run is the one that computed them, as the release knows it.
        runs: What is known of these runs.
        lacking: Measures that a way does not have, by way: a kernel is computed as a whole.
    """

    release: str
    recipe: str
    rest: Plan
    records: Mapping[str, list[ScoreRecord]] = field(default_factory=dict)
    runs: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    lacking: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def kernels(self) -> int:
        """Number of (cell, seed, kernel) that are taken."""
        return sum(map(len, self.records.values()))

    @property
    def event(self) -> PublishedTaken:
        """What is to be told."""
        left = sum(len(item.members) for item in self.rest.items)
        return PublishedTaken(self.release, {way: len(of) for way, of in self.records.items()}, left, self.lacking)

    def keep(self, store: ScoreStore) -> Iterator[ScoreRecord]:
        """Store the scores, under runs of their own that say where they are from.

        Args:
            store: The store.

        Yields:
            Each record, when it is stored.

        Raises:
            StoreError: If the store cannot be written.
        """
        for way, records in self.records.items():
            runs: dict[str, str] = {}
            for record in records:
                if record.run not in runs:
                    runs[record.run] = self._run(store, way, record.run)
                kept = replace(record, run=runs[record.run])
                store.append(kept)
                yield kept

    def _run(self, store: ScoreStore, way: str, run: str) -> str:
        """Return the run of a store that scores of a published run are from."""
        origin = {"published": self.release, "way": way, "published_run": run, "recipe": self.recipe}
        for known in store.runs.values():
            if {name: known.info.get(name) for name in origin} == origin:
                return known.identifier
        return store.add_run({**self.runs[run], **origin})


def take(plan: Plan, job: Job, release: Release) -> Taken:
    """Find what of a plan is published.

    Args:
        plan: What is to be computed.
        job: What it belongs to.
        release: The published scores.

    Returns:
        The scores, and what is left of the plan.

    Raises:
        DataError: If a file of the release was changed.
    """
    found = _Found(release)
    tasks = [tuple(left for item in task for left in found.left_of(item)) for task in _looked_up(plan, found)]
    rest = replace(plan, tasks=[task for task in tasks if task])
    lacking = {way: tuple(sorted(names)) for way, names in found.lacking.items()}
    runs = {run: dict(known.info) for run, known in release.environment.runs.items()}
    title = f"{release.name} {release.version}"
    return Taken(title, job.recipe.name, rest, found.records, runs, lacking)


def _looked_up(plan: Plan, found: _Found) -> list[tuple[WorkItem, ...]]:
    """Return the tasks, once what they need is read: of each way and seed all at once."""
    needed: dict[tuple[str, int], list[WorkItem]] = defaultdict(list)
    for item in plan.items:
        way = found.way_of(item)
        if way is not None:
            needed[way.name, item.seed].append(item)
    for (name, seed), items in needed.items():
        found.read(name, seed, items)
    return plan.tasks


class _Found:
    """Published scores by way, seed and cell, as far as a plan asks for them."""

    def __init__(self, release: Release):
        self._release = release
        self._ways = ways_by_setting(release.ways)
        self._covered = frozenset(release.cells.indices.tolist())
        self._rows: dict[tuple[str, int, int], dict[str, _Row]] = defaultdict(dict)
        self.records: dict[str, list[ScoreRecord]] = {}
        self.lacking: dict[str, set[str]] = defaultdict(set)

    def way_of(self, item: WorkItem) -> Way | None:
        """Return the way that has all that is asked for; what a way of this setting lacks is remembered."""
        way = self._ways.get(item.setting)
        if way is None or item.seed not in way.seeds:
            return None
        missing = [name for name in item.measures if way.measures.get(name) != item.setting]
        if missing:
            self.lacking[way.name].update(missing)
            return None
        return way

    def read(self, way: str, seed: int, items: list[WorkItem]) -> None:
        """Read the scores that some items of one way and seed ask for."""
        cells = sorted({cell for item in items for cell in item.members} & self._covered)
        measures = sorted({name for item in items for name in item.measures})
        frame = self._release.frame([way], [seed], measures, cells)
        columns = [frame[name].tolist() for name in ("setting", "cell", *_Row._fields)]
        for setting, cell, *values in zip(*columns, strict=True):
            row = _Row(*values)
            self._rows[setting, seed, cell][row.measure] = row

    def left_of(self, item: WorkItem) -> Iterator[WorkItem]:
        """Take the cells of an item that are published; yield what is left of it."""
        left = [cell for cell in item.members if not self._take(item, cell)]
        if left:
            yield replace(item, members=tuple(left))

    def _take(self, item: WorkItem, cell: int) -> bool:
        held = self._rows.get((item.setting, item.seed, cell), {})
        rows = [held[name] for name in item.measures if name in held]
        scores = {row.measure: row.score for row in rows}
        if len(scores) < len(item.measures) or any(score.status.is_failure for score in scores.values()):
            return False
        record = ScoreRecord(item.setting, rows[0].run, cell, item.seed, rows[0].seconds, scores)
        self.records.setdefault(self._ways[item.setting].name, []).append(record)
        return True


def other_settings(job: Job, release: Release) -> list[OtherSetting]:
    """Return the published ways that differ in little from what a job computes, where none of it is published.

    Args:
        job: What is scored.
        release: The published scores.

    Returns:
        For each setting of the job at initialisation the nearest way, if one is near; each once. Nothing where a way
        has one of them: a recipe may have kernels beside it that no way has.
    """
    published = ways_by_setting(release.ways)
    asked = {setting.digest: setting for setting in settings_of(job).values()}
    if not asked.keys().isdisjoint(published):
        return []
    near = [nearest(setting, release.ways.values()) for setting in asked.values()]
    return [other for number, other in enumerate(near) if other is not None and other not in near[:number]]
