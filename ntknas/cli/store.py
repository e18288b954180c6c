"""``ntknas store``: what a score store holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ntknas.cli import kinds, store_contents
from ntknas.cli import options as shared
from ntknas.cli.groups import Group
from ntknas.cli.left_out import say_left_out
from ntknas.cli.names import check_store
from ntknas.cli.output import json_option, print_json, print_table, say
from ntknas.cli.published_source import stores_alone
from ntknas.cli.unmeasured import say_unmeasured
from ntknas.core.display import printable

if TYPE_CHECKING:
    from ntknas.store.overview import Overview, SettingOverview


@click.group(name="store", cls=Group)
def command() -> None:
    """Score stores."""


@command.command(name="info")
@click.argument("store", type=click.Path(path_type=Path), default=shared.DEFAULT_STORE, callback=stores_alone)
@json_option
def info(store: Path, json: bool) -> None:
    """Show the settings, runs and statuses of the scores in STORE."""
    check_store(store)

    from ntknas.store import ScoreStore
    from ntknas.store.overview import overview

    held = overview(ScoreStore.read(store))
    say_left_out(held.left_out, store)
    say_unmeasured(held.unmeasured)
    if json:
        print_json(_as_json(held, store))
        return
    say(f"{store}: {held.scores} scores, {held.uncompacted} of them in the journal; {len(held.runs)} run(s).")
    for setting in held.settings:
        _print_setting(setting)
    header = ["run", "started", "recipe", "device", "torch", "ntknas"]
    rows = [[run.identifier[:8], *(str(run.info.get(name, "–")) for name in header[1:])] for run in held.runs]
    print_table("runs", header, rows, left=6)


def _as_json(held: Overview, store: Path) -> dict[str, object]:
    from dataclasses import asdict

    settings = [
        {
            "setting": setting.setting.digest,
            "fields": dict(setting.setting.fields),
            "cells": setting.cells,
            "seeds": setting.seeds,
            "scores_by_measure_and_status": {
                f"{measure}/{status}": count for (measure, status), count in setting.scores.items()
            },
        }
        for setting in held.settings
    ]
    return {
        "store": str(store),
        "scores": held.scores,
        "in_journal": held.uncompacted,
        "left_out": held.left_out.lines,
        "unmeasured": [asdict(setting) for setting in held.unmeasured],
        "settings": settings,
        "runs": [{"run": run.identifier, **run.info} for run in held.runs],
    }


def _print_setting(held: SettingOverview) -> None:
    say(f"\nsetting {held.setting.digest}: {held.cells} cells, seeds {held.seeds}")
    say("  " + printable(", ".join(f"{name}={value}" for name, value in held.setting.fields.items())))
    rows = [[measure, status, str(count)] for (measure, status), count in held.scores.items()]
    print_table("", ["measure", "status", "scores"], rows, left=2)


_STORE = click.argument("store", type=click.Path(path_type=Path), default=shared.DEFAULT_STORE, callback=stores_alone)


@command.command(name="merge")
@click.argument("stores", nargs=-1, required=True, type=click.Path(path_type=Path), callback=stores_alone)
@click.option(
    "--into",
    cls=kinds.TrustedOption,
    type=click.Path(dir_okay=False, path_type=Path),
    callback=stores_alone,
    help="Store to make.  [default: the first]",
)
@click.option("--mixed", is_flag=True, help="Also where scores were measured otherwise: they stand beside one another.")
@json_option
def merge_stores(stores: tuple[Path, ...], into: Path | None, mixed: bool, json: bool) -> None:
    """Add the scores of all STORES to the first one, or to --into.

    Of scores that several hold the first one's is kept; failures give way to scores. The other stores stay as they are,
    and merging again changes nothing.
    """
    from dataclasses import asdict

    from ntknas.store.merge import merge

    target, sources = (into, stores) if into else (stores[0], stores[1:])
    merged = merge(target, sources, mixed=mixed)
    for name, left_out in merged.left_out.items():
        say_left_out(left_out, name)
    if json:
        lines = {name: left_out.lines for name, left_out in merged.left_out.items()}
        print_json({"store": str(target), **asdict(merged), "left_out": lines})
        return
    say(f"{target}: {merged.scores} scores, {merged.added} of them new.")
    if merged.repeated:
        say(
            f"{merged.repeated} stand in several stores, {merged.differing} of them with another value (at most "
            f"{merged.largest_difference:.1g} relative): the first store's is kept."
        )


@command.command(name="verify")
@_STORE
@json_option
@click.pass_context
def verify(ctx: click.Context, store: Path, json: bool) -> None:
    """Check the checksums of STORE and its journals, and whether scores are missing.

    Exit code 1 where a file is damaged, 3 where scores are missing or failed.
    """
    from dataclasses import asdict

    from ntknas.store.health import examine

    health = examine(store)
    if json:
        print_json({"store": str(store), **asdict(health)})
    else:
        for fault in health.faults:
            say(fault)
        if health.gaps:
            rows = [[gap.setting, gap.measure, str(gap.missing), str(gap.failed)] for gap in health.gaps]
            print_table("", ["setting", "measure", "missing", "failed"], rows, left=2)
            say("The ntknas score command that made them computes what is missing, and failures again.")
        if health.scores is not None and not health.faults:
            say(f"{store}: {health.scores} scores, every checksum right{'' if health.gaps else ', none missing'}.")
        elif health.faults and health.mendable:
            say(f"Mend what can be mended: ntknas store repair {store}")
    ctx.exit(1 if health.faults else 3 if health.gaps else 0)


@command.command(name="repair")
@_STORE
@json_option
def repair_store(store: Path, json: bool) -> None:
    """Make STORE open again: a damaged file is set aside and made anew from its journals. Nothing is deleted.

    A STORE that is whole, but of another version of ntknas or somebody else's, is left alone (exit code 1); what stands
    in the place of its journal and is none is set aside as it is.
    """
    from ntknas.store.health import repair

    repaired = repair(store)
    say_left_out(repaired.left_out, store)
    if json:
        files = [str(file) for file in repaired.set_aside]
        print_json(
            {"store": str(store), "scores": repaired.scores, "set_aside": files, "left_out": repaired.left_out.lines}
        )
        return
    say(f"{store}: {repaired.scores} scores.")
    for file in repaired.set_aside:
        say(f"Set aside: {file}")


@command.command(name="compact")
@_STORE
def compact(store: Path) -> None:
    """Bring the scores of STORE's journals into its file."""
    from ntknas.store import ScoreStore

    ScoreStore.read(store)
    with ScoreStore.open(store) as opened:
        say_left_out(opened.left_out, store)
        waiting = opened.uncompacted
        opened.compact()
        say(f"{store}: {len(opened)} scores, {waiting} of them from journals.")
        for file in opened.set_aside:
            say(f"Kept aside, for the lines that could not be read: {file}")


for subcommand in (
    store_contents.export,
    store_contents.extract_scores,
    store_contents.drop_scores,
    store_contents.convert_store,
):
    command.add_command(subcommand)
