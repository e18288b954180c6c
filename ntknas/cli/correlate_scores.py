"""Which scores ``ntknas correlate`` is to use: those of a store, a user's own, or both side by side."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ntknas.cli import kinds
from ntknas.cli.arguments import open_space, split_names
from ntknas.cli.benchmark_scores import is_name, named_benchmark, scores_of
from ntknas.cli.left_out import say_left_out
from ntknas.cli.names import check_store
from ntknas.cli.output import note
from ntknas.cli.published_source import check_ways, first_measures, read_published
from ntknas.cli.types import F, Options
from ntknas.cli.unmeasured import say_unmeasured, unmeasured_of
from ntknas.core.errors import NtknasError
from ntknas.published.source import is_published, open_published

if TYPE_CHECKING:
    import pandas as pd

_SPACE, _DATASET = "nb201", "cifar10"
"""Of scores of one's own, where nothing says it."""


def own_scores_options(function: F) -> F:
    """Add the options that name a user's own scores."""
    options = (
        click.option(
            "--scores",
            type=click.Path(path_type=Path),
            help="CSV file (or .json, .parquet, .npz) of your own scores: index, cell, hash, net or arch_str, and one "
            "column a score; or an imported benchmark, such as nb-suite-zero. STORE is read beside it only where it is "
            "named.",
        ),
        click.option(
            "--lower-is-better",
            multiple=True,
            metavar="NAME",
            help="Column of --scores of which lower is better; repeatable.  [default: higher is, of all]",
        ),
        click.option(
            "--missing",
            multiple=True,
            metavar="NUMBER",
            type=kinds.Finite(),
            help="Number in --scores that stands for a failure, such as -1e8; repeatable.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


def check_scores(store: Path, options: Options) -> None:
    """Check that the scores that are meant are there, and that their options go together.

    Args:
        store: The store.
        options: All options of the command.

    Raises:
        UsageError: If an option is of scores that are not given.
        NtknasError: If there is no store to read, and no such release.
    """
    if options["scores"] is None:
        for name in ("lower_is_better", "missing"):
            if options[name]:
                raise click.UsageError(f"--{name.replace('_', '-')} is of the columns of --scores.")
    check_ways([store], options)
    if _reads_store(options):
        check_store(store)
        return
    for name in ("setting", "recipe"):
        if options[name]:
            raise click.UsageError(f"--{name} chooses scores of a store: name it beside --scores.")


def _reads_store(options: Options) -> bool:
    ctx = click.get_current_context()
    is_named = ctx.get_parameter_source("store") is not click.core.ParameterSource.DEFAULT
    return is_named or options["scores"] is None


def take_scores(store: Path, options: Options) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Take the options that say which scores are meant out of a command's options, and read them.

    Args:
        store: The store.
        options: All options of the command.

    Returns:
        The scores, as ``correlate_by_space`` takes them, and the names of those that are to be shown; none for all.

    Raises:
        NtknasError: If there are none of these, or something is wrong with them.
    """
    scores, measures = _read(store, options)
    for name in ("space", "setting", "recipe", "ways", "seeds"):
        del options[name]
    return scores, measures


def _read(store: Path, options: Options) -> tuple[pd.DataFrame, tuple[str, ...]]:
    from ntknas.correlation.given import beside

    shown, needed = options.pop("measures"), (*_components(options["combine"]), *(options["given"] or ()))
    reads_store = _reads_store(options)
    own_options = {name: options.pop(name) for name in ("scores", "lower_is_better", "missing")}
    if own_options["scores"] is None:
        measures = split_names(shown, derived=True) or ()
        names = (*measures, *needed) if measures else ()
        return _stored(store, names, options), measures
    stored = _stored(store, (), options) if reads_store else None
    own, columns = _own(_typed(shown), needed, own_options, options, stored)
    measures = split_names(shown, derived=True, others=columns) or ()
    return own if stored is None else beside(stored, own), measures


def lines_left_out(scores: pd.DataFrame) -> int:
    """Return the number of lines of the store that could not be read."""
    return int(scores.attrs["left_out"].lines) if "left_out" in scores.attrs else 0


def scores_as_json(scores: pd.DataFrame) -> dict[str, object]:
    """Return what JSON says of the scores themselves: what is not yet measured, and where published ones are from."""
    unmeasured = [asdict(setting) for setting in scores.attrs.get("unmeasured", ())]
    published = {name: scores.attrs[name] for name in ("published",) if name in scores.attrs}
    return {"unmeasured": unmeasured, **published}


def _components(texts: Collection[str]) -> tuple[str, ...]:
    """Return the names of all scores in some combinations, which are checked."""
    from ntknas.correlation.expression import Expression

    return tuple(dict.fromkeys(name for text in texts for name in Expression.parse(text).names))


def _typed(names: str | None) -> list[str]:
    return [name.strip() for name in (names or "").split(",") if name.strip()]


def _stored(store: Path, names: tuple[str, ...], options: Options) -> pd.DataFrame:
    """Read the scores of a store, or published ones, that are meant, and those that derived measures are made of."""
    from ntknas.measures import all_derived, find_measure, inputs_of
    from ntknas.store import load_store
    from ntknas.store.selection import Selection, select

    inputs = inputs_of([name for name in names if find_measure(name) or name in all_derived()])
    selection = Selection(options["space"], options["setting"], options["recipe"], inputs)
    if is_published(store):
        release = open_published(store)
        return select(read_published(release, options, inputs or first_measures(release, options)), selection)
    scores = load_store(store)
    say_left_out(scores.attrs["left_out"], store)
    if scores.empty:
        raise NtknasError(f"{store} holds no scores yet. Make some with: ntknas score --store {store}")
    selected = select(scores, selection)
    selected.attrs["unmeasured"] = unmeasured_of(scores, selected)
    say_unmeasured(selected.attrs["unmeasured"])
    return selected


def _own(
    shown: list[str], needed: Collection[str], own_options: Options, options: Options, stored: pd.DataFrame | None
) -> tuple[pd.DataFrame, list[str]]:
    """Return a user's own scores, those that are to be shown and what these need, or all; and all their columns."""
    from ntknas.correlation.given import own_scores

    wanted = [*shown, *needed] if shown else []
    if is_name(own_options["scores"]):
        benchmark = named_benchmark(own_options["scores"], options["bench_data"], own_options["missing"])
        space, dataset = benchmark.space, _dataset(options, stored)
        table = scores_of(benchmark, dataset, wanted)
    else:
        space = _space(options, stored)
        table = _of_file(own_options, options, space, wanted)
        dataset = _dataset(options, stored)
    not_taken = table.attrs["not_taken"]
    lower_is_better = [name for name in own_options["lower_is_better"] if name not in not_taken]
    lower_is_better += table.attrs.get("lower_is_better", [])
    return own_scores(table, lower_is_better, space, dataset), [*table, *not_taken]


def _of_file(own_options: Options, options: Options, space: str, wanted: list[str]) -> pd.DataFrame:
    """Read a file of scores; what is odd about it is said."""
    from ntknas.benchmarks import read_scores

    table = read_scores(
        own_options["scores"],
        open_space(space),
        wanted,
        cell_column=None if options["accuracies"] else options["cell_column"],
        missing=own_options["missing"],
    )
    for remark in table.attrs["notes"]:
        note(remark)
    return table


def _space(options: Options, stored: pd.DataFrame | None) -> str:
    from ntknas.benchmarks import space_of

    spaces = [] if stored is None else list(stored["space"].unique())
    named = options["space"] or (options["bench"] and space_of(options["bench"], options["bench_data"]))
    return str(named or (spaces[0] if len(spaces) == 1 else _SPACE))


def _dataset(options: Options, stored: pd.DataFrame | None) -> str:
    """Return the data set that networks are counted for, and whose accuracies are meant where no others are named."""
    from ntknas.data.datasets import DATASETS

    named = [*options["dataset"], *(target.rpartition(":")[2].split("/")[0] for target in options["target"])]
    datasets = [name for name, dataset in DATASETS.items() if name in named or set(dataset.tables) & set(named)]
    datasets = datasets or ([] if stored is None else [str(name) for name in stored["dataset"].unique()])
    if len(datasets) == 1:
        return datasets[0]
    if not (named or options["accuracies"]):
        note(f"Your scores name no data set: they are held against accuracies on {_DATASET} (--dataset).")
    return _DATASET
