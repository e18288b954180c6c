"""``ntknas explain``: one cell or network, looked at from all sides."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ntknas.cli import kinds, scoring_options
from ntknas.cli import options as shared
from ntknas.cli.arguments import Options, open_space, recipe_of
from ntknas.cli.first_look import draw_probe_or_digits
from ntknas.cli.model_options import check_subject, model_options, model_options_of
from ntknas.cli.names import check_names
from ntknas.cli.output import json_option, note, print_json
from ntknas.cli.pictures import look_of, picture_options
from ntknas.published.places import PACKAGED, spectra_folder

if TYPE_CHECKING:
    from ntknas.explanation import Explanation

_OF_CELLS = (
    *("bench", "init", "variant", "channels", "cells_per_stage", "independent_seeds"),
    *("published", "way", "spectra", "score", "target", "bench_data"),
)


@click.command(name="explain")
@click.argument("cell", required=False)
@model_options
@shared.bench_option
@shared.dataset_option
@click.option("--target", help="Target that cells are held against.  [default: the first main one of the data set]")
@shared.bench_data_option
@click.option(
    "--published",
    help=f"Published scores that the cell's places are by: {', '.join(PACKAGED)}, or a folder that holds a release.  "
    "[default: those of the space]",
)
@click.option("--way", help="Their way of measuring.  [default: that of this kernel and probe, else recommended]")
@click.option(
    "--spectra",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of their spectra.  [default: NAME-spectra in --bench-data, or where the package is used from]",
)
@click.option("--score", help="Published measure that neighbours are compared by.  [default: cond]")
@click.option("--seed", type=kinds.SEED, default=0, show_default=True, help="Seed of the weights.")
@click.option(
    "--plot",
    cls=kinds.TrustedOption,
    is_flag=False,
    flag_value="explain",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw everything on one page, into this file; without a name, after CELL, into explain.png.",
)
@picture_options
@scoring_options.kernel_options_with(leave_out=("normalisation", "perturb", "kernel_of"))
@scoring_options.probe_options
@shared.device_option
@json_option
@click.pass_context
def command(
    ctx: click.Context, /, cell: str | None, model: str | None, plot: Path | None, json: bool, **options: object
) -> None:
    """Explain CELL (index or architecture string): what its kernel is made of, and where it stands in its space.

    Its drawing and counts, each measure's place among all cells by published scores, each layer's share of the kernel,
    its spectrum beside those of the best and the median cell, and what changes with each step to a neighbour. With
    --model the layers and the spectrum of another network. What is not at hand is left out, and named.
    """
    from ntknas.cli.explain_tables import print_explanation

    look = look_of(options, plot=plot)
    check_subject(ctx, cell, model, _OF_CELLS, ", and --model of none")
    check_names(options)
    explanation = _of_cell(ctx, cell, options) if cell is not None else _of_model(ctx, str(model), options)
    if json:
        print_json(explanation.as_json())
    else:
        print_explanation(explanation)
    if plot:
        from ntknas.explanation.picture import portrait_of
        from ntknas.report.plotter import draw

        note(f"Drew {draw(portrait_of(explanation), plot, look)}")


def _of_cell(ctx: click.Context, cell: str, options: Options) -> Explanation:
    from ntknas.scoring.cells import find

    folder, seed, spectra = options["bench_data"], options["seed"], options["spectra"]
    assert isinstance(folder, Path)
    assert isinstance(seed, int)
    assert spectra is None or isinstance(spectra, Path)
    bench = str(options["bench"])
    space = open_space(bench, folder)
    index, probe = find(space, cell), draw_probe_or_digits(ctx, options)

    from ntknas.explanation.explaining import Beside, Explained, explain_cell
    from ntknas.scoring.environment import resolve_device

    named = {name: None if options[name] is None else str(options[name]) for name in ("published", "way", "score")}
    target = None if options["target"] is None else str(options["target"])
    other = None if bench == space.name else bench
    here = spectra_folder(space.name, folder)
    spectra = here if spectra is None and here.exists() else spectra
    beside = Beside(**named, spectra=spectra, bench=other, target=target, bench_data=folder)
    recipe, device = recipe_of(options, None), resolve_device(str(options["device"]))
    return explain_cell(Explained(space, index, recipe, probe, str(options["dataset"]), seed, device), beside)


def _of_model(ctx: click.Context, reference: str, options: Options) -> Explanation:
    from ntknas.explanation.entry import explain_inspection
    from ntknas.scoring.environment import resolve_device
    from ntknas.scoring.inspection import inspect_model

    device, recipe = resolve_device(str(options["device"])), recipe_of(options, None)
    wanted = model_options_of(options)
    inspection = inspect_model(
        reference,
        recipe=recipe,
        draw_probe=lambda: draw_probe_or_digits(ctx, options),
        device=device,
        options=wanted,
        by_layer=recipe.choices.normalisation == "none",
    )
    return explain_inspection(inspection)
