"""Published scores where a store may be named: ``published:NAME``, or ``published:`` and a folder."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ntknas.cli.output import note
from ntknas.cli.types import F, Options
from ntknas.core.errors import ChoiceError
from ntknas.published.source import is_published

if TYPE_CHECKING:
    import pandas as pd

    from ntknas.published import Release

Stores = Path | tuple[Path, ...] | None
"""The value of an argument or option that names stores."""
DEFAULT_WAY = "recommended"
"""The way that is shown where nothing is said; where a release has none of this name, its first."""
ALL = "all"

way_option = click.option(
    "--way",
    "ways",
    multiple=True,
    help=f"Way of measuring of published scores, or {ALL}; repeatable.  [default: {DEFAULT_WAY}]",
)


def way_options(function: F) -> F:
    """Add ``--way`` and ``--seeds``, which choose of published scores."""
    seeds = click.option(
        "--seeds", help="Seeds of published scores, separated by commas, such as 0,2.  [default: all of the way]"
    )
    return way_option(seeds(function))


def check_ways(sources: Sequence[Path], options: Options) -> None:
    """Check that ways and seeds are asked of published scores.

    Args:
        sources: Stores, or published scores.
        options: All options of the command.

    Raises:
        UsageError: If they are asked of stores.
    """
    asked = [f"--{flag}" for flag, name in (("way", "ways"), ("seeds", "seeds")) if options.get(name)]
    if asked and not any(map(is_published, sources)):
        raise click.UsageError(f"{asked[0]} chooses of published scores: name some, such as published:nb201.")


def stores_alone(ctx: click.Context, parameter: click.Parameter, named: Stores) -> Stores:
    """Return the stores that a command names, none of which is published scores; a callback of click.

    Args:
        ctx: The running command.
        parameter: Its argument or option.
        named: Its value.

    Returns:
        The same.

    Raises:
        BadParameter: If one names published scores.
    """
    for path in named if isinstance(named, tuple) else (named,):
        if path is not None and is_published(path):
            raise click.BadParameter(
                f"{path} names published scores, and a store is meant: ntknas published has info and export of them.",
                ctx,
                parameter,
            )
    return named


def ways_of(release: Release, named: Sequence[str]) -> list[str] | None:
    """Return the names of the ways that are meant; ``None`` for all.

    Args:
        release: The release.
        named: Names of ways, or ``all``; without any, one is chosen.

    Returns:
        The names.

    Raises:
        ChoiceError: If one is not there, or the release has none.
    """
    if not release.ways:
        raise ChoiceError(f"{release.name} {release.version} has no way of measuring yet: all are open.")
    if ALL in named:
        return None
    if named:
        return [release.way(name).name for name in dict.fromkeys(named)]
    return [DEFAULT_WAY if DEFAULT_WAY in release.ways else next(iter(release.ways))]


def seeds_of(text: str | None) -> list[int] | None:
    """Return the seeds that a text names; ``None`` for all.

    Args:
        text: Seeds, separated by commas.

    Returns:
        The seeds.

    Raises:
        ChoiceError: If one is no number.
    """
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) < 20 for part in parts):
        raise ChoiceError(f"`seeds` are whole numbers, separated by commas, such as 0,2, got {text!r}.")
    return list(dict.fromkeys(map(int, parts)))


def read_published(release: Release, options: Options, measures: Collection[str] = ()) -> pd.DataFrame:
    """Read the published scores that are meant, and say which they are.

    Args:
        release: The release.
        options: Options of the command, of which ``ways`` and ``seeds`` are asked.
        measures: Measures to read; all without any.

    Returns:
        The scores, as from ``ntknas.load_store``.

    Raises:
        ChoiceError: If there is no such release, way, seed or measure; the message names what there is.
        DataError: If a file was changed, or is of another version of the format.
    """
    seeds = options["seeds"] or None
    ways, seeds = ways_of(release, options["ways"]), seeds_of(seeds) if isinstance(seeds, str) else seeds
    scores = release.frame(ways, seeds, measures or None)
    _say(release, ways, seeds)
    return scores


def first_measures(release: Release, options: Options) -> tuple[str, ...]:
    """Return what is shown where nothing at all is asked for: the measures that the recipe of the default way takes.

    Args:
        release: The release.
        options: Options of ``correlate``.

    Returns:
        Their names; none for all that the way has.
    """
    from ntknas.cli.arguments import split_names
    from ntknas.scoring.recipe_file import load_recipe_file

    if any(options[name] for name in ("ways", "given", "combine")) or DEFAULT_WAY not in release.ways:
        return ()
    taken = split_names(str(load_recipe_file(DEFAULT_WAY).options["measures"])) or ()
    there = release.ways[DEFAULT_WAY].measures
    first = tuple(name for name in taken if name in there)
    if first and len(first) < len(there):
        note(f"Of its {len(there)} measures {', '.join(first)} only: --way {DEFAULT_WAY} shows all.")
    return first


def _say(release: Release, ways: Sequence[str] | None, seeds: Sequence[int] | None) -> None:
    """Say which published scores are shown, and which others there are."""
    chosen = {name: way for name, way in release.ways.items() if ways is None or name in ways}
    taken = {name: [seed for seed in way.seeds if seeds is None or seed in seeds] for name, way in chosen.items()}
    texts = [
        f"{name} ({chosen[name].title}), {'seeds' if len(of) > 1 else 'seed'} {', '.join(map(str, of))}"
        for name, of in taken.items()
        if of
    ]
    note(f"Published scores {release.name} {release.version}: {'; '.join(texts)}.")
    others = [name for name in release.ways if not taken.get(name)]
    if others:
        note(f"Other ways: {', '.join(others)} (--way NAME, repeatable, or --way {ALL}).")
