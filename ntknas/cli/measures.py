"""``ntknas measures``: the reference of measures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ntknas.cli.output import json_option, print_json, print_table, say

if TYPE_CHECKING:
    from ntknas.measures.reference import Entry

_TITLES = {
    "measure": "Measures of a kernel, a network or its training",
    "family": "Families: a measure for every number",
    "derived": "Derived measures, which correlate makes of others' scores",
    "count": "Counts of a cell, which correlate holds beside them",
}


@click.command(name="measures")
@click.argument("name", required=False)
@json_option
def command(name: str | None, json: bool) -> None:
    """Show all measures with definition, direction and source; with NAME all that is known of one."""
    from ntknas.measures.reference import entries, entry_of

    if name is not None:
        entry = entry_of(name)
        if json:
            print_json(entry.as_json())
        else:
            _show(entry)
    elif json:
        print_json({"rows": [entry.as_json() for entry in entries().values()]})
    else:
        _list(list(entries().values()))


def _list(known: list[Entry]) -> None:
    header = ["measure", "better", "needs", "definition", "source"]
    for kind, title in _TITLES.items():
        rows = [
            [entry.name, entry.better, ", ".join(entry.needs), entry.formula, entry.source]
            for entry in known
            if entry.kind == kind
        ]
        print_table(title, header, rows, left=5, least=["source", "needs"])
        say()
    say("More: ntknas measures NAME. Use: ntknas score --measures NAME,NAME.")


def _show(entry: Entry) -> None:
    say(f"{entry.name}: {entry.formula}")
    if entry.text:
        say(f"\n{entry.text}\n")
    facts = {
        "better": entry.better,
        "made of" if entry.kind == "derived" else "needs": ", ".join(entry.needs),
        "output reductions": ", ".join(entry.outputs),
        "no value": entry.no_value,
        "over seeds": entry.over_seeds,
        "in the groups": ", ".join(entry.groups),
        "source": entry.source,
    }
    for fact, text in facts.items():
        if text:
            say(f"{fact}: {text}")
