"""``ntknas score``: the main job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ntknas.cli import options as shared
from ntknas.cli.output import json_option, note, print_json
from ntknas.cli.progress import track

if TYPE_CHECKING:
    from ntknas.data.probe import Probe
    from ntknas.scoring import Recipe


@click.command(name="score")
@shared.bench_option
@shared.dataset_option
@shared.recipe_option
@click.option(
    "--cells", default="100", show_default=True, help="Cells of a random sample, a range such as 0:1001, or all."
)
@click.option("--cells-seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the sample.")
@click.option("--cells-file", type=click.Path(path_type=Path), help="Score these cells: one index or string a line.")
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True, help="Initialisations of each cell.")
@click.option(
    "--measures",
    help=f"Measures or groups of them, separated by commas: {shared.MEASURES}; the groups kernel, regression, "
    "baselines, all.  [default: kernel]",
)
@shared.kernel_options
@shared.probe_options
@shared.device_option
@shared.store_option
@json_option
@click.pass_context
def command(ctx: click.Context, **options: Any) -> None:
    """Score the cells of a benchmark into a store.

    The same command again computes only what is missing, so an interrupted run goes on where it was. Scores under
    other settings stand beside one another in a store and never mix.
    """
    from ntknas.scoring.cells import read_cells_file, select

    recipe_name = shared.apply_recipe(ctx, options)
    space = shared.open_space(options.pop("bench"))
    file, amount, seed = options.pop("cells_file"), options.pop("cells"), options.pop("cells_seed")
    if file and ctx.get_parameter_source("cells") is click.core.ParameterSource.COMMANDLINE:
        raise click.UsageError("--cells and --cells-file both say which cells: give one of them.")
    cells = read_cells_file(space, file) if file else select(space, amount, seed)
    how = {"cells_file": str(file)} if file else {"cells": amount, "cells_seed": seed}
    recipe = shared.take_recipe(options, shared.split_names(options.pop("measures")), recipe_name)
    probe = shared.ProbeOptions.take(options).make(options["dataset"], held_out=recipe.needs_held_out)
    json, seeds = options.pop("json"), range(options.pop("seeds"))
    summary = score(space, recipe, probe, cells, how, seeds=seeds, **options)
    _report(summary, options["store"], json)
    ctx.exit(3 if summary["failed"] else 0)


def score(
    space: Any,
    recipe: Recipe,
    probe: Probe,
    cells: list[int],
    how: dict[str, Any],
    *,
    dataset: str,
    seeds: Sequence[int],
    device: str,
    store: Path,
) -> dict[str, Any]:
    """Score cells into a store, with progress, and return a summary.

    Args:
        space: The space.
        recipe: The recipe.
        probe: The probe.
        cells: Indices of the cells.
        how: How the cells were chosen, for the record.
        dataset: Data set that networks are built for.
        seeds: Seeds of the initialisations.
        device: Name of the device.
        store: Path of the store.
    """
    from ntknas.scoring import make_plan, run
    from ntknas.scoring.environment import describe, resolve_device
    from ntknas.store import ScoreStore

    where = resolve_device(device)
    with ScoreStore.open(store) as opened:
        _warn(opened)
        plan = make_plan(space, dataset, recipe, probe, cells, seeds, opened)
        missing = sum(len(item.members) for item in plan.items)
        note(
            f"{len(cells)} cells × {len(seeds)} seed(s): {plan.stored} of {plan.requested} kernels stored, "
            f"{missing} to get by computing {len(plan.items)} on {where}."
        )
        statuses: Counter[str] = Counter()
        statuses.update(score.status.value for record in plan.copies for score in record.scores.values())
        if plan.items or plan.copies:
            run_id = opened.add_run({**describe(where), "recipe": recipe.name, "seeds": len(seeds), **how})
            work = run(plan, space, dataset, recipe, probe, opened, where, run_id)
            try:
                for progress in track(work, len(plan.items), "Scoring", "kernels"):
                    for score in progress.scores.values():
                        statuses[score.status.value] += len(progress.item.members)
            finally:
                opened.compact()
        failed = sum(count for status, count in statuses.items() if _is_failure(status))
    return {
        "store": str(store),
        "cells": len(cells),
        "seeds": len(seeds),
        "kernels_computed": len(plan.items),
        "kernels_stored_before": plan.stored,
        "scores_by_status": dict(statuses),
        "failed": failed,
    }


def _is_failure(status: str) -> bool:
    from ntknas.core.score import Status

    return Status(status).is_failure


def _warn(store: Any) -> None:
    if store.torn:
        note("The journal ended in an unfinished line, left by a killed run: that score is computed again.")
    if store.orphans:
        note(f"Warning: {store.orphans} record(s) of the journal lost their setting to a damaged line.")
    if store.damaged:
        lines = ", ".join(map(str, store.damaged))
        note(f"Warning: the journal has damaged lines ({lines}); their scores are computed again, the file is kept.")


def _report(summary: dict[str, Any], store: Path, json: bool) -> None:
    if json:
        print_json(summary)
        return
    statuses = ", ".join(f"{count} {status}" for status, count in summary["scores_by_status"].items())
    click.echo(f"{store}: {f'{statuses} (scores by status)' if statuses else 'nothing was missing'}.")
    click.echo(f"Next: ntknas correlate {store}")
