"""What was gathered from an object as the tables of a benchmark, without a file between."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ntknas.benchmarks.formats.collection import Collection
from ntknas.benchmarks.table import AccuracyTable, Costs, Target
from ntknas.core.errors import ChoiceError


def tables_of(collection: Collection) -> dict[Target, AccuracyTable]:
    """Return the table of each target, in the order that an imported file has."""
    budgets = {key[:2] for key in collection.columns}
    tables: dict[Target, AccuracyTable] = {}
    for dataset, epochs in sorted(budgets, key=lambda budget: (budget[0], str(budget[1]))):
        tables |= _tables_of_budget(collection, dataset, epochs)
    return tables


def _tables_of_budget(collection: Collection, dataset: str, epochs: int | None) -> dict[Target, AccuracyTable]:
    seeds = sorted(seed for name, budget, seed in collection.columns if (name, budget) == (dataset, epochs))
    columns = [collection.columns[dataset, epochs, seed] for seed in seeds]
    seconds = np.stack([column.seconds for column in columns], axis=1)
    without = np.full(collection.cells, np.nan)
    tables = {}
    for split in sorted({split for column in columns for split in column.accuracies}):
        runs = np.stack([column.accuracies.get(split, without) for column in columns], axis=1)
        tables[Target(dataset, split, epochs)] = AccuracyTable(
            runs, tuple(seeds), seconds=seconds, seeds_are_numbers=collection.seeds_are_numbers
        )
    return tables


def costs_of(collection: Collection) -> Callable[[str], Costs]:
    """Return what tells the parameters and FLOPs on a data set."""

    def costs(dataset: str) -> Costs:
        if dataset not in collection.parameters:
            held = ", ".join(sorted(collection.parameters))
            raise ChoiceError(f"{collection.benchmark} has no networks for {dataset!r}: it has those for {held}.")
        return Costs(collection.parameters[dataset], collection.flops[dataset])

    return costs
