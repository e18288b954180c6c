"""``ntknas track-kernel``: how the kernel changes while cells train."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ntknas.cli import kinds
from ntknas.cli import options as shared
from ntknas.cli.names import check_names
from ntknas.cli.output import csv_option, json_option, note, number, print_csv, print_json, print_table, say
from ntknas.cli.stopping import storing

if TYPE_CHECKING:
    import pandas as pd

    from ntknas.scoring.tracking import Tracking
    from ntknas.spaces import Space
    from ntknas.tracking import Track
    from ntknas.tracking.bins import Bins

_SHOWN = (
    "kernel_correlation",
    "kernel_cka",
    "relative_difference",
    "relative_difference_entrywise",
    "parameter_change",
    "train_loss",
    "valid_accuracy",
)


@click.command(name="track-kernel")
@click.argument("cells", nargs=-1)
@shared.bench_option
@shared.bench_data_option
@shared.dataset_option
@shared.recipe_option
@click.option("--bins", type=kinds.COUNT, default=4, show_default=True, help="Accuracy bins, equally many cells.")
@click.option("--per-bin", type=kinds.COUNT, default=3, show_default=True, help="Cells of each, without CELLS.")
@click.option("--cells-seed", type=kinds.SEED, default=0, show_default=True, help="Seed of the sample.")
@click.option(
    "--target", help="Accuracies that make the bins, such as cifar10-valid/valid/200.  [default: the main one]"
)
@click.option("--seeds", type=kinds.COUNT, default=1, show_default=True, help="Trainings of each cell.")
@click.option("--epochs", type=kinds.COUNT, default=30, show_default=True, help="Epochs of training.")
@click.option("--every", type=kinds.COUNT, default=1, show_default=True, help="Record every so many units.")
@click.option(
    "--unit", type=kinds.Choice(["epoch", "step"]), default="epoch", show_default=True, help="Unit of --every."
)
@click.option("--measures", default="kernel", show_default=True, help="Measures to take of every kernel.")
@shared.kernel_options_with(output="traced")
@shared.probe_options_with(size=32)
@shared.training_options
@shared.device_option
@click.option("--keep-kernels", is_flag=True, help="Keep every kernel, for heat maps and your own analyses.")
@click.option(
    "--store",
    cls=kinds.TrustedOption,
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("tracks"),
    show_default=True,
    help="Folder of the tracks, one HDF5 file each.",
)
@click.option(
    "--plots", cls=kinds.TrustedOption, type=click.Path(file_okay=False, path_type=Path), help="Folder to draw into."
)
@json_option
@csv_option
@click.pass_context
def command(ctx: click.Context, **options: Any) -> None:
    """Train CELLS (indices or architecture strings) and follow their kernels on one fixed probe.

    Without CELLS, a sample with equally many cells of each accuracy bin. Recorded at each moment: every drift against
    initialisation and against the record before, the measures, the norm and the change of the parameters, loss and
    accuracy. A track that is finished is not made again. --recipe mok-track is the setting of Mok et al.: one image,
    its full kernel, 100 epochs.
    """
    if options["json"] and options["csv"]:
        raise click.UsageError("--json and --csv are two formats: give one of them.")
    check_names(options)
    asked = _take(ctx, options)
    tracks = _tracks(asked)
    frame = _frame(tracks, asked.bins)
    if options["plots"]:
        _draw(tracks, frame, asked, options["plots"])
    if options["json"]:
        print_json(_as_json(tracks, frame, asked))
    elif options["csv"]:
        print_csv(frame)
    else:
        _print(tracks, frame, asked)
    ctx.exit(3 if any(track.status.is_failure for track in tracks) else 0)


@dataclass(frozen=True)
class _Asked:
    """What the command was asked for: networks to follow, and the bins of their accuracies."""

    tracking: Tracking
    cells: list[int]
    bins: dict[int, str]
    seeds: int
    device: str
    store: Path


def _take(ctx: click.Context, options: dict[str, Any]) -> _Asked:
    """Make sense of the options."""
    from ntknas.measures import get_measure
    from ntknas.scoring import Job
    from ntknas.scoring.tracking import Tracking
    from ntknas.tracking.follow import Recording

    recipe_name = shared.apply_recipe(ctx, options)
    space = shared.open_space(options["bench"])
    cells, bins = _cells(space, options)
    names = shared.split_names(options["measures"]) or ()
    recipe = shared.take_recipe(options, None, recipe_name)
    output = recipe.choices.output
    measures = tuple(name for name in names if not (outputs := get_measure(name).outputs) or output in outputs)
    recording = Recording(options["epochs"], options["every"], options["unit"])
    about_probe = shared.ProbeOptions.take(options)
    probe = about_probe.make(options["dataset"])
    arguments = shared.TrainingArguments.take(options)
    training = arguments.make(options["dataset"], about_probe, (recording.epochs,), None, keep=False)
    job = Job(space, options["dataset"], recipe, probe, training=training)
    tracking = Tracking(job, recording, measures, options["keep_kernels"])
    tracking.check_memory()
    return _Asked(tracking, cells, bins, options["seeds"], options["device"], options["store"])


def _cells(space: Space, options: dict[str, Any]) -> tuple[list[int], dict[int, str]]:
    """Return the cells to track, and the name of each one's bin."""
    from ntknas.scoring.cells import find
    from ntknas.tracking.bins import names_of, stratified, usable

    cells = list(dict.fromkeys(find(space, text) for text in options["cells"]))
    accuracies, bins = _accuracies(space, options, needed=not cells)
    if not cells and bins is not None:
        cells = stratified(usable(space, accuracies), bins, options["per_bin"], options["cells_seed"])
    return cells, names_of(cells, accuracies, bins)


