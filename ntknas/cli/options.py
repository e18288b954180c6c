"""Options that several commands share: what they read and write, by name. Those of scoring: ``scoring_options``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from ntknas.cli import kinds
from ntknas.cli.derived import option_of
from ntknas.cli.published_source import stores_alone
from ntknas.cli.types import Decorator
from ntknas.scoring.engines.protocol import EngineOptions
from ntknas.spaces.populations import ALL, POPULATIONS

Callback = Callable[[click.Context, click.Parameter, Path], Path]

DEFAULT_STORE = Path("scores.h5")

bench_option = click.option("--bench", default="nb201", show_default=True, help="Benchmark whose cells are meant.")


def _check_folder(ctx: click.Context, option: click.Parameter, folder: Path) -> Path:
    """Return a folder of tables, which is there if the command line names it.

    The default's need not be, since small tables are in the package; nor a settings file's, which an import makes.
    """
    is_typed = ctx.get_parameter_source(option.name or "") is click.core.ParameterSource.COMMANDLINE
    if is_typed and not folder.is_dir():
        raise click.BadParameter(f"no such folder: {folder}. ntknas bench import --bench-data {folder} makes it.")
    return folder


def _bench_data_option(cls: type[click.Option], callback: Callback | None) -> Decorator:
    return click.option(
        "--bench-data",
        cls=cls,
        type=click.Path(file_okay=False, path_type=Path),
        default=Path("bench_data"),
        show_default=True,
        callback=callback,
        help="Folder of the imported tables.",
    )


bench_data_option = _bench_data_option(click.Option, _check_folder)
bench_output_option = _bench_data_option(kinds.TrustedOption, None)
dataset_option = click.option(
    "--dataset",
    default="cifar10",
    show_default=True,
    help="Data set that networks are built for, and whose accuracy is the target.",
)
population_option = click.option(
    "--population",
    type=kinds.Choice(list(POPULATIONS)),
    default=ALL,
    show_default=True,
    help="Cells that are meant: all, those with a path to the output (connected), those without a dead operation "
    "(reachable), one of each published class (isomorphic), one of each network (distinct).",
)
store_option = click.option(
    "--store",
    cls=kinds.TrustedOption,
    type=click.Path(dir_okay=False, path_type=Path),
    default=DEFAULT_STORE,
    show_default=True,
    callback=stores_alone,
    help="Score store.",
)
recipe_option = click.option(
    "--recipe",
    help="A published way of measuring (ntknas recipe list), or the path of your own file.toml. It decides the options "
    "that it names; what is given on the command line beside it still wins, and is recorded.",
)
device_option = option_of(EngineOptions, "device")
