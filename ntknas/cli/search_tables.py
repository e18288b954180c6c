"""The tables of ``ntknas search``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntknas.cli.meter import duration
from ntknas.cli.output import number, print_json, print_table, say

if TYPE_CHECKING:
    from ntknas.search.best_score import Found
    from ntknas.search.paired import Test
    from ntknas.search.strategy import Strategy
    from ntknas.search.summary import Standing, Summary

_LEAST = ("time", "regret")
_LEGEND = """\
found: the reported value of the best cell by what it is chosen by, median [quartiles] over the searches. regret: what
the median lacks to the best cell. over …: mean difference to the other strategy with the same random numbers, seed by
seed [95 %, bootstrap over seeds]; p: random signs of the differences, two-sided, by Holm's method for all tests shown.
"""


def print_comparison(summary: Summary) -> None:
    """Print what was searched, and one table for each budget."""
    result, objective = summary.result, summary.result.problem.objective
    pool = "" if result.problem.pool is None else f", pools of {result.problem.pool:,} cells"
    best = objective.quantity.sign * objective.best
    say(f"chosen by {objective.levels[-1].name}, reported: {objective.reported_name} ({objective.quantity})")
    cells = f"{len(result.problem.cells):,} cells{pool}"
    say(f"{cells}; the best has {best:.2f}; {result.seeds:,} searches of each strategy")
    for spent in summary.budgets:
        say()
        _print_budget(summary, spent)
    say()
    say(_LEGEND)


def _print_budget(summary: Summary, spent: float) -> None:
    title = f"after {spent:g} trainings" if summary.axis == "trainings" else f"after {duration(spent)}"
    of_budget = [standing for standing in summary.standings if standing.spent == spent]
    with_time = summary.axis == "trainings" and any(standing.seconds is not None for standing in of_budget)
    header = ["strategy", "found [quartiles]", "regret", *(["time"] if with_time else [])]
    for name in ("random", summary.protocol.structure):
        header += [f"over {name}", "p" if name == "random" else "p "]
    rows = [_row(summary, standing, with_time=with_time) for standing in of_budget]
    print_table(title, header, rows, 1, _LEAST, header[:2])


def _row(summary: Summary, standing: Standing, *, with_time: bool) -> list[str]:
    found = f"{_two(standing.median)} [{_two(standing.worse)}, {_two(standing.better)}]"
    time = [] if not with_time else ["–" if standing.seconds is None else duration(standing.seconds)]
    tests = [summary.test(standing.strategy, name, standing.spent) for name in summary.protocol.references]
    return [standing.strategy, found, _two(standing.regret), *time, *(cell for test in tests for cell in _test(test))]


def _test(test: Test | None) -> list[str]:
    if test is None:
        return ["–", "–"]
    return [f"{test.difference:+.2f} [{test.low:+.2f}, {test.high:+.2f}]", number(test.p_holm, 2)]


def _two(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def print_strategies(*, json: bool) -> None:
    """Print all strategies with what they need and where they come from."""
    from ntknas.search import all_strategies

    strategies = list(all_strategies().values())
    if json:
        print_json([{**_described(one), "needs": _needs(one)} for one in strategies])
        return
    rows = [[one.name, one.text, ", ".join(_needs(one)) or "–", one.source or "–"] for one in strategies]
    print_table("", ["strategy", "what it trains", "needs", "source"], rows, 4)


def _described(strategy: Strategy) -> dict[str, object]:
    return {"name": strategy.name, "text": strategy.text, "source": strategy.source}


def _needs(strategy: Strategy) -> list[str]:
    needs = {
        "a score": strategy.takes_score,
        "neighbours": strategy.needs_neighbours,
        "positions": strategy.needs_positions,
        "several epoch budgets": strategy.needs_levels,
        "a supernet": strategy.needs_supernet,
        "minutes a search": strategy.computes,
    }
    extra = [] if strategy.requires is None else [f"ntknas[{strategy.requires[1]}]"]
    return [*(name for name, is_needed in needs.items() if is_needed), *extra]


def print_found(found: list[Found], score: str) -> None:
    """Print a ranked list of architectures."""
    rows = [[str(one.rank), str(one.cell), one.architecture, f"{one.score:.6g}", one.code] for one in found]
    print_table("", ["rank", "cell", "architecture", score, "code"], rows, 3, ["code"], ["cell", score])
