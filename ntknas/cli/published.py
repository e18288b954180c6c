"""``ntknas published``: scores that were measured once for everybody."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ntknas.cli import kinds
from ntknas.cli.groups import Group
from ntknas.cli.output import json_option, note, number, print_json, print_table, say
from ntknas.cli.published_source import read_published, way_option
from ntknas.cli.published_verify import verify
from ntknas.published.places import PACKAGED
from ntknas.published.source import PREFIX
from ntknas.published.way import UNITS

if TYPE_CHECKING:
    from ntknas.published import Release
    from ntknas.published.overview import WayOverview

_NAME = click.argument("name", default=PACKAGED[0])


@click.group(name="published", cls=Group)
def command() -> None:
    """Published scores: every network of a space, measured once for everybody."""


@command.command(name="list")
@json_option
def list_releases(json: bool) -> None:
    """List the published scores that come with the package."""
    from ntknas.published import places
    from ntknas.published.release import Release

    there = [name for name in PACKAGED if (places.packaged_folder(name) / places.MANIFEST).exists()]
    releases = [Release.open(name) for name in there]
    if json:
        print_json({"rows": [_row(release) for release in releases]})
    elif releases:
        rows = [[release.name, release.version, release.space, *_shown(release)] for release in releases]
        print_table("", ["release", "version", "space", "ways and seeds", "MB"], rows, left=4)
        say(f"More: ntknas published info NAME. Use: ntknas correlate {PREFIX}NAME, or ntknas.load_scores(NAME).")
    else:
        say("This installation has no published scores.")


def _row(release: Release) -> dict[str, object]:
    from ntknas.published.overview import bytes_of

    named = {"release": release.name, "version": release.version, "space": release.space}
    seeds = {way.name: list(way.seeds) for way in release.ways.values()}
    return {**named, "ways": seeds, "bytes": bytes_of(release), "folder": str(release.folder)}


def _shown(release: Release) -> list[str]:
    from ntknas.published.overview import bytes_of

    ways = [f"{way.name} ({', '.join(map(str, way.seeds))})" for way in release.ways.values()]
    return [", ".join(ways) or "none yet", f"{bytes_of(release) / 1e6:.1f}"]


@command.command(name="info")
@_NAME
@json_option
def info(name: str, json: bool) -> None:
    """Show what the published scores NAME (or a folder) hold: ways, settings, statuses, versions, what is open."""
    from ntknas.published.overview import Overview, bytes_of

    overview = Overview.of(_opened(name))
    if json:
        print_json(overview.as_json())
        return
    release = overview.release
    say(
        f"{release.name} {release.version}: {len(release.cells):,} cells of {release.space}, "
        f"{bytes_of(release) / 1e6:.1f} MB in {release.folder}. Licence of the data: {release.manifest.licence}."
    )
    for held in overview.ways:
        _print_way(held)
    if release.open_ways:
        rows = [[way.name, way.missing, number(way.core_hours, 1)] for way in release.open_ways]
        print_table("\nopen", ["way", "what is missing", "core-hours"], rows, left=2)
    say()
    for field, values in overview.versions.items():
        say(f"{field}: {', '.join(values) or '–'}")
    say(f"To cite: {overview.citation}")


def _print_way(held: WayOverview) -> None:
    way = held.way
    say(f"\n{way.name}: {way.title}")
    say(
        f"  seeds {', '.join(map(str, way.seeds))}; {held.networks:,} networks; {UNITS[way.unit]}; "
        f"{number(way.core_hours, 1)} core-hours"
    )
    say(f"  scores: {', '.join(f'{count:,} {status}' for status, count in held.totals.items())}")
    for digest, setting in way.settings.items():
        measures = [name for name, of in way.measures.items() if of == digest]
        say(f"  setting {digest} ({', '.join(measures)})")
        say("    " + ", ".join(f"{name}={value}" for name, value in setting.fields.items()))
    say(f"  again: {way.command}")


@command.command(name="export")
@_NAME
@click.option(
    "--out",
    cls=kinds.TrustedOption,
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write: .csv, .csv.gz or .parquet.",
)
@way_option
@click.option("--seed", "seeds", multiple=True, type=kinds.SEED, help="Seed; repeatable.  [default: all of the way]")
@click.option("--measures", help="Measures, separated by commas.  [default: all of the way]")
def export(name: str, out: Path, measures: str | None, **options: object) -> None:
    """Write published scores of NAME as a table for other programs: a row for each way, seed, measure and cell.

    A file that is there is replaced only if it is such a table.
    """
    from ntknas.store.export import to_csv, to_parquet
    from ntknas.store.table import COLUMNS

    if out.suffix not in (".csv", ".gz", ".parquet"):
        raise click.UsageError(f"--out expects a name that ends in .csv, .csv.gz or .parquet, got {out.name}.")
    release = _opened(name)
    names = [part.strip() for part in measures.split(",")] if measures is not None else []
    scores = read_published(release, options, names)
    ways = {digest: way.name for way in release.ways.values() for digest in way.settings}
    frame = scores[list(COLUMNS)].assign(way=scores["setting"].map(ways))
    (to_parquet if out.suffix == ".parquet" else to_csv)(frame, out)
    say(f"{out}: {len(frame):,} scores.")
    note("What the settings are: ntknas published info --json.")


command.add_command(verify)


def _opened(name: str) -> Release:
    from ntknas.published.release import Release

    return Release.open(name.removeprefix(PREFIX))
