"""The plan: which kernels have to be computed, each once, and for which cells each one counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cached_property
from operator import index

import pandas as pd

from ntknas.core.choices import Choices
from ntknas.core.errors import ChoiceError, NtknasError
from ntknas.core.score import Score, Status
from ntknas.core.shown import Shown, listed
from ntknas.scoring.faults import ANY_FAULT, reason_of, whose
from ntknas.scoring.job import Job
from ntknas.scoring.recipe import WITHOUT_KERNEL, Group
from ntknas.store import ScoreRecord, ScoreStore, schema


@dataclass(frozen=True, repr=False)
class WorkItem(Shown):
    """One kernel to compute.

    Attributes:
        setting: Digest of the setting.
        choices: The kernel's choices.
        cell: Index of the cell to build: the first of those that are this network.
        seed: Seed of the weights.
        measures: Measures to take.
        members: Cells that the scores count for.
        kind: What is computed: ``kernel``, ``regression``, ``network`` or ``training``.
        epoch: Epochs of training before that.
    """

    setting: str
    choices: Choices
    cell: int
    seed: int
    measures: tuple[str, ...]
    members: tuple[int, ...]
    kind: str = "kernel"
    epoch: int = 0

    def _line(self) -> str:
        after = f" after {self.epoch} epochs" if self.epoch else ""
        return f"{self.kind} of cell {self.cell}, seed {self.seed}{after}: {listed(self.measures)}"


Task = tuple[WorkItem, ...]
"""What is computed in one go: one item, or everything that is measured while one network trains, by epoch."""


@dataclass(frozen=True, repr=False)
class Plan(Shown):
    """What a run will do.

    Attributes:
        tasks: What to compute.
        copies: Scores that the store holds for another cell that is the same network.
        requested: Number of (cell, seed, kernel) asked for.
        stored: How many of them the store holds already.
        measures: Measures that are asked for, by setting.
    """

    tasks: list[Task]
    copies: list[ScoreRecord]
    requested: int
    stored: int
    measures: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def items(self) -> list[WorkItem]:
        """Kernels to compute."""
        return [item for task in self.tasks for item in task]

    def _line(self) -> str:
        return f"{self.requested:,} kernels asked for: {self.stored:,} stored, {len(self.items):,} to compute"


def make_plan(job: Job, cells: Sequence[int], seeds: Sequence[int], store: ScoreStore) -> Plan:
    """Plan a run: the difference between what is asked for and what the store holds.

    Args:
        job: What is scored.
        cells: Indices of the cells to score.
        seeds: Seeds of the weights.
        store: Where scores are kept; new settings are made known to it.

    Returns:
        The plan: tasks by seed, in the order of the cells.

    Raises:
        ChoiceError: If a cell or a seed is no number that a store can hold.
    """
    _check_numbers(cells, seeds)
    items: list[WorkItem] = []
    copies: list[ScoreRecord] = []
    stored, measures = 0, dict[str, tuple[str, ...]]()
    groups = [(group, epoch) for epoch in job.epochs for group in job.groups(epoch)]
    for group, epoch in groups:
        setting = store.add_setting(job.setting(group, epoch))
        measures[setting] = tuple(dict.fromkeys((*measures.get(setting, ()), *group.measures)))
        planner = _GroupPlanner(job, group, epoch, setting, store)
        pending = planner.pending(cells, seeds)
        stored += len(cells) * len(seeds) - sum(map(len, pending.values()))
        new_items, new_copies = planner.plan(pending)
        items, copies = items + new_items, copies + new_copies
    positions = {cell: number for number, cell in enumerate(cells)}
    # By seed first: a Computation holds the probe of one seed at a time.
    tasks = sorted(_tasks(items), key=lambda task: (task[0].seed, positions[task[0].members[0]]))
    return Plan(tasks, copies, len(groups) * len(cells) * len(seeds), stored, measures)


def _check_numbers(cells: Sequence[int], seeds: Sequence[int]) -> None:
    try:
        for cell in cells:
            schema.check_cell(index(cell))
        for seed in seeds:
            schema.check_seed(index(seed))
    except (TypeError, ValueError) as error:
        raise ChoiceError(f"This cannot be scored: {error}.") from error


def _tasks(items: Sequence[WorkItem]) -> list[Task]:
    """Items of one training together, in the order of the epochs; any other alone."""
    trainings: dict[tuple[int, int], list[WorkItem]] = {}
    for item in items:
        if item.epoch:
            trainings.setdefault((item.cell, item.seed), []).append(item)
    return [(item,) for item in items if not item.epoch] + [tuple(training) for training in trainings.values()]


Network = tuple[int, int]
"""Representative of the cells that are one network, and the seed of its weights."""


@dataclass(frozen=True)
class _GroupPlanner:
    """Plans one group of measures at one epoch."""

    job: Job
    group: Group
    epoch: int
    setting: str
    store: ScoreStore

    @cached_property
    def _stored(self) -> set[tuple[int, int]]:
        """The (cell, seed) that have all scores of the group."""
        return self.store.done(self.setting, self.group.measures)

    def pending(self, cells: Sequence[int], seeds: Sequence[int]) -> dict[Network, list[int]]:
        """Return the cells that lack a score, by network."""
        pending: dict[Network, list[int]] = {}
        for cell in cells:
            representative = self._representative(cell)
            for seed in seeds:
                if (cell, seed) not in self._stored:
                    pending.setdefault((representative, seed), []).append(cell)
        return pending

    def plan(self, pending: Mapping[Network, list[int]]) -> tuple[list[WorkItem], list[ScoreRecord]]:
        """Return what has to be computed, and what the store holds for another cell that is the same network."""
        group, choices = self.group, self.job.recipe.choices
        choices = choices.unperturbed() if group.kind in WITHOUT_KERNEL else replace(choices, output=group.output)
        twins = self._twins({representative for representative, _ in pending})
        items, copies = [], []
        for network, members in pending.items():
            records = twins.get(network, [])
            if {name for record in records for name in record.scores} >= set(group.measures):
                copies += [self._copy(record, cell) for record in records for cell in members]
            else:
                identity = (self.setting, choices, *network, group.measures, tuple(members))
                items.append(WorkItem(*identity, group.kind, self.epoch))
        return items, copies

    def _copy(self, record: ScoreRecord, cell: int) -> ScoreRecord:
        scores = {name: score for name, score in record.scores.items() if name in self.group.measures}
        return replace(record, cell=cell, scores=scores)

    def _representative(self, cell: int) -> int:
        """The cell whose kernel this one shares.

        Measures of a network see branches that no kernel does: each cell is its own. Training moves every parameter, so
        that cells stay one network only if they are under the set ``all``.

        Returns:
            Its index.

        Raises:
            ChoiceError: If the space raises.
            NtknasError: If the space says that there is none.
        """
        if self.group.kind == "network":
            return cell
        space, recipe = self.job.space, self.job.recipe
        parameters, normalisation = "all" if self.epoch else recipe.choices.parameters, recipe.choices.normalisation
        try:
            return int(space.representative(space[cell], parameters, normalisation, variant=recipe.network.variant))
        except NtknasError:
            raise
        except ANY_FAULT as error:
            raise ChoiceError(f"Cell {cell} cannot be planned: {reason_of(error, whose(space))}.") from error

    def _twins(self, representatives: Set[int]) -> dict[Network, list[ScoreRecord]]:
        """Scores in the store of networks with these representatives, one record per measure."""
        if not representatives or not self._stored:  # the frame of a large store takes a while
            return {}
        frame = self.store.frame()
        frame = frame[frame["setting"] == self.setting]
        by_cell = {cell: self._representative(cell) for cell in frame["cell"].unique().tolist()}
        cells = [cell for cell, representative in by_cell.items() if representative in representatives]
        twins: dict[Network, dict[str, ScoreRecord]] = {}
        for row in frame[frame["cell"].isin(cells)].itertuples(index=False):
            status = Status(row.status)
            if not status.is_failure:
                score = Score(row.measure, None if pd.isna(row.value) else row.value, status, row.reason)
                record = ScoreRecord(self.setting, row.run, row.cell, row.seed, row.seconds, {row.measure: score})
                twins.setdefault((by_cell[row.cell], row.seed), {})[row.measure] = record
        return {network: list(records.values()) for network, records in twins.items()}