def _accuracies(space: Space, options: dict[str, Any], *, needed: bool) -> tuple[pd.Series, Bins | None]:
    """Return the accuracies that make the bins, and the bins; nothing where none are known and none are needed.

    Raises:
        ChoiceError: If they are needed, and the benchmark has none.
    """
    import pandas as pd

    from ntknas.benchmarks import Target, load_benchmark
    from ntknas.core.errors import ChoiceError
    from ntknas.data.datasets import get_dataset
    from ntknas.tracking.bins import Bins, usable

    try:
        benchmark = load_benchmark(options["bench"], folder=options["bench_data"])
        targets = benchmark.main_targets(*get_dataset(options["dataset"]).tables)
        target = Target.parse(options["target"]) if options["target"] else targets[0]
        accuracies = pd.Series(benchmark.table(target).mean)
    except (ChoiceError, IndexError) as error:
        if needed or options["target"]:
            raise ChoiceError(
                f"Bins need accuracies of {options['bench']} on {options['dataset']}: {error}. Name the cells, or "
                "--target."
            ) from error
        return pd.Series(dtype=float), None
    return accuracies, Bins.of(usable(space, accuracies), options["bins"])


def _tracks(asked: _Asked) -> list[Track]:
    """Return the track of every (cell, seed): from the folder, or made now."""
    from ntknas.cli.meter import Meter
    from ntknas.scoring.environment import resolve_device

    tracking, epochs = asked.tracking, asked.tracking.recording.epochs
    keys = [(cell, seed) for cell in asked.cells for seed in range(asked.seeds)]
    found = {key: tracking.find(asked.store, *key) for key in keys}
    missing = [key for key, track in found.items() if track is None]
    note(f"{len(keys)} trainings of {epochs} epochs: {len(keys) - len(missing)} tracks are there.")
    with storing(), Meter(len(missing) * epochs, "Training", "epochs") as meter:
        made = tracking.make(missing, asked.store, resolve_device(asked.device), meter.advance)
        found |= {(track.cell, track.seed): track for track in made}
    return [track for track in found.values() if track is not None]


def _frame(tracks: Sequence[Track], bins: dict[int, str]) -> pd.DataFrame:
    """Return one row for each (cell, seed, step, quantity)."""
    import pandas as pd

    frames = [
        track.frame.assign(cell=track.cell, seed=track.seed, bin=bins[track.cell])
        for track in tracks
        if len(track.frame)
    ]
    columns = ["bin", "cell", "seed", "step", "quantity", "value", "status", "reason"]
    return pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)


