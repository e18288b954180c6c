"""``ntknas track-kernel``: how the kernel changes while cells train."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ntknas.cli import kinds, scoring_options
from ntknas.cli import options as shared
from ntknas.cli.arguments import apply_recipe, draw_probe, open_space, recipe_of, split_names, training_of
from ntknas.cli.asking import LONG, begin_or_leave, yes_option
from ntknas.cli.first_look import take_images
from ntknas.cli.meter import Meter, duration
from ntknas.cli.names import check_names
from ntknas.cli.output import (
    check_one_format,
    csv_option,
    json_option,
    note,
    number,
    print_csv,
    print_json,
    print_table,
    say,
)
from ntknas.cli.own_space import space_option, take_space
from ntknas.cli.pictures import look_of, picture_options
from ntknas.cli.stopping import storing
from ntknas.cli.types import Options

if TYPE_CHECKING:
    import pandas as pd

    from ntknas.report.look import Look
    from ntknas.scoring.following import FollowedCells, FollowingForecast, TrackingEvent
    from ntknas.spaces import Space
    from ntknas.store.setting import Setting
    from ntknas.tracking import Track
    from ntknas.tracking.bins import BinnedCells

FIRST_LOOK = {"per_bin": 1, "epochs": 3, "channels": 4, "cells_per_stage": 1}
_SHORTER = "--channels 4 --cells-per-stage 1, fewer --epochs, or --per-bin 1"
_PRINTED = (
    "kernel_correlation",
    "kernel_cka",
    "relative_difference",
    "relative_difference_entrywise",
    "label_alignment",
    "parameter_change",
    "train_loss",
    "valid_accuracy",
)


@click.command(name="track-kernel")
@click.argument("cells", nargs=-1)
@shared.bench_option
@space_option
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
@scoring_options.kernel_options_with(leave_out=("perturb", "kernel_of"), output="traced")
@scoring_options.probe_options_with(size=32)
@scoring_options.training_options
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
@picture_options
@click.option("--dry-run", is_flag=True, help="Say what would be trained and how long it takes.")
@yes_option
@json_option
@csv_option
@click.pass_context
def command(ctx: click.Context, /, store: Path, plots: Path | None, json: bool, csv: bool, **options: object) -> None:
    """Train CELLS (indices or architecture strings) and follow their kernels on one fixed probe.

    Without CELLS, a sample with equally many cells of each accuracy bin. Recorded at each moment: every drift against
    initialisation and against the record before, the measures, the norm and the change of the parameters, loss and
    accuracy. A track that is finished is not made again. --recipe mok-track is the setting of Mok et al.: one image,
    its full kernel, 100 epochs.
    """
    check_one_format(json=json, csv=csv)
    look = look_of(options, plots=plots)
    take_space(ctx, options)
    check_names(options)
    asked = _asked(ctx, store, options)
    if options["dry_run"]:
        _say_forecast(asked, json=json)
        return
    if not options["yes"]:
        begin_or_leave(_forecast(asked, least=LONG).seconds, _SHORTER)
    with _Display() as display, storing():
        followed = follow_cells(asked, display)
    if plots:
        _draw(followed, plots, look)
    if json:
        print_json(_as_json(followed, store))
    elif csv:
        print_csv(followed.frame())
    else:
        _print(followed)
    ctx.exit(3 if followed.failed else 0)


@dataclass(frozen=True)
class _Asked:
    """What is to be followed.

    Attributes:
        arguments: Those of ``ntknas.follow``.
        bins: Name of each cell's bin; ``None`` where no accuracies are known.
    """

    arguments: Mapping[str, Any]
    bins: dict[int, str] | None


def _asked(ctx: click.Context, store: Path, options: Options) -> _Asked:
    """Make sense of the options; what a user named wrongly is said before torch is imported."""
    recipe_name = apply_recipe(ctx, options)
    take_images(ctx, options, FIRST_LOOK)
    probe = draw_probe(options)
    space = open_space(options["bench"], options["bench_data"])
    cells, bins = _cells(space, options)
    arguments = {name: options[name] for name in ("dataset", "seeds", "every", "unit", "keep_kernels", "device")}
    arguments |= {"space": space, "cells": cells, "probe": probe, "store": store}
    arguments |= {"recipe": recipe_of(options, None, recipe_name), "measures": split_names(options["measures"]) or ()}
    return _Asked({**arguments, "training": training_of(options, (options["epochs"],))}, bins)


def _forecast(asked: _Asked, least: float = 0.0) -> FollowingForecast:
    from ntknas.scoring.following import forecast_following

    return forecast_following(**asked.arguments, least=least)


def _say_forecast(asked: _Asked, *, json: bool) -> None:
    """Say what would be trained, and how long it takes."""
    note("One network is tried, on few images; nothing is kept.")
    forecast = _forecast(asked)
    if json:
        print_json(asdict(forecast))
        return
    say(f"{forecast.trainings} trainings of {forecast.epochs} epochs: {forecast.stored} tracks are there.")
    say(f"The others take some {duration(forecast.seconds)} here, one after the other.")


def follow_cells(asked: _Asked, on_event: Callable[[TrackingEvent], None]) -> FollowedCells:
    """Call the library."""
    from ntknas.scoring.following import follow

    return follow(**asked.arguments, bins=asked.bins, on_event=on_event)


class _Display:
    """Draws the events of a run; as a context manager it takes its meter away, however the run ends."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._meter: Meter | None = None

    def __enter__(self) -> _Display:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def __call__(self, event: TrackingEvent) -> None:
        from ntknas.scoring.following import TracksPlanned

        if isinstance(event, TracksPlanned):
            note(f"{event.trainings} trainings of {event.epochs} epochs: {event.stored} tracks are there.")
            meter = Meter((event.trainings - event.stored) * event.epochs, "Training", "epochs")
            self._meter = self._stack.enter_context(meter)
        elif self._meter:
            self._meter.advance(event.epochs)


