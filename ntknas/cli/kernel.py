"""``ntknas kernel``: one kernel, looked at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ntknas.cli import kinds, scoring_options
from ntknas.cli import options as shared
from ntknas.cli.arguments import draw_probe, open_space, recipe_of
from ntknas.cli.names import check_names
from ntknas.cli.output import json_option, note, number, print_json, print_table, say

if TYPE_CHECKING:
    from ntknas.core.choices import Choices
    from ntknas.core.kernel import Kernel
    from ntknas.core.score import Score
    from ntknas.measures import Measure

_FAILURES = (RuntimeError, TypeError, LookupError, ValueError, ArithmeticError, AttributeError, ImportError)


@click.command(name="kernel")
@click.argument("cell", required=False)
@click.option(
    "--model",
    cls=kinds.TrustedOption,
    help="In place of CELL: FILE.py:function, which is run and returns a module, (module, x) or (module, x, labels).",
)
@shared.bench_option
@shared.dataset_option
@click.option("--seed", type=kinds.SEED, default=0, show_default=True, help="Seed of the weights.")
@click.option(
    "--plot",
    cls=kinds.TrustedOption,
    is_flag=False,
    flag_value="kernel.png",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw the heat map and the spectrum into this file; without a name, after CELL, into kernel.png.",
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
    ctx: click.Context, cell: str | None, model: str | None, plot: Path | None, json: bool, **options: Any
) -> None:
    """Compute the kernel of CELL (index or architecture string) and show its measures, spectrum and heat map.

    With --model it is the kernel of your own module, on the inputs that come with it, else on the probe's images.
    """
    if (cell is None) == (model is None):
        raise click.UsageError("Name a CELL, or your own module with --model FILE.py:function.")
    if model is not None:
        _refuse_options_of_cells(ctx)
    elif options["no_verify"]:
        raise click.UsageError("--no-verify belongs to --model: cells' networks are proved by tests.")
    check_names({**options, "model": model})
    looked_at = _of_cell(cell, options) if cell is not None else _of_model(str(model), options)
    if json:
        print_json(_as_json(looked_at))
    else:
        _print(looked_at)
    if plot:
        note(f"Drew {_draw(looked_at, plot)}")


@dataclass(frozen=True)
class _LookedAt:
    """A kernel, what it is of, and its measures."""

    heading: str
    about: dict[str, Any]
    disconnected: bool
    kernel: Kernel
    scores: list[Score]
    seconds: float


def _refuse_options_of_cells(ctx: click.Context) -> None:
    for name in ("bench", "seed", "init", "variant", "channels", "cells_per_stage", "independent_seeds"):
        if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--{name.replace('_', '-')} is of cells: your function makes the module as it is.")


def _of_cell(cell: str, options: dict[str, Any]) -> _LookedAt:
    import time

    from ntknas.scoring.cells import find
    from ntknas.spaces import is_own

    space = open_space(options["bench"])
    index = find(space, cell)

    from ntknas.kernels import Batch, Method, compute_kernel
    from ntknas.scoring.cell_kernel import cell_network, prepare_images
    from ntknas.scoring.environment import resolve_device

    device, recipe, probe = resolve_device(options["device"]), recipe_of(options, None), draw_probe(options)
    images = prepare_images(probe.images, device, recipe.choices.precision)
    start = time.perf_counter()
    network = cell_network(space, index, options["seed"], options["dataset"], recipe.network, images)
    method = Method(verify=not is_own(space))
    kernel = compute_kernel(network, [Batch(images, probe.labels)], recipe.choices, method)
    seconds = time.perf_counter() - start
    disconnected = space.is_disconnected(space[index])
    about = {
        "cell": index,
        "architecture": str(space[index]),
        "disconnected": disconnected,
        "probe": probe.describe(),
    }
    heading = f"{space.name} cell {index}"
    return _LookedAt(heading, about, disconnected, kernel, _measures(kernel, recipe.measures), seconds)


def _of_model(place: str, options: dict[str, Any]) -> _LookedAt:
    import time

    from ntknas.core.errors import DataError, KernelError, NtknasError
    from ntknas.kernels import Method, compute_kernel
    from ntknas.kernels.preparation import checked_batches, converted, in_precision
    from ntknas.scoring.cell_kernel import DTYPES
    from ntknas.scoring.environment import resolve_device
    from ntknas.scoring.user_model import folder_first, load_model

    device, recipe = resolve_device(options["device"]), recipe_of(options, None)
    model, x, labels = load_model(place)
    about: dict[str, Any] = {"model": place}
    if x is None:
        probe = draw_probe(options)
        x, labels, about["probe"] = probe.images, probe.labels, probe.describe()
    else:
        about["inputs"] = "x".join(map(str, x.shape))
    dtype = DTYPES[recipe.choices.precision]
    x = in_precision(x, device, dtype)
    start = time.perf_counter()
    try:
        with folder_first(place):
            network, batches = converted(model, device, dtype), checked_batches(x, None, labels, None)
            kernel = compute_kernel(network, batches, recipe.choices, Method(verify=not options["no_verify"]))
    except KernelError as error:
        raise KernelError(str(error).replace("call with verify=False", "give --no-verify")) from error
    except NtknasError:
        raise
    except _FAILURES as error:  # what a user's module does with inputs that it does not take
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise DataError(
            f"{place} fails on inputs of shape {tuple(x.shape)}: {reason}. Return inputs that it takes beside it, or "
            "choose --probe and --dataset."
        ) from error
    seconds = time.perf_counter() - start
    return _LookedAt(
        place, about, disconnected=False, kernel=kernel, scores=_measures(kernel, recipe.measures), seconds=seconds
    )


def _measures(kernel: Kernel, names: tuple[str, ...]) -> list[Score]:
    """The measures that are defined for this kernel's output reduction, and without labels those that need none."""
    from ntknas.measures import Need, get_measure, measure

    suited = [name for name in names if not (outputs := get_measure(name).outputs) or kernel.choices.output in outputs]
    unlabelled = kernel.labels is None
    return [measure(name, kernel) for name in suited if not (unlabelled and Need.LABELS in get_measure(name).needs)]


