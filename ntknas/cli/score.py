"""``ntknas score``: the main job."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ntknas.cli import kinds
from ntknas.cli import options as shared
from ntknas.cli.left_out import say_left_out
from ntknas.cli.names import check_names, check_place_for
from ntknas.cli.next_step import after_scoring
from ntknas.cli.output import json_option, note, print_json, print_table, say
from ntknas.cli.progress import Meter
from ntknas.cli.stopping import storing

if TYPE_CHECKING:
    from ntknas.scoring import Job, Plan, Strategy, Training
    from ntknas.scoring.engine import Engine
    from ntknas.scoring.progress import Progress, Report
    from ntknas.store import ScoreStore
    from ntknas.store.requests import Request


_REASONS = 3
"""Different reasons of failures that are printed."""


@click.command(name="score")
@shared.bench_option
@shared.dataset_option
@shared.recipe_option
@click.option(
    "--cells", default="100", show_default=True, help="Cells of a random sample, a range such as 0:1001, or all."
)
@click.option("--cells-seed", type=kinds.SEED, default=0, show_default=True, help="Seed of the sample.")
@click.option("--cells-file", type=click.Path(path_type=Path), help="Score these cells: one index or string a line.")
@click.option("--seeds", type=kinds.COUNT, default=1, show_default=True, help="Initialisations of each cell.")
@click.option(
    "--measures",
    help=f"Measures or groups of them, separated by commas: {shared.MEASURES}; the groups kernel, regression, "
    "baselines, all.  [default: kernel]",
)
@click.option(
    "--epochs",
    default="0",
    show_default=True,
    help="Epochs of training at which to measure, such as 0,1,4,16; 0 is initialisation.",
)
@shared.kernel_options
@shared.probe_options
@shared.training_options
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
@shared.engine_options
@click.option(
    "--strategy",
    type=kinds.Choice(["auto", "layer-wise", "row-loop"]),
    default="auto",
    show_default=True,
    help="How kernels are computed; auto takes the fastest that is exact.",
)
@click.option(
    "--rows-at-once",
    type=kinds.COUNT,
    help="Rows of a coupled kernel that one backward pass computes.  [default: by a short trial]",
)
@click.option("--shard", help="Score part i of n alone, i/n from 1, into a store of its own (STORE.shard-i-of-n).")
@click.option("--dry-run", is_flag=True, help="Say what would be computed, how long it takes and in how much memory.")
@json_option
@click.pass_context
def command(ctx: click.Context, **options: Any) -> None:
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
    check_names(options)
    check_place_for(options["store"])

    from ntknas.scoring import Job, Strategy
    from ntknas.scoring.cells import read_cells_file, select
    from ntknas.scoring.shards import Shard

    recipe_name = shared.apply_recipe(ctx, options)
    space = shared.open_space(options.pop("bench"))
    file, amount, seed = options.pop("cells_file"), options.pop("cells"), options.pop("cells_seed")
    cells = read_cells_file(space, file) if file else select(space, amount, seed)
    how = {"cells_file": str(file)} if file else {"cells": amount, "cells_seed": seed}
    recipe = shared.take_recipe(options, shared.split_names(options.pop("measures")), recipe_name)
    about_probe = shared.ProbeOptions.take(options)
    probe = about_probe.make(options["dataset"], held_out=recipe.needs_held_out)
    rows = options.pop("rows_at_once")
    training = _training(options, about_probe)
    job = Job(space, options.pop("dataset"), recipe, probe, Strategy(options.pop("strategy"), rows or 1), training)
    json, seeds = options.pop("json"), range(options.pop("seeds"))
    engine, shard, dry_run = shared.take_engine(options), options.pop("shard"), options.pop("dry_run")
    store = options.pop("store")
    if shard:
        part = Shard.parse(shard)
        cells, how["shard"] = part.cells(space, recipe, cells), shard
        store = part.store(store)
    if dry_run:
        _forecast(job, cells, seeds, engine, store, json=json)
        return
    summary = score(job, cells, how, seeds=seeds, engine=engine, store=store, trial=rows is None)
    _report(summary, job.space.name, store, json)
    ctx.exit(3 if summary["failed"] else 0)


def _training(options: dict[str, Any], probe: shared.ProbeOptions) -> Training | None:
    """Take the options of the training out of a command's options."""
    from ntknas.store.layout import checkpoints_path

    epochs, arguments = shared.split_epochs(options.pop("epochs")), shared.TrainingArguments.take(options)
    folder, keep = options.pop("checkpoints"), options.pop("keep_checkpoints")
    if epochs == (0,):
        return None
    store: Path = options["store"]
    automatic = {"auto": checkpoints_path(store), "none": None}
    return arguments.make(options["dataset"], probe, epochs, automatic.get(folder, Path(folder)), keep=keep)


