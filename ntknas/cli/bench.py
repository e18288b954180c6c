"""``ntknas bench``: what benchmarks there are."""

from __future__ import annotations

from typing import Any

import click

from ntknas.cli.output import json_option, print_json, print_table


@click.group(name="bench")
def command() -> None:
    """Benchmarks: trained accuracies of a space's cells."""


@command.command(name="list")
@json_option
def list_benchmarks(json: bool) -> None:
    """List the benchmarks and the targets that their tables hold."""
    from ntknas.benchmarks import DESCRIPTIONS, load_benchmark

    rows = [row for name in DESCRIPTIONS for row in _rows(name, load_benchmark(name))]
    if json:
        print_json({"rows": rows})
        return
    header = ["benchmark", "target", "cells", "runs", "best cell", "best accuracy (%)"]
    print_table("", header, [[str(value) for value in row.values()] for row in rows], left=2)
    for name, text in DESCRIPTIONS.items():
        click.echo(f"{name}: {text}")


def _rows(name: str, benchmark: Any) -> list[dict[str, Any]]:
    rows = []
    for target in benchmark.targets():
        table = benchmark.table(target)
        count = sorted(set(table.count.tolist()))
        rows.append(
            {
                "benchmark": name,
                "target": str(target),
                "cells": len(table.runs),
                "runs": " or ".join(map(str, count)),
                "best_cell": int(table.mean.argmax()),
                "best_accuracy_percent": round(float(table.mean.max()), 2),
            }
        )
    return rows
