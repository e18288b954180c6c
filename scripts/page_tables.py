"""Tables of pages as numbers, so that a page's picture is drawn of what the page says, and can be drawn anew."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

import numpy as np
import pandas as pd

from ntknas.report.figures import BarGroup

TARGETS = {
    "cifar10_test200": "CIFAR-10 test accuracy after 200 epochs",
    "cifar10-valid/valid/200": "CIFAR-10 validation accuracy after 200 epochs",
    "cifar100/valid/200": "CIFAR-100 validation accuracy after 200 epochs",
    "ImageNet16-120/valid/200": "ImageNet16-120 validation accuracy after 200 epochs",
}
TWINS = {"neg_cond": "cond", "flops": "parameters", "effective_flops": "effective_parameters"}
"""Measures that rank these cells as another does, by measure: one bar says both."""
COUNTS = ("parameters", "flops", "effective_parameters", "effective_flops", "live_layers", "trainable_layers")
MUTED = "counts, which need no kernel"
KENDALL = "Kendall τ-b"
_NUMBER = re.compile(r"[-−]?\d+\.\d+")


def read_table(text: str, *columns: str) -> pd.DataFrame:
    """Return the first table of a page that has these columns, as text.

    Args:
        text: The page.
        *columns: Columns that tell it from others.
    """
    lines = text.splitlines()
    for number, line in enumerate(lines):
        head = _cells(line)
        if set(columns) <= set(head):
            rows = []
            for row in lines[number + 2 :]:
                if not row.startswith("|"):
                    break
                rows.append(_cells(row))
            return pd.DataFrame([row[: len(head)] for row in rows], columns=_distinct(head))
    sys.exit(f"The page has no table with the columns {', '.join(columns)}.")


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _distinct(names: Sequence[str]) -> list[str]:
    """Return names of which the second of a kind has its number: ``95 %``, ``95 % 2``."""
    seen: dict[str, int] = {}
    distinct = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        distinct.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return distinct


def numbers(cell: str) -> list[float]:
    """Return the decimals of a cell, as of ``0.57 [0.51, 0.62]``."""
    return [float(number.replace("−", "-")) for number in _NUMBER.findall(cell)]


def group(name: str, estimates: Sequence[Sequence[float]]) -> BarGroup:
    """Return bars of values with the ends of their intervals; a shorter sequence has none.

    Args:
        name: Name of the bars.
        estimates: Value, lower and upper end of each.
    """
    rows = [[*estimate, *[np.nan] * (3 - len(estimate))][:3] for estimate in estimates]
    values, low, high = np.array(rows, np.float64).T
    return BarGroup(name, values, low, high)


def without_twins(measures: Sequence[str]) -> dict[str, str]:
    """Return the label of each measure that has a bar: those that rank alike share one.

    Args:
        measures: Names of measures, in order.
    """
    twins: dict[str, list[str]] = {}
    for measure in measures:
        twins.setdefault(TWINS.get(measure, measure), []).append(measure)
    return {measure: ", ".join(names) for measure, names in twins.items()}
