"""``ntknas diff``: what differs between two score stores, or between two versions of published scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ntknas.cli import kinds
from ntknas.cli.names import check_store
from ntknas.cli.output import json_option, number, print_json, print_table, say
from ntknas.cli.published_source import check_ways, way_option
from ntknas.core.display import printable

if TYPE_CHECKING:
    from ntknas.cli.diff_sources import Pair
    from ntknas.correlation.diff import Fields, MeasureDiff


@dataclass(frozen=True)
class _Comparison:
    """What differs between two tables of scores: environments, and measure by measure."""

    environment: Mapping[str, tuple[list[str], list[str]]]
    measures: list[MeasureDiff]

    def as_json(self) -> dict[str, object]:
        return {"environment": self.environment, "rows": [asdict(item) for item in self.measures]}


@click.command(name="diff")
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@way_option
@click.option("--worst", type=kinds.NUMBER, default=5, show_default=True, help="Cells to name for each measure.")
@json_option
def command(a: Path, b: Path, ways: tuple[str, ...], worst: int, json: bool) -> None:
    """Show what differs between A and B: settings, environment, and how far cells moved in the ranking.

    A and B are stores, or published scores (published:nb201, or published: and a folder). Two releases are compared way
    by way, on the seeds that both have; a release and a store by the ways whose settings the store has.
    """
    check_ways([a, b], {"ways": ways})
    for source in (a, b):
        check_store(source)

    from ntknas.cli.diff_sources import pairs_of

    compared: dict[str, _Comparison] = {}
    left_out = {str(a): 0, str(b): 0}
    for pair in pairs_of(a, b, ways):
        comparison = compared[pair.way] = _compare(pair, worst)
        left_out = dict(zip((str(a), str(b)), pair.lines_left_out, strict=True))
        if not json:
            if pair.way:
                say(f"way {pair.way}")
            _print(comparison)
    if json:
        stores = compared.get("")
        found = stores.as_json() if stores else {"ways": {way: each.as_json() for way, each in compared.items()}}
        print_json({**found, "left_out": left_out})


def _compare(pair: Pair, worst: int) -> _Comparison:
    from ntknas.correlation.diff import diff, differing_environments

    return _Comparison(differing_environments(pair.a, pair.b), diff(pair.a, pair.b, worst))


def _print(comparison: _Comparison) -> None:
    for name, (values_a, values_b) in comparison.environment.items():
        say(printable(f"{name}: {', '.join(values_a) or '–'} → {', '.join(values_b) or '–'}"))
    diffs = comparison.measures
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
