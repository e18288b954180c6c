"""``ntknas bench import``: official files, and tables of one's own, into the tables of benchmarks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ntknas.cli import kinds
from ntknas.cli import options as shared
from ntknas.cli.arguments import open_space
from ntknas.cli.output import json_option, note, print_json, say
from ntknas.cli.own_space import named_space
from ntknas.cli.types import F, Options

if TYPE_CHECKING:
    from ntknas.benchmarks.importing import Imported
    from ntknas.benchmarks.quantity import Quantity

_OF_OWN = (
    *("space", "dataset", "columns", "cell_column"),
    *("quantity", "unit", "lower_is_better", "measured_on", "missing"),
)
_DATASET = "cifar10"
_MOST = 8
"""Targets that a remark names."""


def _own_options(function: F) -> F:
    """Add the options that say what a table of one's own is."""
    options = (
        click.option(
            "--as",
            "name",
            cls=kinds.TrustedOption,
            metavar="NAME",
            help="FILE is a table of your own, and NAME the benchmark that it becomes.",
        ),
        click.option(
            "--space",
            cls=kinds.TrustedOption,
            help="Space of the cells of your table, such as nb201; FILE.py:NAME is one of your own, which is run.",
        ),
        click.option("--dataset", help=f"Data set of its targets.  [default: {_DATASET}]"),
        click.option(
            "--column",
            "columns",
            multiple=True,
            metavar="COLUMN",
            help="Column of values, a target; repeatable.  [default: all that hold numbers]",
        ),
        click.option(
            "--cell-column",
            metavar="COLUMN",
            help="Column that names the cells, in any encoding.  [default: index, cell, arch_str, net, …, or the order "
            "of the rows]",
        ),
        click.option("--quantity", help="What the values are, such as latency.  [default: accuracy, in %]"),
        click.option("--unit", help="Their unit, such as ms."),
        click.option("--lower-is-better", is_flag=True, help="Of two values the lower is the better one."),
        click.option("--measured-on", metavar="TEXT", help="Device, attack or whatever they were measured on."),
        click.option(
            "--missing",
            multiple=True,
            metavar="NUMBER",
            type=kinds.Finite(),
            help="Number that stands for no value, such as -1; repeatable.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


@click.command(name="import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--bench", help="What FILE must be, a name of bench list.  [default: whatever it is]")
@click.option("--replace", cls=kinds.TrustedOption, is_flag=True, help="Replace a table, or targets, that are there.")
@_own_options
@shared.bench_output_option
@json_option
def command(
    files: tuple[Path, ...], bench: str | None, replace: bool, bench_data: Path, json: bool, **own: object
) -> None:
    """Import the official FILE (or NATS-Bench folder) once; afterwards it is not needed any more.

    FILE is NAS-Bench-201-v1_*.pth, a folder NATS-tss-… or NATS-sss-…-simple, nasbench_only108.tfrecord or
    nasbench_full.tfrecord, or any other that bench list names; several, or their folder, where a benchmark has one for
    each data set or device. It is read as a stream, nothing in it is executed, and every training run is kept.

    With --as NAME it is a table of your own, CSV (plain or compressed), JSON, Parquet or .npz, with a column that names
    the cells (index, architecture string, NASLib's tuple, TransNAS-Bench-101's name, hash, key) or as many rows as the
    space has cells, in their order. NAME is a benchmark like any other then.
    """
    own["space"] = named_space(own["space"])
    _check_own(bench, own)
    if own["name"] is None:
        imported = _import_official(files, bench, replace, bench_data)
    else:
        imported = _import_own(files, own, replace, bench_data)
    if json:
        print_json(_fields(imported))
        return
    _report(imported, files)


def _check_own(bench: str | None, own: Options) -> None:
    """Check that the options that are given go together, and name what is there.

    Raises:
        UsageError: If they do not.
    """
    from ntknas.benchmarks import benchmark_names
    from ntknas.core.errors import check_known
    from ntknas.spaces import space_names

    if bench is not None:
        check_known("benchmark", bench, benchmark_names())
    if own["name"] is None:
        given = [name for name in _OF_OWN if own[name]]
        if given:
            flag = given[0].removesuffix("s") if given[0] == "columns" else given[0].replace("_", "-")
            raise click.UsageError(f"--{flag} is of a table of your own, which --as names.")
        return
    if bench is not None:
        raise click.UsageError("--bench says which official file FILE is, and --as that it is a table of your own.")
    if own["space"] is None:
        raise click.UsageError("--as needs --space, the space of your table's cells, such as nb201.")
    check_known("space", own["space"], space_names())


def _import_official(files: tuple[Path, ...], bench: str | None, replace: bool, folder: Path) -> Imported:
    from ntknas.benchmarks.importing import import_files
    from ntknas.cli.meter import Meter

    with click.get_current_context().scope() as ctx:

        def start(total: int, unit: str) -> Callable[[int], None]:
            return ctx.with_resource(Meter(total, f"Importing {files[0].name}", unit)).advance

        return import_files(files, folder, benchmark=bench, replace=replace, start=start, open_space=open_space)


def _import_own(files: tuple[Path, ...], options: Options, replace: bool, folder: Path) -> Imported:
    from ntknas.benchmarks.own_import import OwnTable, import_own

    own = OwnTable(
        options["name"],
        options["space"],
        options["dataset"] or _DATASET,
        options["columns"],
        options["cell_column"],
        _quantity(options),
        options["missing"],
    )
    imported, notes = import_own(files, own, folder, overwrite=replace, open_space=open_space)
    for remark in notes:
        note(remark)
    return imported


def _quantity(options: Options) -> Quantity:
    """Return what the values of a table are: accuracies in percent, unless something is said."""
    from ntknas.benchmarks.quantity import ACCURACY, Quantity

    name, unit = options["quantity"] or ACCURACY.name, options["unit"]
    default = ACCURACY.unit if name == ACCURACY.name else ""
    better = not options["lower_is_better"]
    return Quantity(name, default if unit is None else unit, better, options["measured_on"] or "")


def _fields(imported: Imported) -> dict[str, object]:
    return {
        "table": str(imported.path),
        "benchmark": imported.benchmark,
        "cells": imported.cells,
        "cells_of_space": imported.size,
        "runs": imported.runs,
        "targets": [str(target) for target in imported.targets],
        "missing": {str(target): count for target, count in imported.missing.items()},
    }


def _remarks(imported: Imported) -> Iterator[str]:
    """Yield which targets lack a value of cells that others have one of, together where they lack as many."""
    absent = imported.size - imported.cells
    for count in sorted({count for count in imported.missing.values() if count > absent}):
        targets = [str(target) for target, lacks in imported.missing.items() if lacks == count]
        more = f" and {len(targets) - _MOST:,} more" if len(targets) > _MOST else ""
        yield f"{count - absent:,} of these cells have no value of {', '.join(targets[:_MOST])}{more}"


def _report(imported: Imported, files: tuple[Path, ...]) -> None:
    if imported.cells < imported.size:
        note(f"Note: the table holds {imported.cells:,} of the {imported.size:,} cells.")
    for remark in _remarks(imported):
        note(f"Note: {remark}.")
    has_trainings = any(target.epochs is not None for target in imported.targets)
    targets = f"{len(imported.targets):,} target{'s' * (len(imported.targets) != 1)}"
    held = f"{imported.runs:,} training runs" if has_trainings else targets
    names = " ".join(map(str, files))
    say(
        f"{imported.path}: {held} of {imported.cells:,} cells. {names} {'is' if len(files) == 1 else 'are'} not needed "
        "any more."
    )
    say(f"Next: ntknas bench info {imported.benchmark}")