def _cells(space: Space, options: Options) -> tuple[list[int], dict[int, str] | None]:
    """Return the cells to follow, and the name of each one's bin; ``None`` where no accuracies are known."""
    from ntknas.scoring.cells import find

    cells = list(dict.fromkeys(find(space, text) for text in options["cells"]))
    binned = _binned_cells(space, options, are_needed=not cells)
    if binned is None:
        return cells, None
    cells = cells or binned.sample(options["per_bin"], options["cells_seed"])
    return cells, binned.names_of(cells)


def _binned_cells(space: Space, options: Options, *, are_needed: bool) -> BinnedCells | None:
    """Return cells in bins of their accuracies; ``None`` where none are known and none are needed."""
    import pandas as pd

    from ntknas.benchmarks import Target, load_benchmark
    from ntknas.core.errors import ChoiceError
    from ntknas.data.datasets import get_dataset
    from ntknas.tracking.bins import BinnedCells

    try:
        benchmark = load_benchmark(options["bench"], folder=options["bench_data"])
        targets = benchmark.main_targets(*get_dataset(options["dataset"]).tables)
        target = Target.parse(options["target"]) if options["target"] else targets[0]
        accuracies = pd.Series(benchmark.table(target).mean)
    except (ChoiceError, IndexError) as error:
        if are_needed or options["target"]:
            raise ChoiceError(
                f"Bins need accuracies of {options['bench']} on {options['dataset']}: {error}. Name the cells, or "
                "--target."
            ) from error
        return None
    return BinnedCells.of(space, accuracies, options["bins"])


