"""``ntknas search``: how good a cell a score finds for a budget of trainings, beside search without it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ntknas.cli import options as shared
from ntknas.cli.arguments import open_space
from ntknas.cli.names import check_names
from ntknas.cli.output import check_one_format, csv_option, json_option, note, print_csv, print_json
from ntknas.cli.pictures import look_of
from ntknas.cli.search_options import alone_options, protocol_options, shown_options, source_options
from ntknas.cli.search_pruning import strategies_of
from ntknas.cli.search_scores import check_sources, compute_scores, read_scores
from ntknas.cli.types import Options

if TYPE_CHECKING:
    from ntknas.report.look import Look
    from ntknas.search.comparison import Guided, SearchResult
    from ntknas.search.problem import Problem
    from ntknas.search.protocol import Protocol
    from ntknas.search.score import KnownScore
    from ntknas.spaces import Space

_BUDGET, _SEARCHES, _SEARCHES_COMPUTED, _POOL_COMPUTED = 200, 200, 10, 100


@click.command(name="search")
@click.argument("store", type=click.Path(path_type=Path), default=shared.DEFAULT_STORE)
@protocol_options
@shown_options
@alone_options
@source_options
@click.option("--list", "lists", is_flag=True, help="List the strategies.")
@json_option
@csv_option
def command(store: Path, json: bool, csv: bool, lists: bool, **options: Any) -> None:
    """Show how good a cell is found for a budget of trainings, guided by scores of STORE, published ones or your own.

    A training is a run of a benchmark's table, drawn by the seed of the search, the same for all strategies. What is
    chosen by validation accuracy is reported by its test accuracy, as median and quartiles over the searches, and
    tested in pairs against random search and against the best by effective parameters.

    Without a benchmark the score itself is maximised, computed as the search goes with --compute, and the result is a
    ranked list of architectures.
    """
    check_one_format(json=json, csv=csv)
    if lists:
        from ntknas.cli.search_tables import print_strategies

        print_strategies(json=json)
        return
    from ntknas.benchmarks import space_of

    look = look_of(options, plots=options["plots"])

    check_sources(store, options)
    name = space_of(options["bench"], options["bench_data"])
    check_names({"bench": name, "accuracies": options["accuracies"], "scores": options["scores"]})
    space = open_space(name)
    if _is_alone(space, options):
        from ntknas.cli.search_alone import search_alone

        search_alone(store, space, options, json=json, csv=csv)
        return
    result, protocol = _search(store, space, options)
    _show(result, protocol, options, look, json=json, csv=csv)


def _is_alone(space: Space, options: Options) -> bool:
    """Return whether there is no benchmark to search, or none is to be."""
    from ntknas.benchmarks import benchmark_names

    if options["without_benchmark"] or options["accuracies"] is not None:
        return bool(options["without_benchmark"])
    if options["bench"] in benchmark_names(options["bench_data"]):
        return False
    note(f"{space.name} has no benchmark: the score itself is searched.")
    return True


def _search(store: Path, space: Space, options: Options) -> tuple[SearchResult, Protocol]:
    from ntknas.search.checks import check_strategy
    from ntknas.search.comparison import search
    from ntknas.search.protocol import Protocol
    from ntknas.search.registry import get_strategy

    protocol = Protocol.of(space, options["strategies"])
    problem = _problem(space, options)
    for name in protocol.strategies:  # before anything is computed
        check_strategy(get_strategy(name), problem, has_score=True)
    searches = options["searches"] or (_SEARCHES_COMPUTED if options["compute"] else _SEARCHES)
    scores = _scores(store, protocol, problem, searches, options)
    if options["scored_only"]:
        problem = _among_scored(problem, scores, options)
    _say_remarks(problem, scores, searches)
    strategies = strategies_of(protocol.strategies, options)
    return search(problem, strategies, scores, seeds=searches, progress=_progress), protocol


def _problem(space: Space, options: Options) -> Problem:
    from ntknas.cli.search_objective import objective_of
    from ntknas.search.problem import Problem

    objective = objective_of(space, options)
    budget = min(_BUDGET, len(objective.cells)) if options["budget"] is None else options["budget"]
    pool = options["pool"]
    if pool is None and options["compute"]:
        pool = min(_POOL_COMPUTED, len(objective.cells))
    return Problem(space, objective, budget, pool)


def _scores(store: Path, protocol: Protocol, problem: Problem, searches: int, options: Options) -> list[KnownScore]:
    """Return the scores that are named, behind the one of structure alone."""
    names = tuple(dict.fromkeys((protocol.structure, *options["names"])))
    if options["compute"]:
        return compute_scores(store, names, problem, searches, options)
    return read_scores(store, names, problem.space, options)


def _among_scored(problem: Problem, scores: list[KnownScore], options: Options) -> Problem:
    import numpy as np

    from ntknas.core.errors import ChoiceError
    from ntknas.search.problem import Problem

    scored = np.all([np.isfinite(score.values) for score in scores], axis=0)
    objective = problem.objective.within(scored)
    number = len(objective.cells)
    if not number:
        raise ChoiceError("No cell that can be trained has every `score`.")
    note(f"Searched are the {number:,} cells that have every score.")
    budget = min(problem.budget, number) if options["budget"] is None else problem.budget
    return Problem(problem.space, objective, budget, problem.pool)


def _say_remarks(problem: Problem, scores: list[KnownScore], searches: int) -> None:
    from ntknas.search.checks import remarks_on

    for score in scores:
        for remark in remarks_on(score, problem, searches):
            note(remark)
    objective = problem.objective
    if objective.levels[-1].name == objective.reported_name:
        note(f"What is chosen by is reported too: {objective.reported_name}. (--report)")
    if not objective.has_seconds:
        note(f"{objective.levels[-1].name} has no training seconds: trainings alone are counted.")


def _progress(work: list[tuple[Guided, int]]) -> Iterable[tuple[Guided, int]]:
    from ntknas.cli.meter import metered

    return metered(work, len(work), "Searching", "searches")


def _show(result: SearchResult, protocol: Protocol, options: Options, look: Look, *, json: bool, csv: bool) -> None:
    from ntknas.cli.search_tables import print_comparison
    from ntknas.search.summary import Summary

    summary = Summary.of(result, protocol, options["axis"], budgets_at(options["at"]))
    if json:
        print_json(summary.as_json())
    elif csv:
        print_csv(summary.frame())
    else:
        print_comparison(summary)
    if options["plots"]:
        from ntknas.search.pictures import draw_search

        for path in draw_search(result, protocol, options["plots"], look):
            note(f"Drew {path}")


def budgets_at(text: str | None) -> list[float]:
    """Return the budgets that a text names; none without it.

    Args:
        text: Numbers, separated by commas.

    Returns:
        The numbers.

    Raises:
        ChoiceError: If one is no number above zero.
    """
    from ntknas.core.errors import ChoiceError

    numbers = []
    for part in (text or "").split(",") if text is not None else ():
        try:
            number = float(part)
        except ValueError:
            number = 0.0
        if not 0 < number < 1e12:
            raise ChoiceError(f"`at` are numbers above zero, separated by commas, such as 10,50,100, got {text!r}.")
        numbers.append(number)
    return sorted(set(numbers))


__all__ = ["command"]
