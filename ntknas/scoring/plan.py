"""The plan: which kernels have to be computed, each once, and for which cells each one counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from ntknas.core.choices import Choices
from ntknas.core.score import Score, Status
from ntknas.scoring.job import Job
from ntknas.scoring.recipe import Group, Recipe
from ntknas.store import ScoreRecord, ScoreStore


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
        kind: What is computed: ``kernel``, ``regression`` or ``network``.
    """

    setting: str
    choices: Choices
    cell: int
    seed: int
    measures: tuple[str, ...]
    members: tuple[int, ...]
    kind: str = "kernel"


@dataclass(frozen=True)
class Plan:
    """What a run will do.

    Attributes:
        items: Kernels to compute.
        copies: Scores that the store holds for another cell that is the same network.
        requested: Number of (cell, seed, kernel) asked for.
        stored: How many of them the store holds already.
    """

    items: list[WorkItem]
    copies: list[ScoreRecord]
    requested: int
    stored: int


def make_plan(job: Job, cells: Sequence[int], seeds: Sequence[int], store: ScoreStore) -> Plan:
    """Plan a run: the difference between what is asked for and what the store holds.

    Args:
        job: What is scored.
        cells: Indices of the cells to score.
        seeds: Seeds of the weights.
        store: Where scores are kept; new settings are made known to it.
    """
    plan = Plan([], [], 0, 0)
    for group in job.recipe.groups():
        setting = store.add_setting(job.recipe.setting(job.space, job.dataset, job.probe, group))
        part = _plan_group(job.space, job.recipe, group, setting, cells, seeds, store)
        plan = Plan(
            plan.items + part.items,
            plan.copies + part.copies,
            plan.requested + part.requested,
            plan.stored + part.stored,
        )
    place = {cell: number for number, cell in enumerate(cells)}
    return replace(plan, items=sorted(plan.items, key=lambda item: (item.seed, place[item.members[0]])))


def _plan_group(
    space: Any,
    recipe: Recipe,
    group: Group,
    setting: str,
    cells: Sequence[int],
    seeds: Sequence[int],
    store: ScoreStore,
) -> Plan:
    measures = group.measures
    choices = recipe.choices if group.kind == "network" else replace(recipe.choices, output=group.output)
    done = store.done(setting, measures)
    pending: dict[tuple[int, int], list[int]] = {}
    for cell in cells:
        representative = _representative(space, recipe, group, cell)
        for seed in seeds:
            if (cell, seed) not in done:
                pending.setdefault((representative, seed), []).append(cell)
    known = _known(space, recipe, group, setting, store, {cell for cell, _ in pending}) if done and pending else {}
    items, copies = [], []
    for (representative, seed), members in pending.items():
        twin = known.get((representative, seed), [])
        if {record_measure for record in twin for record_measure in record.scores} >= set(measures):
            copies += [_copy(record, cell, measures) for record in twin for cell in members]
        else:
            items.append(WorkItem(setting, choices, representative, seed, measures, tuple(members), group.kind))
    requested = len(cells) * len(seeds)
    return Plan(items, copies, requested, requested - sum(map(len, pending.values())))


def _copy(record: ScoreRecord, cell: int, measures: tuple[str, ...]) -> ScoreRecord:
    return replace(record, cell=cell, scores={name: score for name, score in record.scores.items() if name in measures})


def _representative(space: Any, recipe: Recipe, group: Group, cell: int) -> int:
    """The cell whose kernel this one shares; measures of a network see parts that no kernel does: each is its own."""
    if group.kind == "network":
        return cell
    choices = recipe.choices
    return int(
        space.representative(space[cell], choices.parameters, choices.normalisation, variant=recipe.network.variant)
    )


def _known(
    space: Any, recipe: Recipe, group: Group, setting: str, store: ScoreStore, wanted: set[int]
) -> dict[tuple[int, int], list[ScoreRecord]]:
    """Scores in the store by (representative, seed), one record a measure, of the representatives that are wanted."""
    frame = store.frame()
    frame = frame[frame["setting"] == setting]
    representatives = {cell: _representative(space, recipe, group, cell) for cell in frame["cell"].unique().tolist()}
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
