"""Options that several commands share: what they read and write, by name. Those of scoring: ``scoring_options``."""

from __future__ import annotations

from pathlib import Path

import click

from ntknas.cli import kinds
from ntknas.cli.derived import option_of
from ntknas.cli.types import Decorator
from ntknas.scoring.engines.protocol import EngineOptions
from ntknas.spaces.populations import ALL, POPULATIONS

DEFAULT_STORE = Path("scores.h5")

bench_option = click.option("--bench", default="nb201", show_default=True, help="Benchmark whose cells are meant.")


def _bench_data_option(cls: type[click.Option]) -> Decorator:
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
    help="Score store.",
)
recipe_option = click.option(
    "--recipe",
    help="A published way of measuring (ntknas recipe list), or the path of your own file.toml. It decides the options "
    "that it names; what is given on the command line beside it still wins, and is recorded.",
)
device_option = option_of(EngineOptions, "device")
