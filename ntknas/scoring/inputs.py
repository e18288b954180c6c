"""What a run is given, in whatever form: names and objects made into a job, cells and seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import index
from typing import TYPE_CHECKING, SupportsIndex, TypedDict, Unpack

from ntknas.core.choices import Choices
from ntknas.core.errors import ChoiceError
from ntknas.core.options import MAX_SEED, made_of
from ntknas.data.datasets import get_dataset
from ntknas.data.probe import Probe
from ntknas.data.probe_options import ProbeOptions
from ntknas.measures import expand
from ntknas.scoring.cells import find, select, within
from ntknas.scoring.job import AUTO, Job, Strategy
from ntknas.scoring.recipe import NetworkOptions, Recipe
from ntknas.scoring.recipe_file import load_recipe_file
from ntknas.spaces import CellLike, Space, load_space
from ntknas.spaces.populations import ALL
from ntknas.training import TrainingImages, TrainingOptions

if TYPE_CHECKING:
    from ntknas.scoring.training import Training

Options = Mapping[str, object]


@dataclass(frozen=True)
class Inputs:
    """What a run is given.

    Attributes:
        job: What is scored.
        cells: Indices of the cells.
        seeds: Seeds of the weights.
        population: Name of the population that they are of.
        left_out: Number of cells that were named one by one and are not of it.
    """

    job: Job
    cells: list[int]
    seeds: list[int]
    population: str = ALL
    left_out: int = 0


class ScoringOptions(TypedDict, total=False):
    """What is measured, as of ``ntknas.score``."""

    recipe: Recipe | str | None
    probe: Probe | str | None
    dataset: str
    seeds: int | Iterable[int]
    training: Training | None
    strategy: str
    rows_at_once: int | None
    population: str


def inputs_of(
    space: Space | str, cells: str | Iterable[int | str | CellLike], **options: Unpack[ScoringOptions]
) -> Inputs:
    """Return what a run is given; see ``ntknas.score`` for the forms that each may have.

    Args:
        space: A space or its name.
        cells: Cells in any form.
        **options: What is measured.

    Returns:
        The job, indices of the cells, and the seeds.

    Raises:
        ChoiceError: If a recipe asks for a training, and nothing says on which images.
        NtknasError: If something named is unknown, or images are not there.
    """
    space = load_space(space) if isinstance(space, str) else space
    dataset, seeds = options.get("dataset", "cifar10"), options.get("seeds", 1)
    recipe, written = _recipe_of(options.get("recipe"), space, dataset)
    probe, training = options.get("probe"), options.get("training")
    if not isinstance(probe, Probe):
        images = made_of(ProbeOptions, written if probe is None else {**written, "probe": probe})
        training = training or _training_of(images, written, dataset)
        probe = images.make(dataset, held_out=recipe.needs_held_out)
    elif training is None and _epochs_of(written) != (0,):
        raise ChoiceError(f"The recipe {recipe.name} trains networks: give `training`, or name the images of `probe`.")
    strategy = Strategy(options.get("strategy", AUTO.name), _rows_of(options.get("rows_at_once")))
    job = Job(space, dataset, recipe, probe, strategy, training)
    population = options.get("population", ALL)
    chosen, left_out = _cells_of(space, cells, population)
    return Inputs(job, chosen, _seeds_of(seeds), population, left_out)


def _seeds_of(seeds: int | Iterable[int]) -> list[int]:
    """Return seeds, given as their number or one by one."""
    if isinstance(seeds, int):
        numbers = list(range(seeds))
    elif isinstance(seeds, Iterable) and not isinstance(seeds, str):
        numbers = list(dict.fromkeys(map(index, seeds)))  # integers of numpy too, and no floats
    else:
        numbers = []
    if not numbers or min(numbers) < 0 or max(numbers) > MAX_SEED:
        raise ChoiceError(f"`seeds` must be a number from 1, or seeds from 0 to {MAX_SEED}, got {seeds!r}.")
    return numbers


def _rows_of(rows_at_once: int | None) -> int:
    rows = 1 if rows_at_once is None else rows_at_once
    if rows < 1:
        raise ChoiceError(f"`rows_at_once` must be at least 1, got {rows}.")
    return rows


def _cells_of(space: Space, cells: str | Iterable[int | str | CellLike], population: str) -> tuple[list[int], int]:
    """Return the cells that are scored, and how many that were named are not of the population."""
    if isinstance(cells, str):
        return select(space, cells, 0, population), 0
    if not isinstance(cells, Iterable):
        raise ChoiceError(f"`cells` are several, such as [0, 8216], or a text such as 'all', got {cells!r}.")
    named = list(dict.fromkeys(_cell_of(space, cell) for cell in cells))
    chosen = within(space, population, named) if population != ALL else named
    return chosen, len(named) - len(chosen)


def _cell_of(space: Space, cell: int | str | CellLike) -> int:
    if isinstance(cell, str):
        return find(space, cell)
    number: object = cell if hasattr(cell, "__index__") else getattr(cell, "index", None)
    if not isinstance(number, SupportsIndex):
        raise ChoiceError(f"`cells` are indices, texts or cells of {space.name}, got a {type(cell).__name__}.")
    return find(space, str(index(number)))


def _recipe_of(recipe: Recipe | str | None, space: Space, dataset: str) -> tuple[Recipe, Options]:
    """Return a recipe, and the options of its file if it is named."""
    if not isinstance(recipe, str):
        return recipe or Recipe(), {}
    file = load_recipe_file(recipe)
    options = file.options_for(space.name, dataset)
    measures = expand([name.strip() for name in str(options["measures"]).split(",")])
    return Recipe(file.name, made_of(Choices, options), made_of(NetworkOptions, options), measures), options


def _training_of(probe: ProbeOptions, options: Options, dataset: str) -> Training | None:
    """Return the training that a recipe asks for, by default on images of the probe's source."""
    from ntknas.scoring.training import Training

    epochs = _epochs_of(options)
    if epochs == (0,):
        return None
    source = options.get("train_images") or probe.source or get_dataset(dataset).images
    images = made_of(TrainingImages, options, source=source, request=probe.request(dataset))
    return Training(images, made_of(TrainingOptions, options), epochs)


def _epochs_of(options: Options) -> tuple[int, ...]:
    from ntknas.scoring.training import parse_epochs

    return parse_epochs(str(options.get("epochs", "0")))