def score(
    job: Job,
    cells: list[int],
    how: dict[str, Any],
    *,
    seeds: Sequence[int],
    store: Path,
    engine: Engine,
    trial: bool = True,
) -> dict[str, Any]:
    """Score cells into a store, with progress, and return a summary.

    Args:
        job: What is scored.
        cells: Indices of the cells.
        how: How the cells were chosen, for the record.
        seeds: Seeds of the initialisations.
        store: Path of the store.
        engine: What computes, and where.
        trial: Whether to try how many rows of a coupled kernel to compute at once.
    """
    from ntknas.core.allocator import keep_freed_memory
    from ntknas.scoring import make_plan
    from ntknas.scoring.tally import Tally
    from ntknas.store import ScoreStore
    from ntknas.store.requests import Request

    where = engine.text()
    keep_freed_memory()
    with storing(), ScoreStore.open(store) as opened:
        _warn(opened)
        plan = make_plan(job, cells, seeds, opened)
        _say_plan(plan, job, len(cells), len(seeds), where)
        tally = Tally()
        for record in plan.copies:
            tally.add_copy(record)
        try:
            if plan.items or plan.copies:
                request = Request(plan.measures, cells, list(seeds))
                for done in _carried_out(plan, job, opened, engine, how, request, trial=trial):
                    tally.add(done)
        finally:
            opened.compact()
        stored = opened
    tally.check(stored)
    return {
        "store": str(store),
        "cells": len(cells),
        "seeds": len(seeds),
        "kernels_computed": len(plan.items),
        "kernels_stored_before": plan.stored,
        "scores_by_status": dict(tally.statuses),
        "failed": tally.failed,
        "reasons": dict(tally.reasons.most_common(_REASONS)),
    }


def _say_plan(plan: Plan, job: Job, cells: int, seeds: int, where: str) -> None:
    """Say what is asked for, what of it is stored, and what is left to compute."""
    missing = sum(len(item.members) for item in plan.items)
    trained = sum(1 for task in plan.tasks if task[0].epoch)
    kinds = plan.requested // max(cells * seeds, 1)
    note(
        f"{cells} cells × {seeds} seed(s){f' × {kinds} kinds' * (kinds > 1)}: "
        f"{plan.stored} of {plan.requested} kernels stored, "
        f"{missing} to get by computing {len(plan.items)} on {where}"
        + (f", {trained} networks to train for up to {job.epochs[-1]} epochs." if trained else ".")
    )


def _carried_out(
    plan: Plan,
    job: Job,
    store: ScoreStore,
    engine: Engine,
    how: dict[str, Any],
    request: Request,
    *,
    trial: bool,
) -> Iterator[Progress]:
    """Let an engine compute, and yield finished kernels; the store knows from the start what was asked for."""
    about = {"recipe": job.recipe.name, "seeds": len(request.seeds), "epochs": list(job.epochs), **how}
    run_id = store.add_run({**engine.describe(), **about, "request": request.as_json()})
    store.announce(run_id, request.measures)
    job, strategy = _strategy(plan, job, engine, trial)
    store.runs[run_id]["strategy"] = strategy
    store.announce(run_id, request.measures)
    yield from _shown(engine.run(plan, job, store, run_id), plan, job)


def _shown(work: Iterable[Report], plan: Plan, job: Job) -> Iterator[Progress]:
    """Yield finished kernels and show how far the run is: in kernels, or where networks are trained in epochs."""
    from ntknas.scoring import Progress
    from ntknas.scoring.forecast import kernels_left, kind_and_cost

    epochs = sum(task[-1].epoch for task in plan.tasks)
    kernels = sum(1 for item in plan.items if not item.epoch)
    unit = "epochs and kernels" if epochs and kernels else "epochs" if epochs else "kernels"
    left = None if epochs else kernels_left(plan, job)
    with Meter(epochs + kernels, "Training" if epochs else "Scoring", unit, left) as meter:
        for done in work:
            if isinstance(done, Progress):
                yield done
                if left:
                    kind, cost = kind_and_cost(job, done.item)
                    meter.done(cost, kind, done.seconds)
                meter.advance(0 if done.item.epoch else 1)
            else:
                meter.advance(done.epochs)


