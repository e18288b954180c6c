"""The networks that ways disagree on most, and what they look like."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from page import number, table

from ntknas import load_space
from ntknas.spaces.nb201.cells import EDGES, OPERATIONS
from whole_space_parts.agreement import shown_keys
from whole_space_parts.findings import COUNTS, FIRST, Findings

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

SHOWN, DRAWN = 12, 6
ONE_IN = 50
"""What a cell looks like is counted over the fiftieth of the networks that ways disagree on most."""
_PLACES = ((0.0, 0.0), (1.0, 0.9), (2.0, -0.9), (3.0, 0.0))
_COLOURS = {"nor_conv_3x3": "tab:red", "nor_conv_1x1": "tab:orange", "avg_pool_3x3": "tab:blue", "skip_connect": "0.5"}


def percentiles(findings: Findings) -> pd.DataFrame:
    """Return the place of every network under each way's best measure, from 0 to 100, with how far places differ.

    Returns:
        By network: one column for each way, and ``spread``, the standard deviation over ways; the largest first.
    """
    keys = [key for key in shown_keys(findings) if key[0] != COUNTS]
    columns = {way: findings.scores[way, measure] for way, measure in keys}
    places = 100 * pd.DataFrame(columns).dropna().rank(pct=True)
    return places.assign(spread=places.std(axis=1, ddof=0)).sort_values("spread", ascending=False, kind="stable")


def disagreement_table(places: pd.DataFrame, accuracies: pd.Series) -> str:
    """Return the networks that ways disagree on most.

    Args:
        places: As from ``percentiles``.
        accuracies: Accuracy by cell.
    """
    space, ways = load_space("nb201"), [name for name in places if name != "spread"]
    rank = 100 * accuracies.rank(pct=True)
    lines = [
        [
            str(cell),
            f"`{space[cell]}`".replace("|", "\\|"),
            f"{number(float(accuracies[cell]))} ({rank[cell]:.0f})",
            *(f"{row[way]:.0f}" for way in ways),
        ]
        for cell, row in places.head(SHOWN).iterrows()
    ]
    return table(("cell", "architecture", f"{FIRST} (place)", *ways), lines)


def look_table(places: pd.DataFrame) -> str:
    """Return how often each operation is there, in networks that ways disagree on and in all."""
    most = places.index[: max(1, len(places) // ONE_IN)]
    agreed = places.index[-len(most) :]
    groups = {f"most disagreed ({len(most)})": most, f"most agreed ({len(agreed)})": agreed, "all": places.index}
    counted = {name: _operations(list(cells)) for name, cells in groups.items()}
    lines = [[name, *(number(counts[operation]) for operation in OPERATIONS)] for name, counts in counted.items()]
    return table(("networks", *OPERATIONS), lines)


def _operations(cells: list[int]) -> dict[str, float]:
    """Return the mean number of edges with each operation."""
    space, counts = load_space("nb201"), Counter[str]()
    for cell in cells:
        counts.update(space[cell].operations)
    return {operation: counts[operation] / len(cells) for operation in OPERATIONS}


def draw_cells(places: pd.DataFrame, path: Path) -> None:
    """Draw the cells that ways disagree on most, with their places under each way."""
    from matplotlib.figure import Figure

    cells = list(places.index[:DRAWN])
    figure = Figure(figsize=(10, 2.6 * -(-len(cells) // 3)), layout="constrained")
    axes = np.atleast_1d(figure.subplots(-(-len(cells) // 3), min(3, len(cells)), squeeze=False)).ravel()
    for axis in axes:
        axis.set_axis_off()
    for axis, cell in zip(axes, cells, strict=False):
        _draw_cell(axis, int(cell))
        low, high = places.loc[cell].drop("spread").agg(["idxmin", "idxmax"])
        axis.set_title(
            f"cell {cell}: {places.loc[cell, low]:.0f} by {low}, {places.loc[cell, high]:.0f} by {high}", fontsize=8
        )
    handles = [axes[0].plot([], [], color=colour, label=name)[0] for name, colour in _COLOURS.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=8, frameon=False)
    figure.savefig(path, dpi=120)


def _draw_cell(axis: Axes, cell: int) -> None:
    for operation, (source, target) in zip(load_space("nb201")[cell].operations, EDGES, strict=True):
        if operation != "none":
            arrow = {"arrowstyle": "-|>", "color": _COLOURS[operation], "lw": 1.8, "shrinkA": 8, "shrinkB": 8}
            axis.annotate("", _PLACES[target], _PLACES[source], arrowprops=arrow)
    for name, (x, y) in zip(("in", "1", "2", "out"), _PLACES, strict=True):
        axis.text(x, y, name, ha="center", va="center", fontsize=8, bbox={"boxstyle": "circle", "fc": "white"})
    axis.set(xlim=(-0.5, 3.5), ylim=(-1.6, 1.6))
