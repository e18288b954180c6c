"""What scores are worth in a search: every strategy on three data sets, from published scores and the embedded table.

    python scripts/search_page.py [--scores published:nb201] [--way recommended] [--searches 200] [--out docs/results]

Fills the tables between the markers of docs/results/search.md, and draws its pictures into docs/results/search/.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np
from referee.page import filled, table

from ntknas import load_benchmark, load_space
from ntknas.published.source import open_published
from ntknas.search import KnownScore, Objective, Problem, known_scores, search
from ntknas.search.pictures import draw_search
from ntknas.search.protocol import Protocol
from ntknas.search.summary import Standing, Summary

SPACE = "nb201"
DATASETS = ("cifar10", "cifar100", "ImageNet16-120")
STRATEGIES = ("best-scored", "warm-evolution", "evolution", "tpe")
ONCE = "warm-tpe"
"""With the last score alone: half a second a search."""
BUDGETS = (1, 10, 50, 100, 200)
STRUCTURE = "effective_parameters"


def main() -> None:
    """Search, write, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scores", default="published:nb201")
    parser.add_argument("--way", default="recommended")
    parser.add_argument("--measures", default="cond,effective_rank")
    parser.add_argument("--searches", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    arguments = parser.parse_args()
    measures = arguments.measures.split(",")
    scores = _scores(arguments.scores, arguments.way, measures)
    page = arguments.out / "search.md"
    text = filled(page.read_text(encoding="utf-8"), "by seed", by_seed(arguments.scores, arguments.way, measures))
    for dataset in DATASETS:
        summary = _search(dataset, scores, arguments.searches)
        draw_search(summary.result, summary.protocol, arguments.out / "search" / dataset)
        text = filled(text, dataset, _table(summary))
    page.write_text(text, encoding="utf-8")


def by_seed(source: str, way: str, measures: list[str]) -> str:
    """Return how good the first cell is by the scores of every single seed, and of all together."""
    seeds, objectives = open_published(source).way(way).seeds, [_objective(dataset) for dataset in DATASETS]
    ranked = {f"seed {seed}": _scores(source, way, measures, [seed]) for seed in seeds}
    if len(seeds) > 1:
        ranked["all together"] = _scores(source, way, measures)
    (structure, *_), *others = zip(*ranked.values(), strict=True)
    named = [("–", structure), *(pair for alike in others for pair in zip(ranked, alike, strict=True))]
    lines = [[score.name, name, *(f"{first(score, each):.2f}" for each in objectives)] for name, score in named]
    return table(("score", "its seeds", *DATASETS), lines)


def first(score: KnownScore, objective: Objective) -> float:
    """Return what is reported of the best-scored cell; of several that are level, the mean."""
    cells = objective.cells
    values = score.values[cells]
    return float(objective.reported[cells[values == np.nanmax(values)]].mean())


def _scores(source: str, way: str, measures: list[str], seeds: Collection[int] | None = None) -> list[KnownScore]:
    """Return structure, the measures, and each with structure in one rank sum."""
    frame = open_published(source).frame([way], seeds, measures)
    together = [f"rank({measure}) + rank({STRUCTURE})" for measure in measures]
    return known_scores([STRUCTURE, *measures, *together], load_space(SPACE), frame)


def _objective(dataset: str) -> Objective:
    return Objective.of(load_benchmark(SPACE, dataset, folder=None), dataset)


def _search(dataset: str, scores: list[KnownScore], searches: int) -> Summary:
    space = load_space(SPACE)
    problem = Problem(space, _objective(dataset), max(BUDGETS))
    protocol = Protocol.of(space, STRATEGIES)
    result = search(problem, protocol.strategies, scores, seeds=searches)
    once = search(problem, [ONCE], scores[-1:], seeds=searches)
    return Summary.of(replace(result, traces={**result.traces, **once.traces}), protocol, budgets=BUDGETS)


def _table(summary: Summary) -> str:
    """Return what every strategy had found, and by how much that is more than structure alone finds."""
    structure = summary.protocol.references[1]
    by_strategy: dict[str, list[Standing]] = {}
    for standing in summary.standings:
        by_strategy.setdefault(standing.strategy, []).append(standing)
    lines = [
        [name, *(_cell(summary, standing, structure) for standing in standings)]
        for name, standings in by_strategy.items()
    ]
    head = ("strategy", *(f"after {budget}" for budget in BUDGETS))
    return table(head, lines)


def _cell(summary: Summary, standing: Standing, structure: str) -> str:
    """Return the median, with the difference to structure alone where it is one; a dash where nothing was found."""
    if standing.median is None:
        return "–"
    test = summary.test(standing.strategy, structure, standing.spent)
    if test is None:
        return f"{standing.median:.2f}"
    sure = "" if test.p_holm < 0.05 else "?"
    return f"{standing.median:.2f} ({test.difference:+.2f}{sure})"


if __name__ == "__main__":
    main()
