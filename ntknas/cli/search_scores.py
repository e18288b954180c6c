"""The scores that guide ``ntknas search``: stored, published, a user's own, counts, or computed for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ntknas.cli.arguments import apply_recipe, draw_probe, engine_of, recipe_of
from ntknas.cli.asking import begin_or_leave
from ntknas.cli.benchmark_scores import is_name, named_benchmark, scores_of
from ntknas.cli.first_look import take_images
from ntknas.cli.forecast import seconds_of
from ntknas.cli.left_out import say_left_out
from ntknas.cli.meter import duration
from ntknas.cli.names import check_place_for, check_store
from ntknas.cli.output import note, say
from ntknas.cli.published_source import check_ways, read_published
from ntknas.cli.types import Options
from ntknas.core.errors import ChoiceError, NtknasError
from ntknas.published.source import is_published, open_published

if TYPE_CHECKING:
    import pandas as pd

    from ntknas.benchmarks import Benchmark
    from ntknas.search.problem import Problem
    from ntknas.search.score import KnownScore
    from ntknas.spaces import Space

_DATASET = "cifar10"
_SHORTER = "fewer --searches, a smaller --pool, or --channels 4 --cells-per-stage 1"


def check_sources(store: Path, options: Options) -> None:
    """Check that the options that say which scores are meant go together.

    Args:
        store: The store, or published scores.
        options: All options of the command.

    Raises:
        UsageError: If they do not.
    """
    check_ways([store], {"ways": options["ways"]})
    for name in ("lower_is_better", "missing"):
        if options[name] and options["scores"] is None:
            raise click.UsageError(f"--{name.replace('_', '-')} is of the columns of --scores.")
    if options["compute"] and (is_published(store) or options["scores"] is not None):
        raise click.UsageError("--compute fills a store: it goes with neither published scores nor --scores.")
    if options["dry_run"] and not options["compute"]:
        raise click.UsageError("--dry-run says how long --compute takes: nothing else here does.")
    if options["compute"] and (options["setting"] or options["scored_only"]):
        raise click.UsageError("--setting and --scored-only choose of stored scores: they do not go with --compute.")
    if options["compute"]:
        check_place_for(store)


def dataset_of_networks(name: str) -> str:
    """Return the data set that networks are built for, of whose tables the accuracies are; CIFAR-10 of others."""
    from ntknas.data.datasets import DATASETS

    fitting = [dataset for dataset, known in DATASETS.items() if name == dataset or name in known.tables]
    return fitting[0] if fitting else _DATASET


def read_scores(store: Path, names: Sequence[str], space: Space, options: Options) -> list[KnownScore]:
    """Return the scores of some names, from wherever they are.

    Args:
        store: The store, or published scores.
        names: Names as of ``search.known_scores``.
        space: The space.
        options: All options of the command.

    Returns:
        The scores.

    Raises:
        NtknasError: If one is not there, or was taken in several ways.
    """
    from ntknas.correlation.given import beside
    from ntknas.search import known_scores

    own, columns = _own(names, space, options)
    stored = [name for name in _measures(names) if name not in columns]
    table = own
    if stored:
        read = _stored(store, stored, space, options)
        table = read if own is None else beside(read, own)
    return known_scores(names, space, table, dataset=dataset_of_networks(options["dataset"]))


def _measures(names: Sequence[str]) -> list[str]:
    """Return what has to be scored for some names: neither counts nor derived measures."""
    from ntknas.measures import all_derived
    from ntknas.search.known import needed_for
    from ntknas.spaces.structure import COUNTS

    return [name for name in needed_for(names) if name not in COUNTS and name not in all_derived()]


def _own(names: Sequence[str], space: Space, options: Options) -> tuple[pd.DataFrame | None, list[str]]:
    """Return a user's own scores, and their columns."""
    from ntknas.benchmarks import read_scores as read_file
    from ntknas.correlation.given import own_scores

    if options["scores"] is None:
        return None, []
    dataset, lower_is_better = dataset_of_networks(options["dataset"]), list(options["lower_is_better"])
    if is_name(options["scores"]):
        table = scores_of(_benchmark(options, space), dataset, ())
        lower_is_better += table.attrs.get("lower_is_better", [])
    else:
        cell_column = None if options["accuracies"] else options["cell_column"]
        table = read_file(options["scores"], space, cell_column=cell_column, missing=options["missing"])
        for remark in table.attrs["notes"]:
            note(remark)
    return own_scores(table, lower_is_better, space.name, dataset), [str(name) for name in table]


