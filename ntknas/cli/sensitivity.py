"""``ntknas sensitivity``: which choices change the conclusion."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ntknas.cli import kinds, scoring_options
from ntknas.cli import options as shared
from ntknas.cli.arguments import apply_recipe, draw_probe, open_space, recipe_of, split_names
from ntknas.cli.asking import begin_or_leave, yes_option
from ntknas.cli.first_look import take_images
from ntknas.cli.forecast import seconds_of_runs
from ntknas.cli.log import logged
from ntknas.cli.meter import duration
from ntknas.cli.names import check_names, check_place_for
from ntknas.cli.output import json_option, note, number, print_json, print_table, say
from ntknas.cli.own_space import space_option, take_space
from ntknas.cli.pictures import look_of, picture_options
from ntknas.cli.scoring_display import ScoringDisplay
from ntknas.cli.stopping import storing
from ntknas.cli.types import Options
from ntknas.core.errors import ChoiceError

if TYPE_CHECKING:
    import pandas as pd

    from ntknas.correlation.sensitivity import Agreement
    from ntknas.report.look import Look
    from ntknas.spaces import Space

FIRST_LOOK = {"cells": "30", "channels": 4, "cells_per_stage": 1}
_SHORTER = "--channels 4 --cells-per-stage 1, --cells 20, or fewer choices to --vary"
CHOICES = "batch-norm,probe-size,probe,probe-seed,init,parameters,precision,seed"


@click.command(name="sensitivity")
@shared.bench_option
@space_option
@shared.dataset_option
@shared.recipe_option
@click.option("--cells", default="50", show_default=True, help="Cells of a random sample, a range, or all.")
@click.option("--cells-seed", type=kinds.SEED, default=0, show_default=True, help="Seed of the sample.")
@click.option("--measures", default="cond,lga,trace", show_default=True, help="Measures, separated by commas.")
@click.option("--vary", default=CHOICES, show_default=True, help="Choices to vary, one at a time.")
@click.option("--target", help="Target of the accuracies.  [default: the first of the benchmark's for the data set]")
@click.option(
    "--plot",
    cls=kinds.TrustedOption,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw the card into this file.",
)
@picture_options
@scoring_options.kernel_options
@scoring_options.probe_options
@shared.device_option
@shared.bench_data_option
@click.option(
    "--store",
    cls=kinds.TrustedOption,
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("sensitivity.h5"),
    show_default=True,
    help="Score store; resumes.",
)
@click.option("--dry-run", is_flag=True, help="Say how long each change takes, and all together.")
@yes_option
@json_option
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> None:
    """Score the same cells under single changes of a way of measuring, and show how far the ranking agrees.

    The table has τ between each variation and the base, and in brackets τ with the accuracies: a choice matters where
    the first is low, and changes the conclusion where the second is another.
    """
    look = look_of(options, plot=options["plot"])
    take_space(ctx, options)
    check_names(options)
    check_place_for(options["store"])

    from ntknas.data.datasets import get_dataset
    from ntknas.scoring.cells import select
    from ntknas.scoring.variations import variations

    name = apply_recipe(ctx, options)
    take_images(ctx, options, FIRST_LOOK)
    options["probe"] = options["probe"] or get_dataset(options["dataset"]).images
    space = open_space(options["bench"], options["bench_data"])
    cells = select(space, options["cells"], options["cells_seed"])
    choices = _choices(options["vary"])
    split_names(options["measures"])
    varied, base = variations(options, choices), _arguments(options, name)

    from ntknas.correlation.sensitivity import BASE, agreements

    runs = {BASE: base, **{each.text: _arguments({**options, **each.changes}, name) for each in varied}}
    if options["dry_run"]:
        _say_forecast(space, cells, runs)
        return
    if not options["yes"]:
        begin_or_leave(sum(seconds_of_runs(space, cells, list(runs.values()))), _SHORTER)
    accuracies = _accuracies(options, space)
    scores: dict[tuple[str, str], pd.Series] = {}
    frames: list[pd.DataFrame] = []
    for variation, arguments in runs.items():
        note(f"{variation}:")
        frames.append(_score(space, cells, arguments, options, variation))
        scores |= _by_measure(frames[-1], arguments["recipe"].measures, variation)
    card, measured = agreements(scores, accuracies), f"{options['probe_size']} images of {options['probe']}"
    if options["json"]:
        print_json({"rows": [item.as_row() for item in card], "probe": options["probe"]})
    else:
        _print(card, measured)
    if options["plot"]:
        note(f"Drew {_draw(card, options['plot'], accuracies, frames[0], look)}")


def _choices(text: str) -> tuple[str, ...]:
    choices = tuple(choice.strip() for choice in text.split(",") if choice.strip())
    if not choices:
        raise ChoiceError(f"--vary names no choice: leave it out for all, or name some of {CHOICES}.")
    return choices


def _arguments(options: Options, name: str) -> Options:
    """Return the arguments of ``ntknas.score`` under some options."""
    recipe = recipe_of(options, split_names(options["measures"]), name)
    return {
        "recipe": recipe,
        "probe": draw_probe(options, held_out=recipe.needs_held_out),
        "dataset": options["dataset"],
        "seeds": [options.get("seed", 0)],
        "store": options["store"],
        "device": options["device"],
    }


def _say_forecast(space: Space, cells: list[int], runs: Mapping[str, Options]) -> None:
    """Say how long each variation takes."""
    seconds = seconds_of_runs(space, cells, list(runs.values()))
    print_table(
        "", ["variation", "at the most"], [[name, duration(each)] for name, each in zip(runs, seconds, strict=True)]
    )
    total = duration(sum(seconds))
    say(f"{len(cells)} cells under {len(runs)} ways of measuring: some {total} here; nothing is stored.")


def _score(space: Space, cells: list[int], arguments: Options, options: Options, variation: str) -> pd.DataFrame:
    """Score cells under one variation; return the scores."""
    from ntknas.scoring.session import score

    provenance = {"cells": options["cells"], "cells_seed": options["cells_seed"], "variation": variation}
    with storing(), logged(arguments["store"]), ScoringDisplay() as display:
        return score(space, cells, **arguments, about=provenance, on_event=display).frame


def _by_measure(frame: pd.DataFrame, measures: tuple[str, ...], variation: str) -> dict[tuple[str, str], pd.Series]:
    """Return scores of a variation by measure, without missing ones."""
    by_measure = frame.set_index("cell").groupby("measure")["value"]
    return {(variation, measure): by_measure.get_group(measure).dropna() for measure in measures}


def _accuracies(options: Options, space: Space) -> pd.Series | None:
    """Mean accuracies of the target, under its name in words; none where the benchmark is not there."""
    import pandas as pd

    from ntknas.benchmarks import Target, benchmark_names, has_accuracies, load_benchmark
    from ntknas.data.datasets import get_dataset
    from ntknas.report.words import target_in_words

    bench, folder = options["bench"], options["bench_data"]
    is_there = bench in benchmark_names(folder) and has_accuracies(bench, folder)
    if not is_there and not options["target"]:
        return None
    benchmark = load_benchmark(bench, folder=folder)
    targets = benchmark.main_targets(*get_dataset(options["dataset"]).tables)
    target = Target.parse(options["target"]) if options["target"] else next(iter(targets), None)
    if target is None:
        return None
    note(f"Accuracies: {target}")
    table = benchmark.table(target)
    return pd.Series(table.mean, name=target_in_words(str(target), table.quantity)).dropna()


def _print(card: list[Agreement], measured: str) -> None:
    measures = list(dict.fromkeys(item.measure for item in card))
    rows = []
    for variation in dict.fromkeys(item.variation for item in card):
        items = {item.measure: item for item in card if item.variation == variation}
        rows.append([variation, *(_cell(items[measure]) for measure in measures)])
    print_table(f"base: {measured}", ["variation", *measures], rows)
    say("τ with the base [95 %], in brackets τ with the accuracies.")


def _cell(item: Agreement) -> str:
    with_base = item.with_base
    interval = "" if with_base.low is None else f" [{with_base.low:.2f}, {with_base.high:.2f}]"
    accuracy = "" if item.with_accuracy is None else f" ({number(item.with_accuracy.value, 2)})"
    return f"{number(with_base.value, 2)}{interval}{accuracy}"


def _draw(card: list[Agreement], path: Path, accuracies: pd.Series | None, base: pd.DataFrame, look: Look) -> Path:
    """Draw the card, below it what the scores before any change were measured with."""
    from ntknas.report import sensitivity_figures
    from ntknas.report.plotter import draw
    from ntknas.report.words import settings_in_words
    from ntknas.store.frame import settings_of

    setting = settings_in_words(settings_of(base).values(), base["seed"].unique().tolist())
    target = "" if accuracies is None else str(accuracies.name)
    return draw(sensitivity_figures.card(card, target, setting), path, look)
