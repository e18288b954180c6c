"""Options of commands that take a network by name in place of a cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ntknas.cli import kinds
from ntknas.cli.derived import together
from ntknas.models.options import DEFAULT_WEIGHTS

if TYPE_CHECKING:
    from ntknas.models import ModelOptions

_NAMES = ("weights", "checkpoint", "num_classes", "image_size")

model_options = together(
    click.option(
        "--model",
        cls=kinds.TrustedOption,
        help="In place of CELL: timm:NAME, torchvision:NAME, hf:TYPE; or FILE.py:function, which is run and returns a "
        "module, (module, x) or (module, x, labels).",
    ),
    click.option(
        "--weights",
        cls=kinds.TrustedOption,
        is_flag=False,
        flag_value=DEFAULT_WEIGHTS,
        help="With --model: pretrained weights, by name or, without one, the library's choice; downloaded where they "
        "are not here.  [default: random ones of --seed]",
    ),
    click.option(
        "--checkpoint",
        type=click.Path(dir_okay=False, path_type=Path),
        help="With --model: file of weights, of torch.save or safetensors, read without running anything in it.",
    ),
    click.option(
        "--num-classes",
        type=kinds.COUNT,
        help="With --model: outputs of the network.  [default: classes of the probe; with --weights the weights' own]",
    ),
    click.option(
        "--image-size",
        type=kinds.COUNT,
        help="With --model: height and width that the probe's images are resized to.  [default: what the model wants]",
    ),
)


def check_subject(
    ctx: click.Context, cell: str | None, model: str | None, of_cells: Iterable[str], reason: str
) -> None:
    """Check that a cell or a model is named, and the options of that one alone.

    Args:
        ctx: The running command.
        cell: The cell.
        model: The model.
        of_cells: Names of options that only cells have.
        reason: Why, for the message.

    Raises:
        UsageError: If not.
        NtknasError: If the model is written wrongly, or its file or its checkpoint is not there.
    """
    if (cell is None) == (model is None):
        raise click.UsageError("Name a CELL, or a network with --model (FILE.py:function, timm:NAME, …).")
    for name in of_cells if model is not None else _NAMES:
        if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            flag = f"--{name.replace('_', '-')}"
            raise click.UsageError(
                f"{flag} is of cells{reason}." if model is not None else f"{flag} belongs to --model."
            )
    if model is not None:
        from ntknas.models import check_reference

        check_reference(model, model_options_of(ctx.params))


def model_options_of(options: Mapping[str, object]) -> ModelOptions:
    """Return what the options ask of a model."""
    from ntknas.models import ModelOptions

    weights, checkpoint, seed = options["weights"], options["checkpoint"], options["seed"]
    classes, size = options["num_classes"], options["image_size"]
    assert isinstance(seed, int)
    assert weights is None or isinstance(weights, str)
    assert checkpoint is None or isinstance(checkpoint, Path)
    assert classes is None or isinstance(classes, int)
    assert size is None or isinstance(size, int)
    return ModelOptions(weights, checkpoint, classes, size, seed)
