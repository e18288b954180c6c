"""What serves where nobody said what is measured: digits for images that are missing, and sizes for a first look."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ntknas.cli.arguments import draw_probe
from ntknas.cli.output import note
from ntknas.cli.types import Options

if TYPE_CHECKING:
    from ntknas.data.probe import Probe

SUBSTITUTE = "digits"
"""Images that serve where nobody named any, and those of the data set are missing: they come with the package."""


def take_images(ctx: click.Context, options: dict[str, object], small: Mapping[str, object] | None = None) -> None:
    """Let digits serve in place of missing images, where nobody named any, and say so first of all.

    What is measured on them is a first look: where nobody said either how large it is to be, it is small. A probe that
    is named, or that a recipe decides, is never replaced: drawing it refuses.

    Args:
        ctx: The running command.
        options: Its options, after the recipe; ``probe``, and those of ``small``, may change.
        small: Sizes of a first look by option.
    """
    if not _may_substitute(options):
        return
    options["probe"] = SUBSTITUTE
    note(_missing_text(options))
    sizes = {} if small is None or options.get("yes") or _is_size_named(ctx, options, small) else small
    if sizes:
        options.update(sizes)
        note(f"Nobody said how large this is to be, so that it is a first look: {typed(sizes)}. --yes: the full size.")


def draw_probe_or_digits(ctx: click.Context, options: Mapping[str, object]) -> Probe:
    """Draw the probe; of digits where nobody named one and the data set's own images are missing.

    Args:
        ctx: The running command.
        options: Its options.

    Returns:
        The probe.

    Raises:
        NtknasError: As ``draw_probe`` does.
    """
    chosen = dict(options)
    take_images(ctx, chosen)
    return draw_probe(chosen)


def typed(sizes: Mapping[str, object]) -> str:
    """Return options as a user types them.

    Example:
        >>> typed({"channels": 4, "cells_per_stage": 1})
        '--channels 4 --cells-per-stage 1'
    """
    return " ".join(f"--{name.replace('_', '-')} {value}" for name, value in sizes.items())


def _may_substitute(options: Options) -> bool:
    """Return whether the data set's own images are meant, because nobody named any, and are not there."""
    from ntknas.data.datasets import get_dataset
    from ntknas.data.sources import is_missing

    if options["probe"] is not None or options["download"] or _decides_probe(options):
        return False
    folder, split = Path(str(options["image_data"])), str(options["probe_split"])
    return is_missing(get_dataset(str(options["dataset"])).images, folder, split)


def _decides_probe(options: Options) -> bool:
    """Return whether a recipe says something of the probe: then it is of the data set's own images."""
    from ntknas.core.options import option_fields
    from ntknas.data.probe_options import ProbeOptions
    from ntknas.scoring.recipe_file import load_recipe_file

    if options.get("recipe") is None:
        return False
    decided = load_recipe_file(str(options["recipe"])).options_for(str(options["bench"]), str(options["dataset"]))
    return any(field.name in decided for field in option_fields(ProbeOptions))


def _is_size_named(ctx: click.Context, options: Options, small: Mapping[str, object]) -> bool:
    """Return whether someone said how large something is: on the command line, in a variable, a file or a recipe."""
    default = click.core.ParameterSource.DEFAULT
    names = [name for name in (*small, *_SIZES) if name in options]
    return options.get("recipe") is not None or any(ctx.get_parameter_source(name) is not default for name in names)


_SIZES = ("cells", "cells_file", "seeds", "epochs", "probe_size", "channels", "cells_per_stage", "train_size", "shard")


def _missing_text(options: Options) -> str:
    """Say that images are missing, what serves for them, and the two ways to the real ones."""
    from ntknas.data.datasets import get_dataset
    from ntknas.data.sources import get_source

    folder = Path(str(options["image_data"]))
    source = get_source(get_dataset(str(options["dataset"])).images)
    assert source.official is not None  # or nothing of it would be missing
    place = f"put its official files into {folder / source.official.folder}"
    elsewhere = "" if folder == Path("image_data") else f" --image-data {shlex.quote(str(folder))}"
    fetching = f"ntknas data fetch {source.name}{elsewhere}" if source.official.can_be_fetched else ""
    ways = f"{fetching}, or {place}" if fetching else f"{place}, or name the folder that holds them with --image-data"
    served = f"{options['probe_size']} handwritten {SUBSTITUTE} serve instead"
    return f"No images of {source.name} in {folder}: {served}. For the real ones: {ways}."
