"""``ntknas diff``: what differs between two score stores."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ntknas.cli import kinds
from ntknas.cli.left_out import say_left_out
from ntknas.cli.names import check_store
from ntknas.cli.output import json_option, number, print_json, print_table, say
from ntknas.core.display import printable

if TYPE_CHECKING:
    from ntknas.correlation.diff import Fields, MeasureDiff


@click.command(name="diff")
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.option("--worst", type=kinds.NUMBER, default=5, show_default=True, help="Cells to name for each measure.")
@json_option
def command(a: Path, b: Path, worst: int, json: bool) -> None:
    """Show what differs between the stores A and B: settings, environment, and how far cells moved in the ranking."""
    for store in (a, b):
        check_store(store)

    from dataclasses import asdict

    from ntknas.correlation.diff import diff, differing_environments
    from ntknas.store import load_store

    first, second = load_store(a), load_store(b)
    left_out = {str(name): frame.attrs["left_out"] for name, frame in ((a, first), (b, second))}
    for name, lines in left_out.items():
        say_left_out(lines, name)
    diffs = diff(first, second, worst)
    differing = differing_environments(first, second)
    if json:
        lost = {name: lines.lines for name, lines in left_out.items()}
        print_json({"environment": differing, "rows": [asdict(item) for item in diffs], "left_out": lost})
        return
    for name, (values_a, values_b) in differing.items():
        say(printable(f"{name}: {', '.join(values_a) or '–'} → {', '.join(values_b) or '–'}"))
    _print(diffs)


def _print(diffs: list[MeasureDiff]) -> None:
    for fields in _unique([item.fields for item in diffs]):
        changes = ", ".join(f"{name} {value_a} → {value_b}" for name, (value_a, value_b) in fields.items())
        measures = ", ".join(item.measure for item in diffs if item.fields == fields)
        say(printable(f"{measures}: {changes or 'the same setting'}"))
    rows = [
        [item.measure, str(item.n), str(item.equal), str(item.only_a), str(item.only_b), number(item.kendall)]
        for item in diffs
    ]
    print_table("", ["measure", "cells", "equal", "only in A", "only in B", "τ between A and B"], rows)
    for item in diffs:
        if item.worst:
            moves = [f"{mover.cell} ({mover.rank_a:g} → {mover.rank_b:g})" for mover in item.worst]
            say(printable(f"{item.measure}: moved farthest, by rank: {', '.join(moves)}"))


def _unique(items: list[Fields]) -> list[Fields]:
    return [item for index, item in enumerate(items) if item not in items[:index]]