def _as_json(looked_at: _LookedAt) -> dict[str, Any]:
    kernel, scores = looked_at.kernel, looked_at.scores
    return {
        **looked_at.about,
        "choices": kernel.choices.as_dict(),
        "strategy": kernel.strategy,
        "seconds": looked_at.seconds,
        "measures": [
            {"measure": score.measure, "value": score.value, "status": score.status.value, "reason": score.reason}
            for score in scores
        ],
        "spectrum": kernel.spectrum.tolist() if kernel.is_finite else None,
        "matrix": kernel.matrix.tolist() if kernel.is_finite else None,
    }


def _print(looked_at: _LookedAt) -> None:
    from ntknas.measures import get_measure

    kernel, architecture = looked_at.kernel, looked_at.about.get("architecture")
    say(f"{looked_at.heading}: {architecture}" if architecture else looked_at.heading)
    if looked_at.disconnected:
        say("This cell has no path from input to output.")
    choices = kernel.choices
    say(
        f"{kernel.size}×{kernel.size} kernel, {_name(choices)}, "
        f"{choices.precision} rows, {kernel.strategy} in {looked_at.seconds:.2f} s"
    )
    rows = [_row(get_measure(score.measure), score) for score in looked_at.scores]
    header = ["measure", "definition", "better", "status", "value"]
    print_table("", header, rows, left=4, least=header[1:3])
    for reason in dict.fromkeys(score.reason for score in looked_at.scores if score.reason):
        measures = [score.measure for score in looked_at.scores if score.reason == reason]
        say(f"{', '.join(measures)}: {reason}")


def _row(measure: Measure, score: Score) -> list[str]:
    better = "higher" if measure.higher_is_better else "lower"
    return [measure.name, measure.formula, better, score.status.value, number(score.value, 4)]


def _name(choices: Choices) -> str:
    parameters = choices.parameters if isinstance(choices.parameters, str) else f"{len(choices.parameters)} named"
    parts = [choices.output, choices.batch_norm, parameters]
    return " / ".join([*parts, *[choices.normalisation] * (choices.normalisation != "none")])


def _draw(looked_at: _LookedAt, path: Path) -> Path:
    from ntknas.core.errors import NtknasError
    from ntknas.report.figures import KernelView
    from ntknas.report.plotter import draw

    kernel = looked_at.kernel
    if not kernel.is_finite:
        raise NtknasError("This kernel holds entries that are not numbers: there is nothing to draw.")
    choices = kernel.choices
    title = f"{looked_at.heading} · {_name(choices)}"
    one_row_a_sample = kernel.labels is not None and len(kernel.labels) == kernel.size
    labels = kernel.labels.numpy() if kernel.labels is not None and one_row_a_sample else None
    view = KernelView(title, kernel.matrix.numpy(), labels, kernel.spectrum.numpy(), kernel.singular_below)
    return draw(view, path)
