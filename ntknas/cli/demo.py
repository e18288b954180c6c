"""``ntknas demo``: the whole path on embedded data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ntknas.cli import kinds
from ntknas.cli.log import logged
from ntknas.cli.output import note, say
from ntknas.cli.pictures import look_of, picture_options
from ntknas.cli.scoring_display import ScoringDisplay
from ntknas.cli.stopping import storing

MEASURES = ("trace", "mean", "lambda_max", "lambda_min", "cond", "effective_rank", "lga", "cka")
CELLS = 100
PROBE_SIZE = 32


@click.command(name="demo")
@click.option(
    "--folder",
    cls=kinds.TrustedOption,
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("ntknas-demo"),
    show_default=True,
    help="Where the store and the pictures go.",
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@picture_options
@click.pass_context
def command(ctx: click.Context, /, folder: Path, device: str, **options: Any) -> None:
    """Score 100 real NAS-Bench-201 cells and correlate with published accuracies, in under two minutes.

    Networks of the official size at initialisation, a probe of 32 handwritten digits, eight measures of one kernel, and
    the validation accuracies after 200 epochs on CIFAR-10, CIFAR-100 and ImageNet16-120. Nothing is downloaded.
    """
    look = look_of(options)
    from ntknas.benchmarks import load_benchmark
    from ntknas.cli.correlate_tables import print_result
    from ntknas.core.errors import NtknasError
    from ntknas.correlation import correlate
    from ntknas.data import Request, make_probe
    from ntknas.report.pictures import draw_correlation
    from ntknas.scoring import Recipe
    from ntknas.scoring.cells import sample
    from ntknas.scoring.session import score
    from ntknas.spaces import load_space
    from ntknas.store import load_store

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NtknasError(f"Cannot make the folder {folder}: {error.strerror}. Choose another `folder`.") from error
    space, store = load_space("nb201"), folder / "scores.h5"
    with storing(), logged(store), ScoringDisplay() as display:
        scored = score(
            space,
            sample(space, CELLS, 0),
            recipe=Recipe("demo", measures=MEASURES),
            probe=make_probe("digits", PROBE_SIZE, Request()),
            store=store,
            device=device,
            about={"cells": CELLS, "cells_seed": 0},
            on_event=display,
        )
    result = correlate(load_store(store), load_benchmark("nb201", folder=None))
    print_result(result)
    for path in draw_correlation(result, folder, look):
        note(f"Drew {path}")
    say(f"Go on with your own: ntknas score --bench nb201 --dataset cifar10 --probe digits --cells 200 --store {store}")
    ctx.exit(3 if scored.summary.failed else 0)
