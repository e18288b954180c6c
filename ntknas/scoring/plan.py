"""The plan: which kernels have to be computed, each once, and for which cells each one counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import index

import pandas as pd

from ntknas.core.choices import Choices
from ntknas.core.errors import ChoiceError, NtknasError
from ntknas.core.score import Score, Status
from ntknas.scoring.faults import ANY_FAULT, reason_of, whose
from ntknas.scoring.job import Job
from ntknas.scoring.recipe import WITHOUT_KERNEL, Group, Recipe
from ntknas.spaces import Space
from ntknas.store import ScoreRecord, ScoreStore, schema


@dataclass(frozen=True)
class WorkItem:
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


Task = tuple[WorkItem, ...]
"""What is computed in one go: one item, or everything that is measured while one network trains, by epoch."""


@dataclass(frozen=True)
class Plan:
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


def make_plan(job: Job, cells: Sequence[int], seeds: Sequence[int], store: ScoreStore) -> Plan:
    """Plan a run: the difference between what is asked for and what the store holds.

    Args:
        job: What is scored.
        cells: Indices of the cells to score.
        seeds: Seeds of the weights.
        store: Where scores are kept; new settings are made known to it.

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
        found = _plan_group(job.space, job.recipe, group, epoch, setting, cells, seeds, store)
        items, copies, stored = items + found[0], copies + found[1], stored + found[2]
    place = {cell: number for number, cell in enumerate(cells)}
    tasks = sorted(_tasks(items), key=lambda task: (task[0].seed, place[task[0].members[0]]))
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
    return [(item,) for item in items if not item.epoch] + [tuple(each) for each in trainings.values()]


def _plan_group(
    space: Space,
    recipe: Recipe,
    group: Group,
    epoch: int,
    setting: str,
    cells: Sequence[int],
    seeds: Sequence[int],
    store: ScoreStore,
) -> tuple[list[WorkItem], list[ScoreRecord], int]:
    """Return what has to be computed and copied for one group at one epoch, and how much is stored."""
    measures = group.measures
    choices = recipe.choices if group.kind in WITHOUT_KERNEL else replace(recipe.choices, output=group.output)
    done = store.done(setting, measures)
    pending: dict[tuple[int, int], list[int]] = {}
    for cell in cells:
        representative = _representative(space, recipe, group, epoch, cell)
        for seed in seeds:
            if (cell, seed) not in done:
                pending.setdefault((representative, seed), []).append(cell)
    known = {}
    if done and pending:
        known = _known(space, recipe, group, epoch, setting, store, {cell for cell, _ in pending})
    items, copies = [], []
    for (representative, seed), members in pending.items():
        twin = known.get((representative, seed), [])
        if {record_measure for record in twin for record_measure in record.scores} >= set(measures):
            copies += [_copy(record, cell, measures) for record in twin for cell in members]
        else:
            items.append(WorkItem(setting, choices, representative, seed, measures, tuple(members), group.kind, epoch))
    return items, copies, len(cells) * len(seeds) - sum(map(len, pending.values()))


def _copy(record: ScoreRecord, cell: int, measures: tuple[str, ...]) -> ScoreRecord:
    return replace(record, cell=cell, scores={name: score for name, score in record.scores.items() if name in measures})


def _representative(space: Space, recipe: Recipe, group: Group, epoch: int, cell: int) -> int:
    """The cell whose kernel this one shares; measures of a network see parts that no kernel does: each is its own.

    Training moves every parameter, so that cells stay one network only if they are under the set ``all``.
    """
    if group.kind == "network":
        return cell
    choices = recipe.choices
    parameters = "all" if epoch else choices.parameters
    try:
        return int(space.representative(space[cell], parameters, choices.normalisation, variant=recipe.network.variant))
    except NtknasError:
        raise
    except ANY_FAULT as error:
        raise ChoiceError(f"Cell {cell} cannot be planned: {reason_of(error, whose(space))}.") from error


def _known(
    space: Space, recipe: Recipe, group: Group, epoch: int, setting: str, store: ScoreStore, wanted: set[int]
) -> dict[tuple[int, int], list[ScoreRecord]]:
    """Scores in the store by (representative, seed), one record a measure, of the representatives that are wanted."""
    frame = store.frame()
    frame = frame[frame["setting"] == setting]
    cells = frame["cell"].unique().tolist()
    representatives = {cell: _representative(space, recipe, group, epoch, cell) for cell in cells}
    twins = [cell for cell, representative in representatives.items() if representative in wanted]
    known: dict[tuple[int, int], dict[str, ScoreRecord]] = {}
    for row in frame[frame["cell"].isin(twins)].itertuples(index=False):
        status = Status(row.status)
        if status.is_failure:
            continue
        score = Score(row.measure, None if pd.isna(row.value) else row.value, status, row.reason)
        record = ScoreRecord(setting, row.run, row.cell, row.seed, row.seconds, {row.measure: score})
        known.setdefault((representatives[row.cell], row.seed), {})[row.measure] = record
    return {key: list(records.values()) for key, records in known.items()}
