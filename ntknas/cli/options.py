"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ntknas.cli import kinds
from ntknas.core import choices

if TYPE_CHECKING:
    from ntknas.data import Request
    from ntknas.data.probe import Probe
    from ntknas.scoring import Recipe, Training
    from ntknas.scoring.engines import Engine

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_STORE = Path("scores.h5")
MEASURES = (
    "trace, mean, fro, lambda_max, lambda_min, cond, neg_cond, logdet, eig, effective_rank, lga, cka, "
    "alignment_numerator, class_lambda_min, krr_acc, krr_mse, grad_norm, snip, grasp, fisher, synflow, synflow_code, "
    "knas_code, jacob_cov, naswot, zen, linear_regions, class_lambda_min_summed"
)
"""The measures that come with the package, for help texts, which must not import them; a test keeps it true."""
SOURCES = "digits, noise, cifar10, cifar100, ImageNet16-120 or mnist"
"""The image sources, likewise."""


def _all(*decorators: Callable[[F], F]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


def _choice(name: str, known: Any, default: str, text: str) -> Callable[[F], F]:
    return click.option(name, type=kinds.Choice(list(known)), default=default, show_default=True, help=text)


bench_option = click.option("--bench", default="nb201", show_default=True, help="Benchmark whose cells are meant.")


def _bench_data_option(cls: type[click.Option]) -> Callable[[F], F]:
    return click.option(
        "--bench-data",
        cls=cls,
        type=click.Path(file_okay=False, path_type=Path),
        default=Path("bench_data"),
        show_default=True,
        help="Folder of the imported tables.",
    )


bench_data_option, bench_output_option = _bench_data_option(click.Option), _bench_data_option(kinds.TrustedOption)
dataset_option = click.option(
    "--dataset",
    default="cifar10",
    show_default=True,
    help="Data set that networks are built for, and whose accuracy is the target.",
)
store_option = click.option(
    "--store",
    cls=kinds.TrustedOption,
    type=click.Path(dir_okay=False, path_type=Path),
    default=DEFAULT_STORE,
    show_default=True,
    help="Score store.",
)
device_option = click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")

engine_options = _all(
    click.option(
        "--workers",
        default="0",
        show_default=True,
        help="Worker processes, or auto: one per GPU, else per core. 0 computes in this process.",
    ),
    click.option(
        "--timeout", type=kinds.Finite(0, min_open=True), help="Seconds for one network, then it is given up."
    ),
    click.option(
        "--engine",
        cls=kinds.TrustedOption,
        type=kinds.Choice(["local", "ray"]),
        default="local",
        show_default=True,
        help="What distributes the work; ray needs pip install 'ntknas[ray]'.",
    ),
    click.option(
        "--ray-address",
        cls=kinds.TrustedOption,
        help="Address of a running Ray cluster, or auto.  [default: start one here]",
    ),
)


def probe_options_with(size: int) -> Callable[[F], F]:
    """Options that say which images are the probe; ``size`` is the default of their number."""
    return _all(
        click.option("--probe", help=f"Images of the probe: {SOURCES}.  [default: the data set's own]"),
        click.option("--probe-size", type=kinds.COUNT, default=size, show_default=True, help="Its images."),
        _choice("--probe-split", ["train", "test"], "train", "Split of the source that the probe is of."),
        _choice("--draw", ["balanced", "random", "replacement", "first"], "balanced", "How its images are drawn."),
        click.option("--fresh-probes", is_flag=True, help="Draw a probe of its own for each seed of the weights."),
        click.option("--probe-seed", type=kinds.SEED, default=0, show_default=True, help="Seed of the draw."),
        click.option(
            "--image-data",
            type=click.Path(file_okay=False, path_type=Path),
            default=Path("image_data"),
            show_default=True,
            help="Folder of the image sets.",
        ),
        _choice("--augment", ["none", "crop-flip"], "none", "Augmentation of the probe's images."),
        _choice("--pixels", ["nas-bench-201", "zero-cost-nas"], "nas-bench-201", "Normalisation of the images."),
        click.option(
            "--download", cls=kinds.TrustedOption, is_flag=True, help="Fetch missing images from their official source."
        ),
    )


probe_options = probe_options_with(64)
training_options = _all(
    click.option(
        "--train-images", help=f"Images that networks are trained on: {SOURCES}.  [default: the source of the probe]"
    ),
    click.option("--train-size", type=kinds.COUNT, help="Train on the first images of the files.  [default: all]"),
    click.option("--batch-size", type=kinds.COUNT, default=1024, show_default=True, help="Images of a training step."),
    click.option(
        "--learning-rate", type=kinds.Finite(), default=0.025, show_default=True, help="Learning rate of SGD."
    ),
    click.option("--momentum", type=kinds.Finite(), default=0.9, show_default=True, help="Momentum of SGD."),
    click.option("--weight-decay", type=kinds.Finite(), default=3e-4, show_default=True, help="Weight decay."),
    click.option("--nesterov", is_flag=True, help="Nesterov's momentum."),
    _choice("--schedule", ["constant", "cosine"], "constant", "Learning rate over the epochs, up to the last listed."),
    click.option("--label-smoothing", type=kinds.Finite(), default=0.0, show_default=True, help="Label smoothing."),
    _choice("--train-augment", ["crop-flip", "none"], "crop-flip", "Augmentation of the training images."),
    click.option("--mixed-precision", is_flag=True, help="Train in bfloat16 where torch's autocast does."),
)


def kernel_options_with(output: str) -> Callable[[F], F]:
    """Options that say which kernel of which network; ``output`` is the default reduction."""
    return _all(
        _choice("--output", choices.OUTPUTS, output, "Output reduction."),
        _choice("--batch-norm", choices.BATCH_NORMS, "frozen", "Batch-norm policy."),
        _choice("--parameters", choices.PARAMETERS, "weights", "Parameter set."),
        _choice("--normalisation", choices.NORMALISATIONS, "none", "Normalisation of the kernel."),
        _choice("--precision", choices.PRECISIONS, "float32", "Precision of the rows; the Gram matrix is float64."),
        click.option(
            "--init",
            default="default",
            show_default=True,
            help="Initialisation: default, kaiming-fan-in, kaiming-fan-out, xavier, normal-fan-in or ntk.",
        ),
        _choice(
            "--variant",
            ["official", "zero-cost"],
            "official",
            "Network definition; nb201 has that of zero-cost-nas as well.",
        ),
        click.option(
            "--channels",
            type=kinds.COUNT,
            help="Channels of the first stage; nats-sss scales its widest 64 to it.  "
            "[default: official, 16 for nb201, 128 for nb101]",
        ),
        click.option(
            "--cells-per-stage",
            type=kinds.COUNT,
            help="Cells in each stage.  [default: official, 5 for nb201, 3 for nb101, 1 for nats-sss]",
        ),
        click.option(
            "--independent-seeds",
            is_flag=True,
            help="Start each network from a seed of its own, made of the seed and the cell; else networks of one seed "
            "share stem, reductions and head.",
        ),
    )


kernel_options = kernel_options_with("sum")


@dataclass(frozen=True)
class ProbeOptions:
    """What the probe options say; fields as in ``probe_options``."""

    probe: str | None
    probe_size: int
    probe_split: str
    draw: str
    fresh_probes: bool
    probe_seed: int
    image_data: Path
    augment: str
    pixels: str
    download: bool

    @classmethod
    def take(cls, options: dict[str, Any]) -> ProbeOptions:
        """Take the probe options out of a command's options."""
        return cls(**{name: options.pop(name) for name in cls.__dataclass_fields__})

    def make(self, dataset: str, *, held_out: bool = False) -> Probe:
        """Draw the probe for networks of a data set; its source's remarks go to standard error.

        Args:
            dataset: The data set.
            held_out: Whether a held-out probe goes with it.

        Raises:
            NtknasError: If the images are not there, or nothing says which are meant.
        """
        from ntknas.cli.output import note
        from ntknas.data.datasets import get_dataset
        from ntknas.data.probe import make_probe

        request, target = replace(self.request(dataset), split=self.probe_split), get_dataset(dataset)
        probe = make_probe(
            self.probe or target.images, self.probe_size, request, self.draw, self.augment, fresh=self.fresh_probes
        )
        if probe.note:
            note(f"Note: {probe.note}.")
        return probe.with_held_out(request) if held_out else probe

    def request(self, dataset: str) -> Request:
        """Return what is asked of an image source for networks of a data set: its training split."""
        from ntknas.data import Request
        from ntknas.data.datasets import get_dataset

        target = get_dataset(dataset)
        size, classes = target.image_size, target.num_classes
        return Request(
            self.image_data, "train", size, classes, self.probe_seed, download=self.download, pixels=self.pixels
        )


@dataclass(frozen=True)
class TrainingArguments:
    """What the training options say; fields as in ``training_options``."""

    train_images: str | None
    train_size: int | None
    batch_size: int
    learning_rate: float
    momentum: float
    weight_decay: float
    nesterov: bool
    schedule: str
    label_smoothing: float
    train_augment: str
    mixed_precision: bool

    @classmethod
    def take(cls, options: dict[str, Any]) -> TrainingArguments:
        """Take the training options out of a command's options."""
        return cls(**{name: options.pop(name) for name in cls.__dataclass_fields__})

    def make(
        self, dataset: str, probe: ProbeOptions, epochs: tuple[int, ...], checkpoints: Path | None, *, keep: bool
    ) -> Training:
        """Say how networks are trained; the source's remarks go to standard error.

        Args:
            dataset: Data set that networks are built for.
            probe: The probe's options, which say where images are.
            epochs: The epochs to measure at.
            checkpoints: Folder of checkpoints; ``None`` for none.
            keep: Whether checkpoints of finished trainings stay.

        Raises:
            NtknasError: If an option is out of range, or the images are not there or have other classes.
        """
        from ntknas.cli.output import note
        from ntknas.data.datasets import get_dataset
        from ntknas.scoring import Training
        from ntknas.training import TrainingImages, TrainingOptions

        options = TrainingOptions(
            self.batch_size,
            self.learning_rate,
            self.momentum,
            self.weight_decay,
            self.nesterov,
            self.schedule,
            self.label_smoothing,
            self.train_augment,
            self.mixed_precision,
        )
        target = get_dataset(dataset)
        source = self.train_images or probe.probe or target.images
        images = TrainingImages(source, probe.request(dataset), self.train_size)
        training = Training(images, options, epochs, checkpoints, keep)
        training.check_classes(target.num_classes)
        if images.note and self.train_size is None:
            note(f"Note: training images: {images.note}.")
        return training


def split_epochs(text: str) -> tuple[int, ...]:
    """Read a list of epochs.

    Raises:
        ChoiceError: If it is not one, or does not ascend.
    """
    from ntknas.core.errors import ChoiceError
    from ntknas.scoring.training import check_epochs

    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        raise ChoiceError(f"--epochs expects whole numbers that ascend, such as 0,1,4,16: got {text!r}.")
    epochs = tuple(map(int, parts))
    check_epochs(epochs)
    return epochs


def open_space(name: str) -> Any:
    """Return the space of a benchmark, ready for use; what has to be done once on a machine shows its progress."""
    from ntknas.benchmarks import space_of
    from ntknas.cli.meter import metered
    from ntknas.spaces import load_space

    space = load_space(space_of(name))
    if hasattr(space, "prepare"):
        space.prepare(lambda work, total: metered(work, total, f"Enumerating the cells of {name}, once", "cells"))
    return space


def take_recipe(options: dict[str, Any], measures: tuple[str, ...] | None, name: str = "custom") -> Recipe:
    """Take the kernel options out of a command's options, as a recipe."""
    from ntknas.core.choices import Choices
    from ntknas.scoring import NetworkOptions, Recipe

    chosen = Choices(*(options.pop(field) for field in Choices.__dataclass_fields__))
    network = NetworkOptions(*(options.pop(field) for field in NetworkOptions.__dataclass_fields__))
    return Recipe(name, chosen, network, measures) if measures else Recipe(name, chosen, network)


recipe_option = click.option(
    "--recipe",
    help="A published way of measuring (ntknas recipe list), or the path of your own file.toml. It decides the options "
    "that it names; what is given on the command line beside it still wins, and is recorded.",
)


def apply_recipe(ctx: click.Context, options: dict[str, Any]) -> str:
    """Take ``--recipe`` out of a command's options and let it decide what it names; return the recipe's name.

    What stands on the command line wins over the recipe and becomes part of its name; the recipe wins over variables
    and ``ntknas.toml``. Options that the command does not have are left out.

    Raises:
        NtknasError: If there is no such recipe, or it gives an option a value that this cannot have.
    """
    from ntknas.core.errors import NtknasError
    from ntknas.scoring.recipe_file import load_recipe_file

    chosen = options.pop("recipe")
    if chosen is None:
        return "custom"
    recipe, name = load_recipe_file(chosen), ""
    parameters = {parameter.name: parameter for parameter in ctx.command.params}
    for key, value in recipe.options_for(options["bench"], options["dataset"]).items():
        if key not in options:
            continue
        if ctx.get_parameter_source(key) is click.core.ParameterSource.COMMANDLINE:
            name += f"+{key.replace('_', '-')}={options[key]}"
        else:
            try:
                options[key] = parameters[key].type_cast_value(ctx, value)
            except click.BadParameter as error:
                raise NtknasError(f"The recipe {chosen}: {key.replace('_', '-')}: {error.message}") from error
    return recipe.name + name


def split_names(text: str | None) -> tuple[str, ...] | None:
    """Split names of measures at commas and replace those of groups by their members; ``None`` stays.

    Raises:
        ChoiceError: If there is no name, or one that is neither a measure's nor a group's.
    """
    from ntknas.core.errors import ChoiceError
    from ntknas.measures import GROUPS, all_measures, expand, unknown_measure

    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise ChoiceError("--measures names none: leave it out for the default, or name some, such as trace,cond.")
    known = [*all_measures(), *GROUPS]
    for name in names:
        if name not in known:
            raise unknown_measure(name, known)
    return expand(names)


def take_engine(options: dict[str, Any]) -> Engine:
    """Take the options of ``engine_options`` out of all options.

    Raises:
        UsageError: If they do not go together.
    """
    from ntknas.scoring.engines import make_engine

    text, timeout = options.pop("workers"), options.pop("timeout")
    name, address = options.pop("engine"), options.pop("ray_address")
    if text != "auto" and not (text.isascii() and text.isdigit()):
        raise click.UsageError(f"--workers expects a number or auto, got {text!r}.")
    if address and name != "ray":
        raise click.UsageError("--ray-address belongs to --engine ray.")
    workers = None if text == "auto" else int(text)
    return make_engine(name, workers=workers, timeout=timeout, address=address, device=options.pop("device"))
