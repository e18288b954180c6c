"""What ``bench query`` answers of a cell: one target with its runs and size, or all targets of a data set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from ntknas.cli.bench_rows import QuantityFields, fields_of, in_order, is_accuracy_in_percent, named, value_text
from ntknas.cli.output import number, print_table, say
from ntknas.core.errors import ChoiceError

if TYPE_CHECKING:
    from ntknas.benchmarks import AccuracyTable, Benchmark, Target


class Run(TypedDict):
    """A training run of a cell."""

    seed: int | None
    value: float
    accuracy_percent: float | None
    training_seconds: float | None


class Answer(TypedDict):
    """A cell's value of a target, ``None`` where nothing was measured."""

    target: str
    quantity: QuantityFields
    value: float | None
    accuracy_percent: float | None
    runs: list[Run]
    measured_cells: int
    missing_cells: int
    distinct: int
    sharing: int


class Costs(TypedDict):
    """What a cell's network costs, as the benchmark publishes it."""

    parameters: float | None
    flops: float | None


def meant(benchmark: Benchmark, dataset: str | None, split: str | None, epochs: int | None) -> list[Target]:
    """Return the targets that a question is about.

    Args:
        benchmark: The benchmark.
        dataset: The data set; without one the only one, or all where targets have no epoch budgets.
        split: The split, or the name of another quantity.
        epochs: The epoch budget.

    Returns:
        One target, or all without a budget where nothing says which of them.

    Raises:
        ChoiceError: If there is no such target, or several data sets have one.
    """
    held = benchmark.targets(*[dataset] if dataset is not None else [])
    datasets = list(dict.fromkeys(target.dataset for target in held))
    if split is None and epochs is None and len(held) > 1 and all(target.epochs is None for target in held):
        return in_order(held)
    if dataset is None and len(datasets) > 1:
        having = list(dict.fromkeys(target.dataset for target in held if split in (None, target.split)))
        if split is None or len(having) != 1:
            raise ChoiceError(f"Name a data set with --dataset: {benchmark.name} holds {benchmark.describe_targets()}.")
        datasets = having
    return [benchmark.find_target(dataset or datasets[0], split, epochs, ("test", "valid"))]


def answer_of(benchmark: Benchmark, target: Target, cell: int, seed: int | None = None) -> Answer:
    """Return a cell's value of a target.

    Args:
        benchmark: The benchmark.
        target: The target.
        cell: Index of the cell.
        seed: Training seed; all without one.

    Raises:
        ChoiceError: If there is no run of the seed.
    """
    table = benchmark.table(target)
    has_value = bool(table.count[cell])
    value = benchmark.accuracy(cell, target.split, target.epochs, seed, target.dataset) if has_value else None
    quantity = table.quantity
    return Answer(
        target=str(target),
        quantity=fields_of(quantity),
        value=value,
        accuracy_percent=value if is_accuracy_in_percent(quantity) else None,
        runs=_runs(table, cell, seed),
        measured_cells=int((table.count > 0).sum()),
        missing_cells=int((table.count == 0).sum()),
        distinct=table.distinct,
        sharing=_sharing(table, cell),
    )


def costs_of(benchmark: Benchmark, dataset: str, cell: int) -> Costs:
    """Return what a cell's network costs, as far as the benchmark says so."""
    try:
        costs = benchmark.costs(dataset)
    except ChoiceError:
        return Costs(parameters=None, flops=None)
    return Costs(parameters=_or_none(costs.parameters[cell]), flops=_or_none(costs.flops[cell]))


def _runs(table: AccuracyTable, cell: int, seed: int | None) -> list[Run]:
    finished = np.flatnonzero(np.isfinite(table.runs[cell])).tolist()
    seeds_are_known = table.seeds_of_gaps_known or len(finished) == len(table.seeds)
    return [
        Run(
            seed=table.seeds[run] if seeds_are_known else None,
            value=float(table.runs[cell, run]),
            accuracy_percent=float(table.runs[cell, run]) if is_accuracy_in_percent(table.quantity) else None,
            training_seconds=None if table.seconds is None else _or_none(table.seconds[cell, run]),
        )
        for run in finished
        if seed is None or table.seeds[run] == seed
    ]


def _sharing(table: AccuracyTable, cell: int) -> int:
    """Return how many cells have a cell's measurement, itself included; none where it has no value."""
    if not table.count[cell]:
        return 0
    return 1 if table.measurements is None else int((table.measurements == table.measurements[cell]).sum())


def _or_none(value: float) -> float | None:
    return float(value) if value == value else None


def print_one(answer: Answer, costs: Costs, source: str) -> None:
    """Print a cell's value of one target, its runs and size."""
    quantity, value = answer["quantity"], answer["value"]
    unit = f" {quantity['unit']}" if quantity["unit"] else ""
    statistic = "mean over runs" if len(answer["runs"]) > 1 else "one run"
    say(f"{answer['target']}: {number(value, 4)}{unit} ({statistic}; {source})")
    if named(quantity) != "accuracy (%)" or quantity["measured_on"]:
        say(_described(quantity))
    if (shared := _shared(answer)) is not None:
        say(shared)
    rows = [
        ["–" if run["seed"] is None else str(run["seed"]), number(run["value"], 4), number(run["training_seconds"], 1)]
        for run in answer["runs"]
    ]
    print_table("", ["seed", named(quantity), "training (s)"], rows, left=1)
    if costs["parameters"] is not None:
        flops = "" if costs["flops"] is None else f", {costs['flops'] / 1e6:,.2f} million FLOPs"
        say(f"{costs['parameters'] / 1e6:,.4f} million parameters{flops}")


def print_all(answers: Sequence[Answer], source: str) -> None:
    """Print a cell's values of several targets."""
    say(source)
    rows = [
        [
            answer["target"],
            named(answer["quantity"]),
            "higher" if answer["quantity"]["higher_is_better"] else "lower",
            answer["quantity"]["measured_on"] or "–",
            value_text(answer["value"], answer["quantity"]),
            str(answer["sharing"]),
        ]
        for answer in answers
    ]
    header = ["target", "quantity", "better", "measured on", "value", "cells of this measurement"]
    is_shared = any(answer["sharing"] > 1 for answer in answers)
    columns = len(header) if is_shared else len(header) - 1
    print_table("", header[:columns], [row[:columns] for row in rows], left=4, least=["measured on", "better"])


def _described(quantity: QuantityFields) -> str:
    on = f" on {quantity['measured_on']}" if quantity["measured_on"] else ""
    return f"{named(quantity)}{on}, {'higher' if quantity['higher_is_better'] else 'lower'} is better"


def _shared(answer: Answer) -> str | None:
    """Say what of the cells was measured, where not each of them was, or not each on its own."""
    missing, quantity = answer["missing_cells"], answer["quantity"]
    if not missing and answer["distinct"] == answer["measured_cells"]:
        return None
    sentinel = f" ({quantity['missing']} in the file)" if quantity["missing"] else ""
    none = f", {missing:,} have none{sentinel}" if missing else ""
    this = f", this one of {answer['sharing']} cells" if answer["sharing"] > 1 else ""
    return f"{answer['measured_cells']:,} cells have a value{none}; {answer['distinct']:,} measurements{this}"
