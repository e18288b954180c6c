"""What ``bench list`` and ``bench info`` say of each target."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from ntknas.cli.output import number, print_table

if TYPE_CHECKING:
    from ntknas.benchmarks import AccuracyTable, Benchmark, Target
    from ntknas.benchmarks.quantity import Quantity

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
MOST = 3
"""Targets of a benchmark without epoch budgets that ``bench list`` shows one by one."""


class QuantityFields(TypedDict):
    """What a quantity says of itself, as JSON has it."""

    name: str
    unit: str
    higher_is_better: bool
    measured_on: str
    decimals: int | None
    missing: str
    is_score: bool


class Row(TypedDict):
    """A target, as JSON has it."""

    benchmark: str
    target: str
    epochs: int | None
    quantity: QuantityFields
    cells: int
    missing: int
    distinct: int
    runs: str
    seeds: str
    best_cell: int | None
    best: float | None
    best_accuracy_percent: float | None


def row_of(benchmark: Benchmark, target: Target) -> Row:
    """Return what there is of a target."""
    table = benchmark.table(target)
    quantity, count = table.quantity, table.count
    cell = _best_cell(table)
    best = None if cell is None else float(table.mean[cell])
    return Row(
        benchmark=benchmark.name,
        target=str(target),
        epochs=target.epochs,
        quantity=fields_of(quantity),
        cells=int((count > 0).sum()),
        missing=int((count == 0).sum()),
        distinct=table.distinct,
        runs=" or ".join(map(str, sorted(set(count.tolist()) - {0}))),
        seeds="–" if table.seeds_are_numbers else " ".join(map(str, table.seeds)),
        best_cell=cell,
        best=best,
        best_accuracy_percent=round(best, 2) if best is not None and is_accuracy_in_percent(quantity) else None,
    )


def in_order(targets: Iterable[Target]) -> list[Target]:
    """Return targets in the order of their names, numbers in them by size.

    Args:
        targets: The targets.

    Returns:
        The targets; those with epoch budgets first, as they stand.

    Example:
        >>> from ntknas.benchmarks import Target
        >>> names = ["fgsm@Linf_eps-255.0", "fgsm@Linf_eps-3.0", "aa_square@Linf_eps-8.0"]
        >>> [target.split for target in in_order(Target("cifar10", name, None) for name in names)]
        ['aa_square@Linf_eps-8.0', 'fgsm@Linf_eps-3.0', 'fgsm@Linf_eps-255.0']
    """

    def key(target: Target) -> tuple[list[str], list[float]]:
        name = f"{target.dataset}/{target.split}"
        return _NUMBER.split(name), [float(number) for number in _NUMBER.findall(name)]

    held = list(targets)
    without = sorted((target for target in held if target.epochs is None), key=key)
    return [target for target in held if target.epochs is not None] + without


def grouped(rows: Iterable[Row]) -> list[list[Row]]:
    """Return targets in groups: each on its own, but those of a benchmark together that has many without a budget."""
    groups: list[list[Row]] = []
    for _, held in groupby(rows, key=lambda row: row["benchmark"]):
        of_benchmark = list(held)
        many = len(of_benchmark) > MOST and all(row["epochs"] is None for row in of_benchmark)
        groups += [of_benchmark] if many else [[row] for row in of_benchmark]
    return groups


def fields_of(quantity: Quantity) -> QuantityFields:
    """Return what a quantity says of itself."""
    return QuantityFields(
        name=quantity.name,
        unit=quantity.unit,
        higher_is_better=quantity.higher_is_better,
        measured_on=quantity.measured_on,
        decimals=quantity.decimals,
        missing=quantity.missing,
        is_score=quantity.is_score,
    )


def is_accuracy_in_percent(quantity: Quantity) -> bool:
    """Return whether values are accuracies in percent, whatever they were measured on."""
    return quantity.name == "accuracy" and quantity.is_percentage


def named(quantity: QuantityFields) -> str:
    """Return a quantity with its unit, such as ``latency (ms)``."""
    return f"{quantity['name']} ({quantity['unit']})" if quantity["unit"] else quantity["name"]


def value_text(value: float | None, quantity: QuantityFields) -> str:
    """Return a value as tables have it: percentages with two decimals, anything else with four."""
    return number(value, 2 if quantity["unit"] == "%" else 4)


def _best_cell(table: AccuracyTable) -> int | None:
    """Return the first cell with the best value, in the direction of the quantity."""
    signed = table.quantity.sign * table.mean
    return None if np.isnan(signed).all() else int(np.nanargmax(signed))


def print_rows(groups: Sequence[Sequence[Row]], without: Sequence[str] = ()) -> None:
    """Print a table of targets; of columns that would say nothing new about any of them there are none.

    Args:
        groups: The targets; those of one group stand in one row.
        without: Columns to leave out.
    """
    quantities = [row["quantity"] for group in groups for row in group]
    is_plain = all(named(quantity) == _PLAIN and not quantity["measured_on"] for quantity in quantities)
    rows = [_one(*group) if len(group) == 1 else _several(group) for group in groups]
    left_out = [*without, *(_MEANING if is_plain else ())]
    left_out += [
        name for name, nothing in _NOTHING.items() if all(row[name] in (nothing, row["cells"]) for row in rows)
    ]
    header = [name for name in _COLUMNS if name not in left_out]
    titles = [f"best {_PLAIN}" if is_plain and name == "best" else name for name in header]
    left = sum(name in _TEXTS for name in header)
    print_table("", titles, [[row[name] for name in header] for row in rows], left=left, least=_LEAST)


_PLAIN = "accuracy (%)"
_MEANING = ("quantity", "better", "measured on")
_TEXTS = ("benchmark", "target", *_MEANING)
_COLUMNS = (*_TEXTS, "cells", "missing", "distinct", "runs", "seeds", "best cell", "best")
_LEAST = ("measured on", "seeds", "runs", "distinct", "missing", "cells")
_NOTHING = {"missing": "0", "distinct": "cells"}


def _one(row: Row) -> dict[str, str]:
    quantity = row["quantity"]
    sentinel = f" ({quantity['missing']})" if quantity["missing"] and row["missing"] else ""
    return {
        "benchmark": row["benchmark"],
        "target": row["target"],
        "quantity": named(quantity),
        "better": _direction(quantity),
        "measured on": quantity["measured_on"] or "–",
        "cells": str(row["cells"]),
        "missing": f"{row['missing']}{sentinel}",
        "distinct": str(row["distinct"]),
        "runs": row["runs"],
        "seeds": row["seeds"],
        "best cell": "–" if row["best_cell"] is None else str(row["best_cell"]),
        "best": value_text(row["best"], quantity),
    }


def _several(rows: Sequence[Row]) -> dict[str, str]:
    """Return a row of several targets: the quantities among them, and the range of each number."""
    return {
        **dict.fromkeys(_COLUMNS, "–"),
        "benchmark": rows[0]["benchmark"],
        "target": f"{len(rows)} targets",
        "quantity": ", ".join(dict.fromkeys(named(row["quantity"]) for row in rows)),
        "better": " or ".join(dict.fromkeys(_direction(row["quantity"]) for row in rows)),
        "cells": _span([row["cells"] for row in rows]),
        "missing": _span([row["missing"] for row in rows]),
        "distinct": _span([row["distinct"] for row in rows]),
    }


def _direction(quantity: QuantityFields) -> str:
    return "higher" if quantity["higher_is_better"] else "lower"


def _span(numbers: Sequence[int]) -> str:
    least, most = min(numbers), max(numbers)
    return str(least) if least == most else f"{least} to {most}"