def _strategy(plan: Plan, job: Job, engine: Engine, trial: bool) -> tuple[Job, dict[str, Any]]:
    """Return the job with the strategy to use, and what the run is recorded with."""
    import torch

    from ntknas.scoring.trial import tried

    strategy: Strategy = job.strategy
    record: dict[str, Any] = {}
    if trial and engine.name == "local":
        if engine.threads:
            torch.set_num_threads(engine.threads)
        strategy, record = tried(plan, job, engine.here)
    if record:
        note(f"Tried: {strategy.rows_at_once} row(s) of a coupled kernel at once.")
    return replace(job, strategy=strategy), {**asdict(strategy), **({"trial": record} if record else {})}


def _forecast(job: Job, cells: list[int], seeds: Sequence[int], engine: Engine, store: Path, *, json: bool) -> None:
    """Print what a run would take; nothing is stored."""
    import torch

    from ntknas.scoring import make_plan
    from ntknas.scoring.forecast import BUDGET, forecast, peak_memory
    from ntknas.store import ScoreStore

    where, workers = engine.here, max(1, len(engine.devices))
    torch.set_num_threads(engine.threads or torch.get_num_threads())
    note(f"Forecast of {len(cells)} cells × {len(seeds)} seed(s), by trials of {BUDGET:.0f} s or so; none is stored.")
    plan = make_plan(job, cells, seeds, ScoreStore.peek(store))
    if plan.items:
        note(f"Trying a few of {len(plan.tasks)} networks on {where}, few images first.")
    kinds = forecast(plan, job, where, say=note)
    total = sum(kind.seconds for kind in kinds) / workers
    memory = peak_memory(where)
    if json:
        rows = [{**vars(kind), "seconds": kind.seconds, "uncertainty": kind.uncertainty} for kind in kinds]
        asked = {"requested": plan.requested, "stored": plan.stored, "to_compute": len(plan.tasks)}
        print_json({**asked, "kinds": rows, "workers": workers, "seconds": total, "bytes_per_worker": memory})
        return
    say(
        f"{len(cells)} cells × {len(seeds)} seed(s) ask for {plan.requested} kernels: {plan.stored} are stored, "
        f"{len(plan.tasks)} networks have to be computed (equal ones once)."
    )
    if not kinds:
        return
    table = [
        [", ".join(kind.measures), kind.output, str(kind.items), _range(kind.tried), duration(kind.seconds)]
        for kind in kinds
    ]
    print_table("", ["measures", "output", "networks", "s a network, light to heavy", "one worker"], table, left=2)
    fewest, whole = min(kind.images for kind in kinds), len(job.probe)
    if fewest < whole:
        say(f"From trials with {fewest} of {whole} images, multiplied: it may take several times less.")
    elif not all(kind.spread for kind in kinds):
        say("From trials of light networks, by FLOPs: heavy ones would have taken too long.")
    say(
        f"With {workers} worker(s): {duration(total)}, some {memory / 2**20:.0f} MiB each"
        f"{' of GPU memory' if where.type == 'cuda' else ''}."
    )


def _range(seconds: list[float]) -> str:
    shortest, longest = f"{min(seconds):.2f}", f"{max(seconds):.2f}"
    return f"{shortest if shortest == longest else f'{shortest} to {longest}'} ({len(seconds)} tried)"


def duration(seconds: float) -> str:
    """Return seconds for people.

    Example:
        >>> duration(90061)
        '1 d 1 h'
    """
    for unit, size, smaller, part in (("d", 86400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if seconds >= size:
            rest = int(seconds % size / part)
            return f"{int(seconds / size)} {unit}" + (f" {rest} {smaller}" if rest else "")
    return f"{seconds:.1f} s"


def _warn(store: Any) -> None:
    if store.torn:
        note("The journal ended in an unfinished line, left by a killed run: that score is computed again.")
    lost = replace(store.left_out, unfinished=False)
    say_left_out(lost, store.path)
    if lost.lines:
        note("Scores that are asked for and were in them are computed again; a copy of the file is kept.")


def _report(summary: dict[str, Any], space: str, store: Path, json: bool) -> None:
    if json:
        print_json(summary)
        return
    statuses = ", ".join(f"{count} {status}" for status, count in summary["scores_by_status"].items())
    say(f"{store}: {f'{statuses} (scores by status)' if statuses else 'nothing was missing'}.")
    for reason, count in summary["reasons"].items():
        say(f"{count} failed: {reason}")
    if summary["failed"]:
        say("The same command tries what failed again.")
    command, remark = after_scoring(space, store)
    if remark:
        say(remark)
    say(f"Next: {command}")
