"""``ntknas store export``, ``extract``, ``drop`` and ``convert``: what a store holds, elsewhere or otherwise."""

from __future__ import annotations

from pathlib import Path

import click

from ntknas.cli import kinds
from ntknas.cli import options as shared
from ntknas.cli.left_out import say_left_out
from ntknas.cli.output import note, print_csv, say
from ntknas.cli.published_source import stores_alone
from ntknas.cli.selection import selection_options, take_selection

_STORE = click.argument("store", type=click.Path(path_type=Path), default=shared.DEFAULT_STORE, callback=stores_alone)
_INTO = click.option(
    "--into",
    cls=kinds.TrustedOption,
    required=True,
    type=click.Path(path_type=Path),
    callback=stores_alone,
    help="Store to make.",
)


@click.command(name="export")
@_STORE
@click.option(
    "--csv",
    cls=kinds.TrustedOption,
    type=click.Path(path_type=Path),
    help="CSV file to write, or - to print it; .gz compresses a file.",
)
@click.option("--parquet", cls=kinds.TrustedOption, type=click.Path(path_type=Path), help="Parquet file to write.")
def export(store: Path, csv: Path | None, parquet: Path | None) -> None:
    """Write the scores of STORE with all fields of their settings, one row each, as a table for other programs.

    A file that is there is replaced only if it is such a table.
    """
    from ntknas.store.export import files_of, to_csv, to_parquet
    from ntknas.store.store import ScoreStore

    _check_targets(csv, parquet)
    opened = ScoreStore.read(store)
    say_left_out(opened.left_out, store)
    frame = opened.frame()
    for path, write in ((csv, to_csv), (parquet, to_parquet)):
        if str(path) == "-":
            print_csv(frame)
        elif path:
            write(frame, path, files_of(store))
            note(f"{path}: {len(frame)} scores.") if str(csv) == "-" else say(f"{path}: {len(frame)} scores.")


def _check_targets(csv: Path | None, parquet: Path | None) -> None:
    if not csv and not parquet:
        raise click.UsageError("Say where to: --csv FILE or --parquet FILE.")
    if csv == parquet or str(parquet) == "-":
        raise click.UsageError("--parquet needs a file of its own.")


@click.command(name="extract")
@_STORE
@_INTO
@selection_options
def extract_scores(store: Path, into: Path, **options: object) -> None:
    """Write some scores of STORE, with their settings and runs, into a new store; STORE stays as it is."""
    from ntknas.store import ScoreStore
    from ntknas.store.extract import extract

    opened, selection = ScoreStore.read(store), take_selection(options)
    say_left_out(opened.left_out, store)
    say(f"{into}: {extract(opened, into, selection)} of {len(opened)} scores.")


@click.command(name="drop")
@_STORE
@selection_options
@click.option("--yes", cls=kinds.TrustedOption, is_flag=True, help="Drop them; without, it is only said how many.")
@click.option("--no-copy", cls=kinds.TrustedOption, is_flag=True, help="Keep no copy of what is dropped.")
def drop_scores(store: Path, yes: bool, no_copy: bool, **options: object) -> None:
    """Remove some scores from STORE; they are kept as a store of their own, STORE.dropped, unless told otherwise."""
    from ntknas.store import ScoreStore
    from ntknas.store.extract import count, drop

    selection = take_selection(options)
    if not yes:
        opened = ScoreStore.read(store)
        number = count(opened, selection)
        raise click.UsageError(f"{number} of {len(opened)} scores of {store} would be dropped: give --yes to do it.")
    number, copy = drop(store, selection, keep_copy=not no_copy)
    say(f"{store}: {number} scores dropped{f', kept in {copy}' if copy else ''}.")


@click.command(name="convert")
@click.argument("old", type=click.Path(path_type=Path))
@_INTO
def convert_store(old: Path, into: Path) -> None:
    """Convert OLD, a score store or a track in plain HDF5 from before files were sealed; OLD stays as it is.

    Only what lies in the file itself is read: links to other files are refused.
    """
    from ntknas.tracking.track import convert, is_unsealed_track

    if is_unsealed_track(old):
        say(f"{into}: {len(convert(old, into).steps)} recorded steps.")
    else:
        _convert_scores(old, into)


def _convert_scores(old: Path, into: Path) -> None:
    from ntknas.store.extract import convert
    from ntknas.store.faults import ForeignFileError

    try:
        say(f"{into}: {convert(old, into)} scores.")
    except ForeignFileError as error:
        raise click.ClickException(f"{old} is neither a score store nor a track: {error}") from error
