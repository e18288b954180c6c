"""Options that choose some of a store's scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ntknas.cli.types import F, Options

if TYPE_CHECKING:
    from ntknas.store.selection import Selection


def selection_options(function: F) -> F:
    """Add ``--space``, ``--dataset``, ``--setting``, ``--recipe`` and ``--measures``."""
    for option in reversed(
        (
            click.option("--space", help="Scores of this space alone."),
            click.option("--dataset", help="Scores of networks for this data set alone."),
            click.option("--setting", "settings", multiple=True, help="Setting, by its first digits; repeatable."),
            click.option("--recipe", "recipes", multiple=True, help="Recipe that they were made with; repeatable."),
            click.option("--measures", help="Measures, separated by commas."),
        )
    ):
        function = option(function)
    return function


def take_selection(options: Options) -> Selection:
    """Take the options of ``selection_options`` out of a command's options.

    Returns:
        What they choose.

    Raises:
        UsageError: If an option is there and empty.
    """
    from ntknas.store.selection import Selection

    names = options.pop("measures")
    measures = tuple(name.strip() for name in names.split(",")) if names is not None else ()
    selection = Selection(
        options.pop("space"), options.pop("settings"), options.pop("recipes"), measures, options.pop("dataset")
    )
    texts = (selection.space, selection.dataset, *selection.settings, *selection.recipes, *selection.measures)
    if "" in texts:
        raise click.UsageError("A space, data set, setting, recipe or measure has a name: one of the options is empty.")
    return selection