def _as_json(followed: FollowedCells, store: Path) -> dict[str, object]:
    import json

    described = [
        {
            "cell": track.cell,
            "seed": track.seed,
            "bin": followed.bins[track.cell],
            "architecture": str(followed.tracking.job.space[track.cell]),
            "status": track.status.value,
            "reason": track.reason,
            "records": len(track.steps),
            "alignment": _alignment(track),
        }
        for track in followed.tracks
    ]
    return {
        "tracks": described,
        "averages": json.loads(followed.averages().to_json(orient="records")),
        "steps_an_epoch": followed.tracking.steps_per_epoch,
        "setting": dict(_setting(followed).fields),
        "store": str(store),
    }


def _setting(followed: FollowedCells) -> Setting:
    """Return what kernels were taken of, and how networks were trained."""
    from ntknas.scoring.recipe import Group

    job = followed.tracking.job
    return job.setting(Group("kernel", job.recipe.choices.output, ()), followed.tracking.recording.epochs)


def _alignment(track: Track) -> dict[str, object] | None:
    """Return the shares of the labels along each eigenvector at the first and the last record."""
    if track.alignments is None:
        return None
    ends = {"first": 0, "last": len(track.alignments) - 1}
    shares = {name: track.alignments[record] for name, record in ends.items()}
    defined = {name: values.tolist() if (values == values).all() else None for name, values in shares.items()}
    return {"steps": [int(track.steps[record]) for record in ends.values()], **defined}


def _print(followed: FollowedCells) -> None:
    """Print the averages by bin at the last record, and what went wrong."""
    from ntknas.report.words import settings_in_words

    averages, steps_per_epoch = followed.averages(), followed.tracking.steps_per_epoch
    last = averages[averages["step"] == averages["step"].max()]
    rows = []
    for name in dict.fromkeys(followed.bins.values()):
        of_bin = last[last["bin"] == name].set_index("quantity")
        cells = sum(bin_ == name for bin_ in followed.bins.values())
        rows.append([name, str(cells), *(_interval(of_bin, quantity) for quantity in _PRINTED)])
    step = int(averages["step"].max()) if len(averages) else 0
    print_table(
        f"measured with: {settings_in_words([_setting(followed)])}\n"
        f"After {step / steps_per_epoch:.3g} epochs ({step} steps): mean over each bin's cells [95 %]",
        ["accuracy", "cells", *_PRINTED],
        rows,
    )
    say(
        "relative_difference is ‖K_t − K_0‖/‖K_0‖, the same for K and cK; the entrywise one of Mok et al. adds 1e-4\n"
        "to every |K_0|, and so depends on the scale of K and grows with its size. Means of both are geometric.\n"
        "label_alignment is the share of the labels that lies on the leading eigenvectors, one for each class."
    )
    for track in followed.tracks:
        if track.status.value != "ok":
            say(f"cell {track.cell}, seed {track.seed}: {track.status.value}: {track.reason}")


def _interval(rows: pd.DataFrame, quantity: str) -> str:
    if quantity not in rows.index:
        return "–"
    row = rows.loc[quantity]
    interval = f" [{number(row['low'])}, {number(row['high'])}]" if row["low"] == row["low"] else ""
    return f"{number(row['mean'])}{interval}"


def _draw(followed: FollowedCells, folder: Path, look: Look) -> None:
    from ntknas.report.plotter import draw_all
    from ntknas.report.tracking_figures import all_figures
    from ntknas.report.words import settings_in_words, space_in_words

    tracking, job = followed.tracking, followed.tracking.job
    title = f"{len(followed.bins)} cells of {space_in_words(job.space.name)}"
    setting = settings_in_words([_setting(followed)], {track.seed for track in followed.tracks})
    figures = all_figures(followed.tracks, followed.averages(), followed.bins, tracking.steps_per_epoch, title, setting)
    for path in draw_all(figures, folder, look):
        note(f"Drew {path}")
    if not figures:
        note("Nothing was recorded, so there is nothing to draw.")
    elif not tracking.keep_kernels:
        note("Heat maps of the kernels need --keep-kernels.")
