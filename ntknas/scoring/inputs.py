"""What a run is given, in whatever form: names and objects made into a job, cells and seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from operator import index
from typing import TYPE_CHECKING, Any, SupportsIndex, TypedDict, TypeVar, Unpack

from ntknas.core.choices import Choices
from ntknas.core.errors import ChoiceError
from ntknas.data.datasets import get_dataset
from ntknas.data.image_set import Request
from ntknas.data.probe import Probe, make_probe
from ntknas.measures import expand
from ntknas.scoring.cells import find, select
from ntknas.scoring.job import Job, Strategy
from ntknas.scoring.recipe import NetworkOptions, Recipe
from ntknas.scoring.recipe_file import load_recipe_file
from ntknas.spaces import CellLike, Space, load_space
from ntknas.training import TrainingImages, TrainingOptions

if TYPE_CHECKING:
    from ntknas.scoring.training import Training

PROBE_SIZE = 64
"""Images of a probe where neither the caller nor a recipe says how many."""
T = TypeVar("T", Choices, NetworkOptions, TrainingOptions)
Options = Mapping[str, Any]
"""Options of a recipe's file; ``recipe_schema`` has seen to their types."""


@dataclass(frozen=True)
class Inputs:
    """What a run is given.

    Attributes:
        job: What is scored.
        cells: Indices of the cells.
        seeds: Seeds of the weights.
    """

    job: Job
    cells: list[int]
    seeds: list[int]


class ScoringOptions(TypedDict, total=False):
    """What is measured, as of ``ntknas.score``."""

    recipe: Recipe | str | None
    probe: Probe | str | None
    dataset: str
    seeds: int | Iterable[int]
    training: Training | None
    strategy: str
    rows_at_once: int | None


def inputs_of(
    space: Space | str, cells: str | Iterable[int | str | CellLike], **options: Unpack[ScoringOptions]
) -> Inputs:
    """Return what a run is given; see ``ntknas.score`` for the forms that each may have.

    Raises:
        NtknasError: If something named is unknown, or images are not there.
    """
    space = load_space(space) if isinstance(space, str) else space
    dataset, seeds = options.get("dataset", "cifar10"), options.get("seeds", 1)
    recipe, chosen = _recipe_of(options.get("recipe"), space, dataset)
    request = _request_of(chosen, dataset)
    probe, training = options.get("probe"), options.get("training")
    if probe is None or isinstance(probe, str):
        source = probe or str(chosen.get("probe") or get_dataset(dataset).images)
        probe = _probe_of(source, chosen, request)
        training = training or _training_of(source, chosen, request)
    if recipe.needs_held_out and probe.held_out is None:
        probe = probe.with_held_out(request)
    strategy = Strategy(options.get("strategy", "auto"), options.get("rows_at_once") or 1)
    job = Job(space, dataset, recipe, probe, strategy, training)
    return Inputs(job, _cells_of(space, cells), list(range(seeds) if isinstance(seeds, int) else map(index, seeds)))


def _cells_of(space: Space, cells: str | Iterable[int | str | CellLike]) -> list[int]:
    if isinstance(cells, str):
        return select(space, cells, 0)
    return [_cell_of(space, cell) for cell in cells]


def _cell_of(space: Space, cell: int | str | CellLike) -> int:
    if isinstance(cell, str):
        return find(space, cell)
    number: object = cell if hasattr(cell, "__index__") else getattr(cell, "index", None)
    if not isinstance(number, SupportsIndex):
        raise ChoiceError(f"`cells` are indices, texts or cells of {space.name}, got a {type(cell).__name__}.")
    return find(space, str(index(number)))


def _taken(kind: type[T], options: Options) -> T:
    """Make a dataclass of those options that are its fields."""
    return kind(**{field.name: options[field.name] for field in fields(kind) if field.name in options})


def _recipe_of(recipe: Recipe | str | None, space: Space, dataset: str) -> tuple[Recipe, Options]:
    """Return a recipe, and the options of its file if it is named."""
    if not isinstance(recipe, str):
        return recipe or Recipe(), {}
    file = load_recipe_file(recipe)
    options = file.options_for(space.name, dataset)
    measures = expand([name.strip() for name in options["measures"].split(",")])
    return Recipe(file.name, _taken(Choices, options), _taken(NetworkOptions, options), measures), options


def _request_of(options: Options, dataset: str) -> Request:
    target = get_dataset(dataset)
    request = Request(image_size=target.image_size, num_classes=target.num_classes)
    return replace(request, pixels=str(options.get("pixels", request.pixels)))


def _probe_of(source: str, options: Options, request: Request) -> Probe:
    request = replace(request, split=str(options.get("probe_split", request.split)))
    draw, augmentation = str(options.get("draw", "balanced")), str(options.get("augment", "none"))
    size = options.get("probe_size", PROBE_SIZE)
    return make_probe(source, size, request, draw, augmentation, fresh=bool(options.get("fresh_probes")))


def _training_of(source: str, options: Options, request: Request) -> Training | None:
    """Return the training that a recipe asks for, on the images that the probe is of."""
    from ntknas.scoring.training import Training

    epochs = tuple(int(epoch) for epoch in str(options.get("epochs", "0")).split(","))
    if epochs == (0,):
        return None
    options = {**options, "augmentation": options.get("train_augment", TrainingOptions.augmentation)}
    return Training(TrainingImages(source, request), _taken(TrainingOptions, options), epochs)
