"""``ntknas correlate --target all``: its options, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from ntknas.cli import kinds
from ntknas.cli.correlate_scores import lines_left_out, scores_as_json
from ntknas.cli.intervals import metered_if_many
from ntknas.cli.output import note, print_csv, print_json, say
from ntknas.cli.types import F, Options
from ntknas.cli.wording import in_options
from ntknas.correlation.estimate import STATISTICS
from ntknas.report.look import Look

if TYPE_CHECKING:
    import pandas as pd

    from ntknas.correlation.by_space import SpaceOverviews
    from ntknas.correlation.sources import AccuracySource
    from ntknas.correlation.targets import Accuracies

OVERVIEW = ("statistic", "intervals")
"""Options of the table of all targets alone."""
_ALL = "all"


class Shown(NamedTuple):
    """How a result is shown.

    Attributes:
        json: Whether as JSON.
        csv: Whether as CSV.
        plots: Folder to draw into.
        look: How pictures look.
    """

    json: bool
    csv: bool
    plots: Path | None
    look: Look


def overview_options(function: F) -> F:
    """Add the options of ``--target all``."""
    options = (
        click.option(
            "--statistic",
            type=kinds.Choice(list(STATISTICS)),
            help="With --target all: what the table is of.  [default: kendall]",
        ),
        click.option("--intervals", is_flag=True, help="With --target all: an interval with every number."),
    )
    for option in reversed(options):
        function = option(function)
    return function


def check_overview(options: Options, *, compare: bool) -> None:
    """Check that the options of ``--target all`` go together.

    Args:
        options: All options of the command.
        compare: Whether tests between measures are asked for.

    Raises:
        UsageError: If they do not.
    """
    targets = options["target"]
    if _ALL not in targets:
        for name in OVERVIEW:
            if options[name]:
                raise click.UsageError(f"--{name} is of the table of all targets: --target {_ALL}.")
        return
    if len(targets) > 1:
        raise click.UsageError(f"--target {_ALL} stands alone: it is every target that is there.")
    if compare:
        raise click.UsageError(f"--compare tests measures on single targets: name them in place of --target {_ALL}.")
    if options["sort"] not in (None, *STATISTICS):
        raise click.UsageError(
            f"--sort {options['sort']} is of single targets: with --target {_ALL} measures are sorted by "
            f"{', '.join(STATISTICS)}, whichever is strongest over the targets."
        )


def show_overview(scores: pd.DataFrame, source: AccuracySource, shown: Shown, options: Options) -> None:
    """Correlate scores with all targets, and show the result.

    Args:
        scores: The scores.
        source: Where the targets come from.
        shown: How it is shown.
        options: Options of ``over_targets_by_space``, with ``statistic`` and ``sort``.
    """
    from ntknas.correlation.by_space import over_targets_by_space

    statistic, sort = options.pop("statistic") or next(iter(STATISTICS)), options.pop("sort")
    answer = over_targets_by_space(scores, source, **options, progress=_progress)
    answer = replace(answer, not_shown={space: in_options(reason) for space, reason in answer.not_shown.items()})
    for message in (*answer.not_shown.values(), *answer.notes):
        note(message)
    if shown.json:
        print_json({**answer.as_json(lines_left_out(scores)), **scores_as_json(scores)})
    elif shown.csv:
        print_csv(answer.frame())
    else:
        _print(answer, statistic, sort or statistic)
    if shown.plots:
        _draw(answer, statistic, shown.plots, shown.look)


def _progress(targets: list[Accuracies]) -> Iterable[Accuracies]:
    """Show progress where there are so many cells that targets take time."""
    return metered_if_many(targets, lambda target: len(target.means), "Correlating", "targets")


def _print(answer: SpaceOverviews, statistic: str, sort: str) -> None:
    from ntknas.cli.correlate_all import print_overview

    for space, result in answer.results.items():
        if answer.are_several:
            say(f"{space}\n{'=' * len(space)}")
        print_overview(result, statistic, sort)
        if answer.are_several:
            say()


def _draw(answer: SpaceOverviews, statistic: str, folder: Path, look: Look) -> None:
    """Draw the picture of every space, each in a folder of its own where there are several."""
    from ntknas.report.pictures import draw_overview

    for space, result in answer.results.items():
        path = draw_overview(result, statistic, folder / space if answer.are_several else folder, look)
        note(f"Drew {path}")
