"""``ntknas search`` without a benchmark: the score itself is maximised; a ranked list of architectures comes out."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ntknas.cli.output import note, print_csv, print_json
from ntknas.cli.search_scores import agree_on, dataset_of_networks, read_scores, scoring_arguments
from ntknas.cli.types import Options

if TYPE_CHECKING:
    import pandas as pd

    from ntknas.search.best_score import Found, ScoreSearch
    from ntknas.search.score import Score
    from ntknas.spaces import Space

_BUDGET = 100
_OF_BENCHMARKS = ("choose", "report", "at", "plots", "pool", "accuracies")


def search_alone(store: Path, space: Space, options: Options, *, json: bool, csv: bool) -> None:
    """Search, and print what is found.

    Args:
        store: The store.
        space: The space.
        options: All options of the command.
        json: Whether to print JSON.
        csv: Whether to print CSV.
    """
    _check(options)
    found = _found(store, space, options)
    if json:
        print_json([asdict(one) for one in found])
    elif csv:
        print_csv(_frame(found))
    else:
        from ntknas.cli.search_tables import print_found

        print_found(found, options["names"][0])
    if options["save"]:
        _save(found, options["save"])


def _check(options: Options) -> None:
    given = [f"--{name.replace('_', '-')}" for name in _OF_BENCHMARKS if options[name] is not None]
    if given:
        raise click.UsageError(f"{given[0]} is of searches with a benchmark: leave it out, or --without-benchmark.")
    if len(options["names"]) != 1:
        raise click.UsageError("Without a benchmark one score is maximised: name it with --score.")


def _found(store: Path, space: Space, options: Options) -> list[Found]:
    from ntknas.data.datasets import get_dataset
    from ntknas.search.best_score import maximise

    budget = min(_BUDGET, len(space)) if options["budget"] is None else options["budget"]
    seeds = range(options["searches"] or 1)
    with ExitStack() as stack:
        score = _score(store, space, budget, options, stack)
        answer = maximise(space, score, budget, strategies=options["strategies"], seeds=seeds)
    _say(answer)
    classes = get_dataset(dataset_of_networks(options["dataset"])).num_classes
    return answer.top(options["top"], classes)


def _score(store: Path, space: Space, budget: int, options: Options, stack: ExitStack) -> Score:
    """Return the score: known, or computed as it is asked for."""
    from ntknas.search import computed_score
    from ntknas.spaces.structure import COUNTS

    name = options["names"][0]
    if not options["compute"] and name not in COUNTS:
        return read_scores(store, [name], space, options)[0]
    searches = max(len(options["strategies"]), 1) * (options["searches"] or 1)
    most = min(budget * searches, len(space))
    arguments = {} if name in COUNTS else _arguments(store, name, options, stack)
    if arguments:
        agree_on(space, range(0, len(space), len(space) // most)[:most], arguments, options)
    meter = _Scored(stack, most)
    dataset = dataset_of_networks(options["dataset"])
    return computed_score(name, space, on_scored=meter, **{"dataset": dataset, **arguments})


def _arguments(store: Path, name: str, options: Options, stack: ExitStack) -> Options:
    from ntknas.cli.log import logged
    from ntknas.cli.stopping import storing

    stack.enter_context(storing())
    stack.enter_context(logged(store))
    return {**scoring_arguments((name,), options), "store": store}


class _Scored:
    """Shows how many cells were scored; fewer are, where strategies meet."""

    def __init__(self, stack: ExitStack, most: int):
        from ntknas.cli.meter import Meter

        self._meter = stack.enter_context(Meter(most, "Scoring", "cells"))

    def __call__(self, number: int) -> None:
        self._meter.advance(number)


def _say(answer: ScoreSearch) -> None:
    looked_at = len(answer.scores)
    text = f"{looked_at:,} of the {len(answer.space):,} cells of {answer.space.name} were looked at"
    note(f"{text}, {answer.without_score} of which have no {answer.score}." if answer.without_score else f"{text}.")


def _frame(found: list[Found]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame([asdict(one) for one in found], columns=["rank", "cell", "architecture", "score", "code"])


def _save(found: list[Found], path: Path) -> None:
    from ntknas.core.files import replacing

    with replacing(path) as beside:
        _frame(found).to_csv(beside, index=False)
    note(f"Wrote {path}")
