"""``ntknas score``: scores of cells into a store."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ntknas.cli import kinds, scoring_options
from ntknas.cli import options as shared
from ntknas.cli.arguments import (
    apply_recipe,
    draw_probe,
    engine_of,
    open_space,
    recipe_of,
    split_names,
    training_of,
)
from ntknas.cli.asking import begin_or_leave, yes_option
from ntknas.cli.first_look import take_images
from ntknas.cli.forecast import ForecastDisplay, seconds_of
from ntknas.cli.log import logged
from ntknas.cli.names import check_names, check_place_for
from ntknas.cli.output import json_option, note, print_json
from ntknas.cli.own_space import provenance_of, space_option, take_space
from ntknas.cli.scoring_display import ScoringDisplay, say_summary
from ntknas.cli.stopping import storing
from ntknas.cli.types import Options
from ntknas.kernels.method import STRATEGIES

if TYPE_CHECKING:
    from ntknas.scoring import Training
    from ntknas.spaces import Space

OF_SPACE = "of-space"
"""Value of ``--published`` where it names no release."""
FIRST_LOOK = {"cells": "50", "channels": 4, "cells_per_stage": 1}
_SHORTER = "--channels 4 --cells-per-stage 1, or --cells 20"


@click.command(name="score")
@shared.bench_option
@space_option
@shared.dataset_option
@shared.recipe_option
@click.option(
    "--cells", default="100", show_default=True, help="Cells of a random sample, a range such as 0:1001, or all."
)
@click.option("--cells-seed", type=kinds.SEED, default=0, show_default=True, help="Seed of the sample.")
@shared.population_option
@click.option("--cells-file", type=click.Path(path_type=Path), help="Score these cells: one index or string per line.")
@click.option("--seeds", type=kinds.COUNT, default=1, show_default=True, help="Initialisations of each cell.")
@scoring_options.measures_option
@click.option(
    "--epochs",
    default="0",
    show_default=True,
    help="Epochs of training at which to measure, such as 0,1,4,16; 0 is initialisation.",
)
@scoring_options.kernel_options
@scoring_options.probe_options
@scoring_options.training_options
@click.option(
    "--checkpoints",
    cls=kinds.TrustedOption,
    default="auto",
    show_default=True,
    help="Folder of the trainings' checkpoints, or none; auto: STORE.checkpoints.",
)
@click.option("--keep-checkpoints", is_flag=True, help="Keep them after training, so that more epochs can follow.")
@shared.device_option
@shared.store_option
@scoring_options.engine_options
@click.option(
    "--strategy",
    type=kinds.Choice(list(STRATEGIES)),
    default="auto",
    show_default=True,
    help="How kernels are computed; auto takes the fastest that is exact.",
)
@click.option(
    "--rows-at-once",
    type=kinds.COUNT,
    help="Rows of a coupled kernel that one backward pass computes.  [default: by a short trial]",
)
@click.option(
    "--published",
    is_flag=False,
    flag_value=OF_SPACE,
    metavar="[NAME or folder]",
    help="Take what is published of the same setting, seed and cell in place of computing it, by default from the "
    "release of the benchmark's space.",
)
@click.option("--shard", help="Score shard i of n alone, i/n from 1, into a store of its own (STORE.shard-i-of-n).")
@click.option("--dry-run", is_flag=True, help="Say what would be computed, how long it takes and in how much memory.")
@yes_option
@json_option
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> None:
    """Score the cells of a benchmark into a store.

    The same command again computes only what is missing, so an interrupted run goes on where it was. Scores under
    other settings stand beside one another in a store and never mix.

    With --epochs networks are trained, by default as in Mok et al. (CVPR 2022), and measured on the way; training loss
    and accuracy and the accuracy on test images are stored beside. A training that is interrupted goes on from its last
    checkpoint.

    With --workers, processes of their own compute: one that crashes or takes too long costs one cell. On several
    machines: --shard i/n and ntknas store merge, or --engine ray.
    """
    if options["cells_file"] and ctx.get_parameter_source("cells") is click.core.ParameterSource.COMMANDLINE:
        raise click.UsageError("--cells and --cells-file both say which cells: give one of them.")
    take_space(ctx, options)
    check_names(options)
    check_place_for(options["store"])

    recipe_name = apply_recipe(ctx, options)
    take_images(ctx, options, FIRST_LOOK)
    space = open_space(options["bench"])
    cells, left_out, provenance = _cells_of(space, options)
    provenance |= provenance_of(space)
    recipe = recipe_of(options, split_names(options["measures"]), recipe_name)
    probe = draw_probe(options, held_out=recipe.needs_held_out)

    from ntknas.scoring.session import forecast, score  # torch: what a user named wrongly is said before
    from ntknas.scoring.shards import Shard

    training, engine = _training(options), engine_of(options)
    shard, store, json = options["shard"], options["store"], options["json"]
    if shard:
        parsed = Shard.parse(shard)
        cells, provenance["shard"] = parsed.cells(space, recipe, cells), shard
        store = parsed.store(store)
    arguments = {name: options[name] for name in ("dataset", "seeds", "strategy", "rows_at_once")}
    arguments["published"] = space.name if options["published"] == OF_SPACE else options["published"]
    arguments |= {"recipe": recipe, "probe": probe, "training": training, "engine": engine, "store": store}
    if options["dry_run"]:
        display = ForecastDisplay()
        display.show(forecast(space, cells, on_event=display, **arguments), len(probe), json=json)
        return
    if not options["yes"]:
        begin_or_leave(seconds_of(space, cells, arguments), _SHORTER)
    with storing(), logged(store), ScoringDisplay() as meter:
        summary = score(space, cells, about=provenance, on_event=meter, **arguments).summary
    summary = replace(summary, cells_left_out=left_out)  # by the file: what was scored are those that are left
    if json:
        print_json({**summary.as_json(), "probe": probe.source})
    else:
        say_summary(summary, space.name, store, probe.source)
    ctx.exit(3 if summary.failed else 0)


def _cells_of(space: Space, options: Options) -> tuple[list[int], int, dict[str, object]]:
    """Return the cells that are meant, how many of a file's are left out, which is said, and how they were named."""
    from ntknas.scoring.cells import read_cells_file, select, within

    file, amount, seed, population = (options[name] for name in ("cells_file", "cells", "cells_seed", "population"))
    provenance: dict[str, object] = {"population": population} if population != "all" else {}
    if file is None:
        return select(space, amount, seed, population), 0, {"cells": amount, "cells_seed": seed, **provenance}
    named = read_cells_file(space, file)
    cells = within(space, population, named)
    left_out = len(named) - len(cells)
    if left_out:
        note(f"{left_out:,} of the {len(named):,} cells of {file} are not of population {population}: left out.")
    return cells, left_out, {"cells_file": str(file), **provenance}


def _training(options: Options) -> Training | None:
    """Return how networks are trained; ``None`` where they are measured at initialisation alone."""
    from ntknas.scoring.training import parse_epochs
    from ntknas.store.layout import checkpoints_path

    epochs, folder = parse_epochs(options["epochs"]), options["checkpoints"]
    if epochs == (0,):
        return None
    automatic = {"auto": checkpoints_path(options["store"]), "none": None}
    return training_of(options, epochs, automatic.get(folder, Path(folder)), keep=options["keep_checkpoints"])
