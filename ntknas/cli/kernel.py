"""``ntknas kernel``: one kernel, looked at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ntknas.cli import options as shared
from ntknas.cli.output import json_option, note, number, print_json, print_table

if TYPE_CHECKING:
    from ntknas.core.choices import Choices
    from ntknas.core.kernel import Kernel
    from ntknas.core.score import Score
    from ntknas.measures import Measure


@click.command(name="kernel")
@click.argument("cell")
@shared.bench_option
@shared.dataset_option
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the weights.")
@click.option(
    "--plot",
    is_flag=False,
    flag_value="kernel.png",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw the heat map and the spectrum into this file; without a name, after CELL, into kernel.png.",
)
@shared.kernel_options
@shared.probe_options
@shared.device_option
@json_option
def command(
    cell: str, bench: str, dataset: str, seed: int, plot: Path | None, device: str, json: bool, **options: Any
) -> None:
    """Compute the kernel of CELL (index or architecture string) and show its measures, spectrum and heat map."""
    from ntknas.scoring.cells import find

    space = shared.open_space(bench)
    index = find(space, cell)
    recipe = shared.take_recipe(options, None)
    probe = shared.ProbeOptions.take(options).make(dataset)
    kernel, seconds = _compute(space, index, recipe, probe, dataset, seed, device)
    scores = _measures(kernel, recipe.measures)
    if json:
        print_json(_as_json(space, index, kernel, scores, seconds, probe.describe()))
    else:
        _print(space, index, kernel, scores, seconds)
    if plot:
        note(f"Drew {_draw(space, index, kernel, plot)}")


def _compute(
    space: Any, index: int, recipe: Any, probe: Any, dataset: str, seed: int, device: str
) -> tuple[Kernel, float]:
    import time

    from ntknas.scoring.cell_kernel import brought, cell_network, kernel_of
    from ntknas.scoring.environment import resolve_device
    from ntknas.spaces import is_own

    images = brought(probe.images, resolve_device(device), recipe.choices.precision)
    start = time.perf_counter()
    network = cell_network(space, index, seed, dataset, recipe.network, images)
    kernel = kernel_of(network, recipe.choices, images, probe.labels, verify=not is_own(space))
    return kernel, time.perf_counter() - start


def _measures(kernel: Kernel, names: tuple[str, ...]) -> list[Score]:
    """The measures that are defined for this kernel's output reduction."""
    from ntknas.measures import get_measure, measure

    suited = [name for name in names if not (outputs := get_measure(name).outputs) or kernel.choices.output in outputs]
    return [measure(name, kernel) for name in suited]


def _as_json(
    space: Any, index: int, kernel: Kernel, scores: list[Score], seconds: float, probe: dict[str, Any]
) -> dict[str, Any]:
    return {
        "cell": index,
        "architecture": str(space[index]),
        "disconnected": space.is_disconnected(space[index]),
        "choices": kernel.choices.as_dict(),
        "probe": probe,
        "strategy": kernel.strategy,
        "seconds": seconds,
        "measures": [
            {"measure": score.measure, "value": score.value, "status": score.status.value, "reason": score.reason}
            for score in scores
        ],
        "spectrum": kernel.spectrum.tolist() if kernel.is_finite else None,
        "matrix": kernel.matrix.tolist() if kernel.is_finite else None,
    }


def _print(space: Any, index: int, kernel: Kernel, scores: list[Score], seconds: float) -> None:
    from ntknas.measures import get_measure

    click.echo(f"{space.name} cell {index}: {space[index]}")
    if space.is_disconnected(space[index]):
        click.echo("This cell has no path from input to output.")
    choices = kernel.choices
    click.echo(
        f"{kernel.size}×{kernel.size} kernel, {_name(choices)}, "
        f"{choices.precision} rows, {kernel.strategy} in {seconds:.2f} s"
    )
    rows = [_row(get_measure(score.measure), score) for score in scores]
    print_table("", ["measure", "definition", "better", "status", "value"], rows, left=4)


def _row(measure: Measure, score: Score) -> list[str]:
    better = "higher" if measure.higher_is_better else "lower"
    return [measure.name, measure.formula, better, score.reason or score.status.value, number(score.value, 4)]


def _name(choices: Choices) -> str:
    parameters = choices.parameters if isinstance(choices.parameters, str) else f"{len(choices.parameters)} named"
    parts = [choices.output, choices.batch_norm, parameters]
    return " / ".join([*parts, *[choices.normalisation] * (choices.normalisation != "none")])


def _draw(space: Any, index: int, kernel: Kernel, path: Path) -> Path:
    from ntknas.core.errors import NtknasError
    from ntknas.report.figures import KernelView
    from ntknas.report.plotter import draw

    if not kernel.is_finite:
        raise NtknasError("This kernel holds entries that are not numbers: there is nothing to draw.")
    choices = kernel.choices
    title = f"{space.name} cell {index} · {_name(choices)}"
    one_row_a_sample = kernel.labels is not None and len(kernel.labels) == kernel.size
    labels = kernel.labels.numpy() if kernel.labels is not None and one_row_a_sample else None
    view = KernelView(title, kernel.matrix.numpy(), labels, kernel.spectrum.numpy(), kernel.singular_below)
    return draw(view, path)
