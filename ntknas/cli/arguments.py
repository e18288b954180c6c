"""What a command's options make: the arguments of the library."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ntknas.core.errors import ChoiceError, NtknasError
from ntknas.core.options import made_of

if TYPE_CHECKING:
    from ntknas.data.probe import Probe
    from ntknas.scoring import Recipe, Training
    from ntknas.scoring.engines import Engine
    from ntknas.spaces import Space

Options = Mapping[str, object]


def apply_recipe(ctx: click.Context, options: dict[str, object]) -> str:
    """Let ``--recipe`` decide the options that it names; return the recipe's name.

    What stands on the command line wins over the recipe and becomes part of its name; the recipe wins over variables
    and ``ntknas.toml``. Options that the command does not have are left out.

    Args:
        ctx: The running command.
        options: Its options; those that the recipe names are changed.

    Returns:
        The name, ``custom`` without a recipe.

    Raises:
        NtknasError: If there is no such recipe, or it gives an option a value that this cannot have.
    """
    from ntknas.scoring.recipe_file import load_recipe_file

    file = options["recipe"]
    if file is None:
        return "custom"
    recipe, name = load_recipe_file(str(file)), ""
    parameters = {parameter.name: parameter for parameter in ctx.command.params}
    for key, value in recipe.options_for(str(options["bench"]), str(options["dataset"])).items():
        if key not in options:
            continue
        if ctx.get_parameter_source(key) is click.core.ParameterSource.COMMANDLINE:
            name += f"+{key.replace('_', '-')}={options[key]}"
        else:
            try:
                options[key] = parameters[key].type_cast_value(ctx, value)
            except click.BadParameter as error:
                raise NtknasError(f"The recipe {file}: {key.replace('_', '-')}: {error.message}") from error
    return recipe.name + name


def recipe_of(options: Options, measures: tuple[str, ...] | None, name: str = "custom") -> Recipe:
    """Return a recipe of the options of kernel and network.

    Args:
        options: The command's options.
        measures: Its measures; the recipe's own default without them.
        name: Its name.

    Returns:
        The recipe.
    """
    from ntknas.core.choices import Choices
    from ntknas.scoring import NetworkOptions, Recipe

    choices, network = made_of(Choices, options), made_of(NetworkOptions, options)
    return Recipe(name, choices, network, measures) if measures else Recipe(name, choices, network)


def draw_probe(options: Options, *, held_out: bool = False) -> Probe:
    """Draw the probe that the options ask for; its source's remarks go to standard error.

    Args:
        options: The command's options.
        held_out: Whether a held-out probe goes with it.

    Returns:
        The probe.

    Raises:
        NtknasError: If the images are not there, or nothing says which are meant.
    """
    from ntknas.cli.output import note
    from ntknas.data.probe_options import ProbeOptions

    probe = made_of(ProbeOptions, options).make(str(options["dataset"]), held_out=held_out)
    if probe.note:
        note(f"Note: {probe.note}.")
    return probe


def training_of(
    options: Options, epochs: tuple[int, ...], checkpoints: Path | None = None, *, keep: bool = False
) -> Training:
    """Return how networks are trained; the source's remarks go to standard error.

    Args:
        options: The command's options.
        epochs: The epochs to measure at.
        checkpoints: Folder of checkpoints; ``None`` for none.
        keep: Whether checkpoints of finished trainings stay.

    Returns:
        The training.

    Raises:
        NtknasError: If an option is out of range, or the images are not there or have other classes.
    """
    from ntknas.cli.output import note
    from ntknas.data.datasets import get_dataset
    from ntknas.data.probe_options import ProbeOptions
    from ntknas.scoring import Training
    from ntknas.training import TrainingImages, TrainingOptions

    dataset, probe = str(options["dataset"]), made_of(ProbeOptions, options)
    target = get_dataset(dataset)
    source = options["train_images"] or probe.source or target.images
    images = made_of(TrainingImages, options, source=source, request=probe.request(dataset))
    training = Training(images, made_of(TrainingOptions, options), epochs, checkpoints, keep)
    training.check_classes(target.num_classes)
    if images.note and images.size is None:
        note(f"Note: training images: {images.note}.")
    return training


def engine_of(options: Options) -> Engine:
    """Return what computes.

    Returns:
        The engine.

    Raises:
        UsageError: If the options do not go together.
    """
    from ntknas.scoring.engines import make_engine
    from ntknas.scoring.engines.protocol import EngineOptions

    name, engine = str(options["engine"]), made_of(EngineOptions, options)
    if engine.address and name != "ray":
        raise click.UsageError("--ray-address belongs to --engine ray.")
    return make_engine(
        name, workers=engine.workers, timeout=engine.timeout, address=engine.address, device=engine.device
    )


def open_space(name: str, folder: Path | None = None) -> Space:
    """Return the space of a benchmark, ready for use; what has to be done once on a machine shows its progress.

    Args:
        name: The benchmark.
        folder: Folder of imported tables, if the command has one.

    Returns:
        The space.
    """
    from ntknas.benchmarks import FOLDER, space_of
    from ntknas.cli.meter import metered
    from ntknas.spaces import Preparable, load_space

    space = load_space(space_of(name, folder or FOLDER))
    if isinstance(space, Preparable):
        space.prepare(lambda work, total: metered(work, total, f"Enumerating the cells of {name}, once", "cells"))
    return space


def split_names(text: str | None, *, derived: bool = False, others: Iterable[str] = ()) -> tuple[str, ...] | None:
    """Split names of measures at commas and replace those of groups by their members; ``None`` stays.

    Args:
        text: What the user wrote.
        derived: Whether derived measures may be named: they are correlated, and nothing computes them of one cell.
        others: Names that may be named besides, such as those of scores of one's own.

    Returns:
        Names of measures.

    Raises:
        ChoiceError: If there is no name, or one that is neither a measure's nor a group's.
    """
    from ntknas.measures import GROUPS, all_derived, all_measures, expand, find_measure, unknown_measure
    from ntknas.measures.families import members

    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise ChoiceError("--measures names none: leave it out for the default, or name some, such as trace,cond.")
    all_names = [*all_measures(), *(all_derived() if derived else ()), *GROUPS, *others]
    for name in names:
        if name not in all_names and not find_measure(name) and not members(name):
            error = unknown_measure(name, all_names)
            raise error
    return expand(names)
