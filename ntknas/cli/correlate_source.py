"""Which accuracies ``ntknas correlate`` is to use, and whether its options go together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ntknas.cli.types import Options

if TYPE_CHECKING:
    import pandas as pd

    from ntknas.correlation.sources import AccuracySource

_FIELDS = ("dataset", "target", "bench", "bench_data", "accuracies", "column", "cell_column")


def check_source(options: Options) -> None:
    """Check that the options that say where accuracies come from go together.

    Args:
        options: All options of the command.

    Raises:
        UsageError: If they do not.
    """
    if options["accuracies"] is not None and (options["dataset"] or options["target"] or options["bench"]):
        raise click.UsageError("--accuracies stands alone: it cannot be combined with --dataset, --target or --bench.")
    if options["dataset"] and options["target"] and tuple(options["target"]) != ("all",):
        raise click.UsageError("--target names its data set: it cannot be combined with --dataset.")
    if options["accuracies"] is None:
        if options["column"] is not None:
            raise click.UsageError("--column names a column of --accuracies.")
        if options["cell_column"] is not None and options["scores"] is None:
            raise click.UsageError("--cell-column names a column of --accuracies or --scores.")


def take_source(options: Options) -> AccuracySource:
    """Take the options that say where accuracies come from out of a command's options."""
    from ntknas.correlation.sources import AccuracySource

    return AccuracySource(**{name: options.pop(name) for name in _FIELDS})


def check_one_space(source: AccuracySource, scores: pd.DataFrame) -> None:
    """Check that a file of accuracies meets the cells of one space.

    Args:
        source: Where the accuracies come from.
        scores: The scores that are meant.

    Raises:
        UsageError: If the scores are of several.
    """
    spaces = [str(space) for space in scores["space"].unique()]
    if source.accuracies is not None and len(spaces) > 1:
        raise click.UsageError(
            f"--accuracies are of the cells of one space, and the scores are of {' and '.join(spaces)}: choose one "
            "with --space."
        )
