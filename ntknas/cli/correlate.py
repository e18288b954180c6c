"""``ntknas correlate``: how well scores rank the cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ntknas.cli import kinds
from ntknas.cli import options as shared
from ntknas.cli.correlate_overview import OVERVIEW, Shown, check_overview, overview_options, show_overview
from ntknas.cli.correlate_scores import (
    check_scores,
    lines_left_out,
    own_scores_options,
    scores_as_json,
    take_scores,
)
from ntknas.cli.correlate_source import check_one_space, check_source, take_source
from ntknas.cli.correlate_tables import print_comparisons, print_result
from ntknas.cli.intervals import correlating, note_few_resamples
from ntknas.cli.names import check_names
from ntknas.cli.output import check_one_format, csv_option, json_option, note, print_csv, print_json, say
from ntknas.cli.own_space import named_space
from ntknas.cli.pictures import look_of, picture_options
from ntknas.cli.published_source import way_options
from ntknas.cli.types import Options
from ntknas.cli.wording import in_options
from ntknas.correlation.order import SORTS
from ntknas.correlation.row import LEFT_OUT, UNSCORED

if TYPE_CHECKING:
    import pandas as pd

    from ntknas.correlation.by_space import SpaceResults
    from ntknas.correlation.sources import AccuracySource
    from ntknas.report.look import Look


@click.command(name="correlate")
@click.argument("store", type=click.Path(path_type=Path), default=shared.DEFAULT_STORE)
@way_options
@click.option(
    "--space",
    cls=kinds.TrustedOption,
    help="Scores of this space alone; FILE.py:NAME is one of your own, which is run.  [default: all, one after the "
    "other]",
)
@click.option("--setting", multiple=True, help="Scores of this setting, or the beginning of its digest; repeatable.")
@click.option("--recipe", multiple=True, help="Scores computed with this recipe; repeatable.")
@click.option("--measures", help="Measures and groups to show, separated by commas.  [default: all that were taken]")
@shared.population_option
@click.option("--cells-file", type=click.Path(path_type=Path), help="These cells alone: one index or string per line.")
@click.option(
    "--given",
    help="What the partial τ holds fixed: counts, or measures with one ranking of these cells, separated by commas.  "
    "[default: effective_parameters,live_layers]",
)
@click.option("--sort", type=kinds.Choice(list(SORTS)), help="What rows are sorted by, best first.")
@click.option(
    "--dataset",
    multiple=True,
    help="Data set of the accuracies, or all; repeatable.  [default: the scores' own]",
)
@click.option(
    "--target",
    multiple=True,
    help="Exact target, such as cifar10-valid/valid/200 or hw-nas-bench:cifar10/fpga_latency, or all; repeatable.",
)
@overview_options
@click.option("--bench", help="Benchmark of the accuracies.  [default: the scores' own space's]")
@shared.bench_data_option
@click.option(
    "--accuracies",
    type=click.Path(path_type=Path),
    help="CSV file (or .json, .parquet, .npz) of your own accuracies: index or cell, value.",
)
@click.option("--column", help="Column of --accuracies to take.")
@click.option(
    "--cell-column",
    help="Column of --accuracies, or else of --scores, that names the cells.  [default: all that do, and agree]",
)
@own_scores_options
@click.option(
    "--combine",
    multiple=True,
    metavar="EXPRESSION",
    help="Combination of scores to show beside them, such as rank(a)+rank(b): names, numbers, + - * /, rank, log, abs; "
    "repeatable.",
)
@click.option(
    "--unscored",
    type=kinds.Choice(list(UNSCORED)),
    default=LEFT_OUT,
    show_default=True,
    help="What is done with cells without a score: left out and counted, or placed last.",
)
@click.option(
    "--resamples",
    type=kinds.NUMBER,
    default=1000,
    show_default=True,
    help="Bootstrap resamples; fewer than 200 give no intervals.",
)
@click.option("--seed", type=kinds.SEED, default=0, show_default=True, help="Seed of the bootstrap.")
@click.option(
    "--plots",
    cls=kinds.TrustedOption,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to draw into: correlations, scores against accuracies, the best of k.",
)
@picture_options
@click.option("--compare", is_flag=True, help="Test between measures: is the best one better than each other one?")
@json_option
@csv_option
def command(store: Path, plots: Path | None, json: bool, csv: bool, compare: bool, **options: Any) -> None:
    """Correlate the scores in STORE, published ones (published:nb201), or your own, with trained accuracies.

    Coefficients are of scores signed so that higher is better; intervals are 95 % bootstrap over cells, and over
    initialisations where cells have several seeds; cells that are one network are resampled together. Counts of the
    cells' networks stand in the same table as baselines. Each space of the store is held against its own benchmark.
    """
    check_one_format(json=json, csv=csv)
    shown = Shown(json, csv, plots, look_of(options, plots=plots))
    check_source(options)
    options["space"] = named_space(options["space"])
    check_overview(options, compare=compare)
    check_scores(store, options)
    check_names({name: options[name] for name in ("accuracies", "scores", "cells_file")})

    note(f"Correlating {options['scores'] or store} with accuracies.")  # what it is done with takes a while to load
    options["given"] = _split_given(options["given"])
    scores, options["measures"] = take_scores(store, options)
    source = take_source(options)
    check_one_space(source, scores)
    options["cells"] = _cells_of(options.pop("cells_file"), scores)
    note_few_resamples(options["resamples"])
    if source.is_all:
        show_overview(scores, source, shown, options)
    else:
        _show(scores, source, shown, options, options["seed"] if compare else None)


def _show(
    scores: pd.DataFrame, source: AccuracySource, shown: Shown, options: Options, comparison_seed: int | None
) -> None:
    """Correlate scores with each target, and show the result."""
    from ntknas.correlation.by_space import correlate_by_space

    for name in OVERVIEW:
        del options[name]
    answer = _in_options(correlate_by_space(scores, source, **options, progress=correlating))
    for message in (*answer.not_shown.values(), *answer.notes, *_cells_without_accuracy(answer, source)):
        note(message)
    if shown.json:
        print_json({**answer.as_json(lines_left_out(scores), comparison_seed), **scores_as_json(scores)})
    elif shown.csv:
        print_csv(answer.frame())
    else:
        _print(answer, comparison_seed)
    if shown.plots:
        _draw_all(answer, shown.plots, shown.look)


def _split_given(text: str | None) -> list[str] | None:
    names = [] if text is None else [name.strip() for name in text.split(",") if name.strip()]
    if text is not None and not names:
        raise click.UsageError("--given needs a name: of a count, such as live_layers, or a measure.")
    return names or None


def _cells_of(file: Path | None, scores: pd.DataFrame) -> list[int] | None:
    """Return the cells that a file names, of the space of some scores."""
    from ntknas.scoring.cells import read_cells_file
    from ntknas.spaces import load_space

    spaces = [str(space) for space in scores["space"].unique()]
    if file is None:
        return None
    if len(spaces) > 1:
        raise click.UsageError(
            f"--cells-file names cells of one space, and the scores are of {' and '.join(spaces)}: choose one with "
            "--space."
        )
    return read_cells_file(load_space(spaces[0]), file)


def _in_options(answer: SpaceResults) -> SpaceResults:
    """Return the answer with reasons that name the options of the command."""
    return replace(answer, not_shown={space: in_options(reason) for space, reason in answer.not_shown.items()})


def _cells_without_accuracy(answer: SpaceResults, source: AccuracySource) -> Iterator[str]:
    """Yield a remark for each target that lacks accuracies of scored cells."""
    for result in answer.results.values():
        for target, summary in result.targets.items():
            if summary.cells_with_accuracy < summary.cells_scored:
                cells = f"{summary.cells_with_accuracy:,} of {summary.cells_scored:,} scored cells"
                quantity = summary.quantity
                why = f" ({quantity.missing} stands for none)" if quantity.missing else ""
                yield f"{source.accuracies or target} has {quantity.values} for {cells}{why}: the others are left out."


def _print(answer: SpaceResults, comparison_seed: int | None) -> None:
    for space, result in answer.results.items():
        if answer.are_several:
            say(f"{space}\n{'=' * len(space)}")
        print_result(result)
        if comparison_seed is not None:
            print_comparisons(result, comparison_seed)
        if answer.are_several:
            say()


def _draw_all(answer: SpaceResults, folder: Path, look: Look) -> None:
    """Draw the pictures of every space, each in a folder of its own where there are several."""
    from ntknas.report.pictures import draw_correlation

    for space, result in answer.results.items():
        for path in draw_correlation(result, folder / space if answer.are_several else folder, look):
            note(f"Drew {path}")


__all__ = ["command"]
