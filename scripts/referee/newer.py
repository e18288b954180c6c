"""The newer measures on random cells, beside their published figures.

    python scripts/referee/newer.py --store FILE.h5 --accuracies nb201.csv --column NAME [--out docs/results]

FILE holds the scores of scripts/referee/ways.py; the CSV file the test accuracies on CIFAR-10 after 200 epochs (mean
over training seeds), which the published figures are of. Fills the tables of newer-measures.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

from page import filled, interval, left_out, number, table, way

from ntknas import load_space, load_store
from ntknas.benchmarks import read_accuracies
from ntknas.correlation import Correlation, Estimate, Row, correlate


class Published(NamedTuple):
    """A published figure: Kendall's τ and Spearman's ρ on a population, where they are printed."""

    population: str
    kendall: float | None
    spearman: float | None


PUBLISHED = {
    "meco": [Published("all", None, 0.894)],
    "az_nas": [Published("all", 0.741, 0.913), Published("reachable", 0.712, 0.892)],
    "vkdnw_single": [Published("reachable", 0.618, 0.815)],
    "vkdnw_agg": [Published("reachable", 0.750, 0.919)],
    "zico": [Published("all", 0.61, 0.80), Published("reachable", 0.607, 0.802)],
    "jacob_cov": [Published("reachable", 0.616, 0.800)],
    "naswot": [Published("reachable", 0.571, 0.762)],
    "synflow": [Published("reachable", 0.561, 0.758)],
    "zen": [Published("reachable", 0.102, 0.103)],
    "flops": [Published("all", 0.578, 0.753), Published("reachable", 0.623, 0.799)],
    "trainable_layers": [Published("all", 0.580, 0.723), Published("reachable", 0.626, 0.767)],
}
"""Test accuracy on CIFAR-10 after 200 epochs: MeCo's paper (of the training on cifar10-valid), the paper and the code of
AZ-NAS, ZiCo's paper, VKDNW's paper and the runs of its authors."""
POPULATIONS = ("reachable", "all")
NEWER = frozenset("meco az-nas vkdnw zico hnas nasi teg swap as-vit nb-suite-zero".split())
"""The recipes that are shown, besides counts and ``ALONE``."""
ALONE = ("label_energy", "zen")
"""Measures that are of no recipe."""


def main() -> None:
    """Correlate on both populations, fill the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--accuracies", type=Path, required=True)
    parser.add_argument("--column", required=True)
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    arguments = parser.parse_args()
    accuracies = read_accuracies(arguments.accuracies, load_space("nb201"), arguments.column)
    scores = load_store(arguments.store)
    page = arguments.out / "newer-measures.md"
    text = page.read_text(encoding="utf-8")
    for population in POPULATIONS:
        answer = correlate(scores, {arguments.column: accuracies}, population=population)
        text = filled(text, population, table(_HEAD, _lines(answer, population)))
    page.write_text(text, encoding="utf-8")


_HEAD = (
    "measure",
    "cells",
    "left out",
    "τ [95 %]",
    "published",
    "ρ [95 %]",
    "published",
    "",
    "partial τ [95 %]",
    "nDCG@10",
    "s per cell",
)


def _lines(answer: Correlation, population: str) -> list[list[str]]:
    rows = [row for row in answer.rows if _is_shown(row, population)]
    return [_line(row, population) for row in sorted(rows, key=lambda row: -(row.kendall.value or -1))]


def _is_shown(row: Row, population: str) -> bool:
    """Return whether a row belongs here: of ``all`` only what was measured on more than the reachable cells."""
    if row.recipe.startswith("vkdnw") and row.measure.startswith("az_"):  # those of recipe az-nas
        return False
    is_newer = row.is_baseline or row.measure in ALONE or row.recipe.split("+")[0] in NEWER
    return is_newer and (population == "reachable" or row.is_baseline or row.measure.startswith("meco"))


def _line(row: Row, population: str) -> list[str]:
    figures = [figure for figure in PUBLISHED.get(row.measure, []) if figure.population == population]
    published = figures[0] if figures else Published(population, None, None)
    pairs = ((row.kendall, published.kendall), (row.spearman, published.spearman))
    return [
        way(row),
        str(row.n),
        left_out(row),
        interval(row.kendall),
        number(published.kendall, 3),
        interval(row.spearman),
        number(published.spearman, 3),
        _verdict(pairs),
        interval(row.partial),
        number(row.ndcg.get(10), 2),
        number(row.seconds_per_cell),
    ]


def _verdict(pairs: tuple[tuple[Estimate, float | None], ...]) -> str:
    """Return whether the published figures lie in the intervals."""
    compared = [(estimate.interval, figure) for estimate, figure in pairs if figure is not None and estimate.interval]
    if not compared:
        return ""
    inside = [ends[0] <= figure <= ends[1] for ends, figure in compared if ends]
    return "inside" if all(inside) else "**outside**"


if __name__ == "__main__":
    main()