def _averages(frame: pd.DataFrame, asked: _Asked) -> pd.DataFrame:
    from ntknas.report.tracking_figures import QUANTITIES
    from ntknas.tracking.bins import averages

    return averages(frame, [*QUANTITIES, *asked.tracking.measures])


def _as_json(tracks: Sequence[Track], frame: pd.DataFrame, asked: _Asked) -> dict[str, Any]:
    import json

    rows = json.loads(_averages(frame, asked).to_json(orient="records"))
    about = [
        {
            "cell": track.cell,
            "seed": track.seed,
            "bin": asked.bins[track.cell],
            "architecture": str(asked.tracking.job.space[track.cell]),
            "status": track.status.value,
            "reason": track.reason,
            "records": len(track.steps),
        }
        for track in tracks
    ]
    return {
        "tracks": about,
        "averages": rows,
        "steps_an_epoch": asked.tracking.steps_an_epoch,
        "store": str(asked.store),
    }


def _print(tracks: Sequence[Track], frame: pd.DataFrame, asked: _Asked) -> None:
    """Print the averages by bin at the last record, and what went wrong."""
    found = _averages(frame, asked)
    last = found[found["step"] == found["step"].max()]
    rows = []
    for name in dict.fromkeys(asked.bins.values()):
        of_bin = last[last["bin"] == name].set_index("quantity")
        cells = str(sum(asked.bins[cell] == name for cell in asked.cells))
        rows.append([name, cells, *(_interval(of_bin, quantity) for quantity in _SHOWN)])
    step = int(found["step"].max()) if len(found) else 0
    print_table(
        f"After {step / asked.tracking.steps_an_epoch:.3g} epochs ({step} steps): mean over each bin's cells [95 %]",
        ["accuracy", "cells", *_SHOWN],
        rows,
    )
    say(
        "relative_difference is ‖K_t − K_0‖/‖K_0‖, the same for K and cK; the entrywise one of Mok et al. adds 1e-4\n"
        "to every |K_0|, and so depends on the scale of K and grows with its size. Means of both are geometric."
    )
    for track in tracks:
        if track.status.value != "ok":
            say(f"cell {track.cell}, seed {track.seed}: {track.status.value}: {track.reason}")


def _interval(rows: pd.DataFrame, quantity: str) -> str:
    if quantity not in rows.index:
        return "–"
    row = rows.loc[quantity]
    interval = f" [{number(row['low'])}, {number(row['high'])}]" if row["low"] == row["low"] else ""
    return f"{number(row['mean'])}{interval}"


def _draw(tracks: Sequence[Track], frame: pd.DataFrame, asked: _Asked, folder: Path) -> None:
    """Draw the averages, every track, the spectra, and the kernels where they are kept."""
    from ntknas.report import tracking_figures as figures
    from ntknas.report.figures import Figure
    from ntknas.report.plotter import draw

    shown = [track for track in tracks if len(track.steps)]
    if not shown:
        note("Nothing was recorded, so there is nothing to draw.")
        return
    steps = asked.tracking.steps_an_epoch
    job = asked.tracking.job
    what = f"{job.space.name}, {len(job.probe)} {job.probe.source} images, {job.recipe.choices.output}"
    pictures: dict[str, Figure] = {
        "drift-by-bin.png": figures.by_bin(_averages(frame, asked), steps, f"Kernel while training: {what}"),
        "drift-by-cell.png": figures.by_cell(shown, asked.bins, steps, f"Kernel while training, each cell: {what}"),
        "spectrum.png": figures.spectra(shown, asked.bins, steps, f"Spectrum while training: {what}"),
    }
    for track in shown:
        if track.kernels is not None:
            title = f"cell {track.cell} ({asked.bins[track.cell]}), seed {track.seed}"
            pictures[f"kernel-{track.cell}-seed-{track.seed}.png"] = figures.strip(track, steps, title)
    for name, figure in pictures.items():
        note(f"Drew {draw(figure, folder / name)}")
    if not asked.tracking.keep_kernels:
        note("Heat maps of the kernels need --keep-kernels.")
