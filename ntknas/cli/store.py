"""``ntknas store``: what a score store holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ntknas.cli import options as shared
from ntknas.cli.output import json_option, note, print_json, print_table


@click.group(name="store")
def command() -> None:
    """Score stores."""


@command.command(name="info")
@click.argument("store", type=click.Path(path_type=Path), default=shared.DEFAULT_STORE)
@json_option
def info(store: Path, json: bool) -> None:
    """Show the settings, runs and statuses of the scores in STORE."""
    from ntknas.store import ScoreStore

    opened = ScoreStore.read(store)
    frame = opened.frame()
    if opened.torn or opened.damaged:
        note(f"Note: the journal has {len(opened.damaged)} damaged line(s){' and an unfinished one' * opened.torn}.")
    settings = [
        _setting(digest, fields, frame[frame["setting"] == digest]) for digest, fields in opened.settings.items()
    ]
    if json:
        runs = [{"run": run, **fields} for run, fields in opened.runs.items()]
        print_json(
            {
                "store": str(store),
                "scores": len(frame),
                "in_journal": opened.uncompacted,
                "settings": settings,
                "runs": runs,
            }
        )
        return
    click.echo(f"{store}: {len(frame)} scores, {opened.uncompacted} of them in the journal; {len(opened.runs)} run(s).")
    for setting in settings:
        _print_setting(setting)
    header = ["run", "started", "recipe", "device", "torch", "ntknas"]
    rows = [[run[:8], *(str(fields.get(name, "–")) for name in header[1:])] for run, fields in opened.runs.items()]
    print_table("runs", header, rows, left=6)


def _setting(digest: str, fields: dict[str, Any], frame: Any) -> dict[str, Any]:
    statuses = frame.groupby(["measure", "status"], observed=True).size()
    return {
        "setting": digest,
        "fields": dict(fields),
        "cells": int(frame["cell"].nunique()),
        "seeds": sorted(map(int, frame["seed"].unique())),
        "scores_by_measure_and_status": {
            f"{measure}/{status}": int(count) for (measure, status), count in statuses.items()
        },
    }


def _print_setting(setting: dict[str, Any]) -> None:
    click.echo(f"\nsetting {setting['setting']}: {setting['cells']} cells, seeds {setting['seeds']}")
    click.echo("  " + ", ".join(f"{name}={value}" for name, value in setting["fields"].items()))
    rows = [[*name.split("/"), str(count)] for name, count in setting["scores_by_measure_and_status"].items()]
    print_table("", ["measure", "status", "scores"], rows, left=2)
