"""The picture of ``ntknas correlate --target all``: every measure with every target, like targets near one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.cluster import hierarchy
from scipy.spatial.distance import pdist

from ntknas.correlation import Overview
from ntknas.correlation.likeness import leaves, tree
from ntknas.correlation.target_names import TargetName
from ntknas.report.figures import Array, Block, OrderedMap
from ntknas.report.text import Formula, joined
from ntknas.report.words import name_in_words, setting_of
from ntknas.spaces.populations import ALL

_LOWER = "↓"
_STATISTICS = {
    "kendall": Formula(r"Kendall's $\tau_b$"),
    "spearman": Formula(r"Spearman's $\rho$"),
    "partial": Formula(r"partial $\tau_b$"),
}


def over_targets(result: Overview, statistic: str) -> OrderedMap:
    """Return one statistic of every measure with every target.

    Targets are in the order of a tree by 1 − τ between them, measures in one in which like columns are near; counts
    stand apart.

    Args:
        result: The result.
        statistic: ``kendall``, ``spearman`` or ``partial``.

    Returns:
        The figure.
    """
    table, branches = result.table(statistic), tree(result.likeness().to_numpy(np.float64))
    order = [list(result.targets)[leaf] for leaf in leaves(branches, len(result.targets))]
    names, baselines = _names(result), set(result.baselines)
    measures = [str(name) for name in table if name not in baselines]
    parts = {"measures": measures, "counts": [str(name) for name in table if name in baselines]}
    blocks = [_block(title, table.loc[order, columns]) for title, columns in parts.items()]
    are_lower = any(not summary.quantity.higher_is_better for summary in result.targets.values())
    return OrderedMap(
        joined(_STATISTICS[statistic], f" with {len(order)} targets: {len(result.cells):,} cells{_population(result)}"),
        [names[target] for target in order],
        [TargetName.of(target).benchmark for target in order],
        _lines(branches),
        Formula(r"$1-\tau_b$"),
        [block for block in blocks if len(block.columns)],
        joined(_STATISTICS[statistic], _given(result, statistic)),
        _note(blocks, are_lower=are_lower),
        setting=setting_of(result),
    )


def _population(result: Overview) -> str:
    return "" if result.population == ALL else f", population {result.population}"


def _note(blocks: Sequence[Block], *, are_lower: bool) -> str:
    missing = " ×: no value." * any(bool(np.isnan(block.values).any()) for block in blocks)
    better = f" {_LOWER}: lower is better, blue where a better score goes with a lower value." * are_lower
    return f"Tree: 1 − τ between targets, mean over pairs.{better}{missing}"


def _names(result: Overview) -> Mapping[str, str]:
    """Return names of targets without what all those of a benchmark have in common, with an arrow down."""
    parts = {target: TargetName.of(target) for target in result.targets}
    datasets: dict[str, set[str]] = {}
    for part in parts.values():
        datasets.setdefault(part.benchmark, set()).add(part.dataset)
    names = {}
    for target, part in parts.items():
        dataset = f"{part.dataset} " if len(datasets[part.benchmark]) > 1 and part.dataset else ""
        arrow = "" if result.targets[target].quantity.higher_is_better else f" {_LOWER}"
        names[target] = f"{dataset}{part.name}{arrow}"
    return names


def _given(result: Overview, statistic: str) -> str:
    if statistic != "partial":
        return ""
    given = dict.fromkeys(" and ".join(row.partial_given) for row in result.rows if row.partial_given)
    return f" given {' or '.join(given)}" if given else ""


def _block(title: str, table: pd.DataFrame) -> Block:
    """Return columns that have a value, in an order in which like ones are near, the stronger end first."""
    table = table.dropna(axis="columns", how="all")
    columns = _in_order(table)
    return Block(title, [name_in_words(name) for name in columns], table[columns].to_numpy(np.float64))


def _in_order(table: pd.DataFrame) -> list[str]:
    columns = [str(column) for column in table]
    if len(columns) < 3:
        return columns
    distances = pdist(table.fillna(0.0).to_numpy(np.float64).T, "cityblock")
    order = leaves(hierarchy.linkage(distances, "average", optimal_ordering=True), len(columns))
    strength = table.abs().mean().to_numpy(np.float64)[order]
    middle = len(order) // 2
    if strength[:middle].mean() < strength[-middle:].mean():
        order = order[::-1]
    return [columns[place] for place in order]


def _lines(branches: Array | None) -> tuple[Array, Array] | None:
    """Return the lines of a tree, each of four points: places along the leaves, from 0 on, and heights."""
    if branches is None:
        return None
    drawn = hierarchy.dendrogram(branches, no_plot=True)
    places = (np.array(drawn["icoord"], np.float64) - 5) / 10  # scipy's leaves stand at 5, 15, 25, …
    return places, np.array(drawn["dcoord"], np.float64)