def _benchmark(options: Options, space: Space) -> Benchmark:
    """Return the benchmark that stands in place of a file of scores."""
    benchmark = named_benchmark(options["scores"], options["bench_data"], options["missing"])
    if benchmark.space != space.name:
        raise ChoiceError(f"{benchmark.name} holds scores of {benchmark.space}'s cells, and {space.name} is searched.")
    return benchmark


def _stored(store: Path, measures: Sequence[str], space: Space, options: Options) -> pd.DataFrame:
    from ntknas.store import load_store
    from ntknas.store.selection import Selection, select

    check_store(store)
    if is_published(store):
        scores = read_published(open_published(store), options, measures)
    else:
        scores = load_store(store)
        say_left_out(scores.attrs["left_out"], store)
        if scores.empty:
            raise NtknasError(f"{store} holds no scores yet. Make some with: ntknas score --store {store}")
    recipes = (options["recipe"],) if options["recipe"] else ()
    scores = select(scores, Selection(space.name, options["setting"], recipes, tuple(measures)))
    wanted, datasets = dataset_of_networks(options["dataset"]), [str(name) for name in scores["dataset"].unique()]
    if wanted not in datasets:
        note(f"These are scores of networks for {' and '.join(datasets)}, and not for {wanted}.")
        return scores
    return select(scores, Selection(dataset=wanted)) if len(datasets) > 1 else scores


def compute_scores(
    store: Path, names: Sequence[str], problem: Problem, searches: int, options: Options
) -> list[KnownScore]:
    """Compute the scores of some names, of the cells in the pools of all searches.

    Args:
        store: The store that keeps them.
        names: Names as of ``search.known_scores``.
        problem: What is searched.
        searches: Number of searches of each strategy.
        options: All options of the command.

    Returns:
        The scores.

    Raises:
        NtknasError: If one is unknown, or nothing can be computed.
    """
    from ntknas.search import known_scores
    from ntknas.search.problem import cells_of_pools

    measures, dataset = _measures(names), dataset_of_networks(options["dataset"])
    table = None
    if measures:
        cells = cells_of_pools(problem, searches).tolist()
        note(f"The pools of {searches} searches have {len(cells):,} different cells, which are scored.")
        table = _computed(store, cells, problem.space, tuple(measures), options)
    return known_scores(names, problem.space, table, dataset=dataset)


def _computed(
    store: Path, cells: Sequence[int], space: Space, measures: tuple[str, ...], options: Options
) -> pd.DataFrame:
    from ntknas.cli.log import logged
    from ntknas.cli.scoring_display import ScoringDisplay
    from ntknas.cli.stopping import storing
    from ntknas.scoring.session import score

    arguments = {**scoring_arguments(measures, options), "store": store}
    agree_on(space, cells, arguments, options)
    with storing(), logged(store), ScoringDisplay() as meter:
        return score(space, cells, on_event=meter, **arguments).frame


def agree_on(space: Space, cells: Sequence[int], arguments: Options, options: Options) -> None:
    """Say how long scoring takes if that is long or all that is asked, and leave where it is not to begin.

    Args:
        space: The space.
        cells: The cells that are scored, or as many like them.
        arguments: Those of ``ntknas.score``.
        options: All options of the command.

    Raises:
        Exit: If it is not to begin.
    """
    if options["dry_run"]:
        say(f"{len(cells):,} cells to score at the most: some {duration(seconds_of(space, cells, arguments))} here.")
        raise click.exceptions.Exit(0)
    if not options["yes"]:
        begin_or_leave(seconds_of(space, cells, arguments), _SHORTER)


def scoring_arguments(measures: tuple[str, ...], options: Options) -> Options:
    """Return the arguments of ``ntknas.score`` that a command's options make.

    Args:
        measures: What is measured.
        options: All options of the command; a recipe decides some of them.

    Returns:
        Recipe, probe, data set, seeds and engine.
    """
    from ntknas.measures import expand

    options["dataset"], named = dataset_of_networks(options["dataset"]), options["dataset"]
    recipe_name = apply_recipe(click.get_current_context(), options)
    take_images(click.get_current_context(), options)
    recipe = recipe_of(options, expand(measures), recipe_name)
    arguments = {
        "recipe": recipe,
        "probe": draw_probe(options, held_out=recipe.needs_held_out),
        "dataset": options["dataset"],
        "seeds": number_of_seeds(options["seeds"]),
        "engine": engine_of(options),
    }
    options["dataset"] = named
    return arguments


def number_of_seeds(text: str | None) -> int:
    """Return how many initialisations are computed.

    Args:
        text: Their number; one without it.

    Returns:
        The number.

    Raises:
        ChoiceError: If it is none.
    """
    if text is None:
        return 1
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text)):
        raise ChoiceError(f"`seeds` is how many initialisations are computed, such as 3, got {text!r}.")
    return int(text)
