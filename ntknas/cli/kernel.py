"""``ntknas kernel``: one kernel, looked at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ntknas.cli import kinds, scoring_options
from ntknas.cli import options as shared
from ntknas.cli.arguments import Options, open_space, recipe_of
from ntknas.cli.first_look import draw_probe_or_digits
from ntknas.cli.model_options import check_subject, model_options, model_options_of
from ntknas.cli.names import check_names
from ntknas.cli.output import json_option, note, number, print_json, print_table, say
from ntknas.cli.own_space import space_option, take_space
from ntknas.cli.pictures import look_of, picture_options
from ntknas.cli.wording import in_options

if TYPE_CHECKING:
    from ntknas.core.choices import Choices
    from ntknas.core.kernel import Kernel
    from ntknas.core.score import Score
    from ntknas.measures import Measure
    from ntknas.report.look import Look
    from ntknas.scoring.inspection import Inspection
    from ntknas.scoring.recipe import Recipe

_OPTIONS_OF_CELLS = ("bench", "space", "init", "variant", "channels", "cells_per_stage", "independent_seeds")


@click.command(name="kernel")
@click.argument("cell", required=False)
@model_options
@shared.bench_option
@space_option
@shared.dataset_option
@click.option("--seed", type=kinds.SEED, default=0, show_default=True, help="Seed of the weights.")
@click.option(
    "--plot",
    cls=kinds.TrustedOption,
    is_flag=False,
    flag_value="kernel",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw the heat map and the spectrum into this file; without a name, after CELL, into kernel.png.",
)
@picture_options
@click.option(
    "--layers",
    cls=kinds.TrustedOption,
    is_flag=True,
    help="Show what each layer adds to the kernel too, from the same passes, and the measures of layers.",
)
@click.option(
    "--save",
    cls=kinds.TrustedOption,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the kernel into this file, with --layers those of its layers; ntknas.kernels.load_kernel reads it.",
)
@click.option(
    "--no-verify",
    cls=kinds.TrustedOption,
    is_flag=True,
    help="With --model: take what autograd returns, without the proof that it is the derivative.",
)
@scoring_options.kernel_options
@scoring_options.probe_options
@shared.device_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    cell: str | None,
    model: str | None,
    plot: Path | None,
    save: Path | None,
    json: bool,
    **options: object,
) -> None:
    """Compute the kernel of CELL (index or architecture string) and show its measures, spectrum and heat map.

    With --model it is the kernel of a model of timm, torchvision or transformers on the probe's images, resized to what
    the model wants; or that of your own module, on the inputs that come with it, else on the probe's images.
    """
    look = look_of(options, plot=plot)
    _check_arguments(ctx, cell, model, options)
    take_space(ctx, options)
    check_names(options)
    inspection = _of_cell(ctx, cell, options) if cell is not None else _of_model(ctx, str(model), options)
    if json:
        print_json(inspection.as_json())
    else:
        _print(inspection)
    if save:
        from ntknas.kernels import save_kernel

        note(f"Saved {save_kernel(inspection.kernel, save)}")
    if plot:
        note(f"Drew {_draw(inspection, plot, look, options['seed'])}")


def _check_arguments(ctx: click.Context, cell: str | None, model: str | None, options: Options) -> None:
    check_subject(ctx, cell, model, _OPTIONS_OF_CELLS, ": a network that is named is made as it is")
    if model is None and options["no_verify"]:
        raise click.UsageError("--no-verify belongs to --model: cells' networks are proved by tests.")


def _of_cell(ctx: click.Context, cell: str, options: Options) -> Inspection:
    from ntknas.scoring.cells import find

    space = open_space(str(options["bench"]))
    index, seed = find(space, cell), options["seed"]
    assert isinstance(seed, int)
    probe = draw_probe_or_digits(ctx, options)  # after the cell, before torch: what is named wrongly is said at once

    from ntknas.scoring.environment import resolve_device
    from ntknas.scoring.inspection import inspect_cell

    device, recipe, dataset = resolve_device(str(options["device"])), _recipe(options), str(options["dataset"])
    return inspect_cell(space, index, recipe=recipe, probe=probe, dataset=dataset, seed=seed, device=device)


def _recipe(options: Options) -> Recipe:
    """Return the recipe, with the measures of layers' kernels where layers are asked for.

    Those of their inputs are left to ``ntknas score --measures layers``: not every network has them sample by sample.
    """
    from ntknas.measures import Need, expand, get_measure

    recipe = recipe_of(options, None)
    if not options["layers"]:
        return recipe
    of_layers = [name for name in expand(["layers"]) if Need.LAYER_INPUTS not in get_measure(name).needs]
    return replace(recipe, measures=(*recipe.measures, *of_layers))


def _of_model(ctx: click.Context, reference: str, options: Options) -> Inspection:
    from ntknas.core.errors import KernelError
    from ntknas.scoring.environment import resolve_device
    from ntknas.scoring.inspection import inspect_model

    device, recipe = resolve_device(str(options["device"])), _recipe(options)
    verify = not options["no_verify"]
    try:
        return inspect_model(
            reference,
            recipe=recipe,
            draw_probe=lambda: draw_probe_or_digits(ctx, options),
            device=device,
            verify=verify,
            options=model_options_of(options),
        )
    except KernelError as error:  # the option is the opposite of the library's parameter
        raise KernelError(str(error).replace("call with verify=False", "give --no-verify")) from error


def _print(inspection: Inspection) -> None:
    from ntknas.measures import get_measure

    kernel, architecture = inspection.kernel, inspection.description.get("architecture")
    say(f"{inspection.heading}: {architecture}" if architecture else inspection.heading)
    if inspection.disconnected:
        say("This cell has no path from input to output.")
    if inspection.words:
        say("; ".join(inspection.words))
    choices = kernel.choices
    say(
        f"{kernel.size}×{kernel.size} kernel, {_name(choices)}, "
        f"{choices.precision} rows, {kernel.strategy} in {inspection.seconds:.2f} s"
    )
    rows = [_row(get_measure(score.measure), score) for score in inspection.scores]
    header = ["measure", "definition", "better", "status", "value"]
    print_table("", header, rows, left=4, least=header[1:3])
    for reason in dict.fromkeys(score.reason for score in inspection.scores if score.reason):
        measures = [score.measure for score in inspection.scores if score.reason == reason]
        say(f"{', '.join(measures)}: {in_options(reason)}")
    if kernel.layers is not None:
        _print_layers(kernel)


def _print_layers(kernel: Kernel) -> None:
    from ntknas.scoring.inspection import layer_figures

    trace = float(kernel.matrix.trace())
    rows = [
        [
            layer.name or "(the network itself)",
            layer.kind,
            f"{layer.parameters:,}",
            f"{100 * layer.trace / trace:.1f} %" if layer.trace is not None and trace > 0 else "–",
            number(layer.effective_rank, 4),
            number(layer.cond, 4),
        ]
        for layer in layer_figures(kernel)
    ]
    print_table(
        "\nlayers, K = Σ K_l", ["layer", "kind", "parameters", "of the trace", "effective rank", "cond"], rows, left=2
    )


def _row(measure: Measure, score: Score) -> list[str]:
    better = "higher" if measure.higher_is_better else "lower"
    return [measure.name, measure.formula, better, score.status.value, number(score.value, 4)]


def _name(choices: Choices) -> str:
    parameters = choices.parameters if isinstance(choices.parameters, str) else f"{len(choices.parameters)} named"
    words = [choices.output, choices.batch_norm, parameters]
    words += [choices.normalisation] * (choices.normalisation != "none")
    return " / ".join(words + [f"{choices.rows.text} by {choices.perturb}"] * (choices.attack is not None))


def _draw(inspection: Inspection, path: Path, look: Look, seed: object) -> Path:
    from ntknas.report.figures import KernelView
    from ntknas.report.plotter import draw

    setting = "; ".join([*(inspection.words or _probe_in_words(inspection)), f"seed {seed}"])
    return draw(KernelView.of(inspection.kernel, inspection.heading, setting), path, look)


def _probe_in_words(inspection: Inspection) -> list[str]:
    """Return the probe of a cell's kernel in words."""
    from ntknas.report.words import dataset_in_words

    probe = inspection.description["probe"]
    assert isinstance(probe, dict)
    count, _, *pixels = str(probe["shape"]).split("x")
    return [f"Probe: {count} images of {dataset_in_words(str(probe['source']))}, {'×'.join(pixels)} pixels"]
