"""``ntknas bench``: the benchmarks' accuracies: import official files, look at what is there, ask for a figure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ntknas.cli import kinds
from ntknas.cli import options as shared
from ntknas.cli.arguments import open_space
from ntknas.cli.groups import Group
from ntknas.cli.output import json_option, note, number, print_json, print_table, say

if TYPE_CHECKING:
    from ntknas.benchmarks import Benchmark


@click.group(name="bench", cls=Group)
def command() -> None:
    """Benchmarks: trained accuracies of a space's cells."""


@command.command(name="import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--bench", help="What FILE must be, a name of bench list.  [default: whatever it is]")
@click.option("--replace", cls=kinds.TrustedOption, is_flag=True, help="Replace a table that is there.")
@shared.bench_output_option
@json_option
def import_command(files: tuple[Path, ...], bench: str | None, replace: bool, bench_data: Path, json: bool) -> None:
    """Import the official FILE (or NATS-Bench folder) once; afterwards it is not needed any more.

    FILE is NAS-Bench-201-v1_*.pth, a folder NATS-tss-… or NATS-sss-…-simple, nasbench_only108.tfrecord or
    nasbench_full.tfrecord, or any other that bench list names; several, or their folder, where a benchmark has one for
    each data set or device. It is read as a stream, nothing in it is executed, and every training run is kept.
    """
    from ntknas.benchmarks import benchmark_names
    from ntknas.benchmarks.importing import import_files
    from ntknas.cli.meter import Meter
    from ntknas.core.errors import check_known

    if bench is not None:
        check_known("benchmark", bench, benchmark_names())
    with click.get_current_context().scope() as ctx:

        def start(total: int, unit: str) -> Any:
            return ctx.with_resource(Meter(total, f"Importing {files[0].name}", unit)).advance

        imported = import_files(files, bench_data, benchmark=bench, replace=replace, start=start, open_space=open_space)
    if json:
        fields = {
            "benchmark": imported.benchmark,
            "cells": imported.cells,
            "cells_of_space": imported.size,
            "runs": imported.runs,
            "targets": [str(target) for target in imported.targets],
            "missing": {str(target): count for target, count in imported.missing.items()},
        }
        print_json({"table": str(imported.path), **fields})
        return
    if imported.cells < imported.size:
        note(f"Note: the file holds {imported.cells:,} of the {imported.size:,} cells.")
    for target, count in imported.missing.items():
        note(f"Note: {count:,} cells have no value of {target}.")
    names = " ".join(map(str, files))
    say(
        f"{imported.path}: {imported.runs:,} training runs of {imported.cells:,} cells. {names} "
        f"{'is' if len(files) == 1 else 'are'} not needed any more."
    )
    say(f"Next: ntknas bench info {imported.benchmark}")


@command.command(name="list")
@shared.bench_data_option
@json_option
def list_benchmarks(bench_data: Path, json: bool) -> None:
    """List the benchmarks, their accuracies at the largest budget, and what to import."""
    from ntknas.benchmarks import all_sources, has_accuracies, load_benchmark

    sources = all_sources()
    loaded = {name: load_benchmark(name, folder=bench_data) for name in sources if has_accuracies(name, bench_data)}
    rows = [_row(benchmark, target) for benchmark in loaded.values() for target in benchmark.main_targets()]
    overview = [
        {
            "benchmark": name,
            "text": source.text,
            "space": source.space,
            "file": source.official and source.official.text,
            "source": loaded[name].source if name in loaded else None,
        }
        for name, source in sources.items()
    ]
    if json:
        print_json({"rows": rows, "benchmarks": overview})
        return
    print_table(
        "",
        _HEADER,
        [_texts(row) for row in rows],
        left=2,
        least=_LEAST,
    )
    for row in overview:
        say(f"{row['benchmark']}: {row['text']}; {row['source'] or 'not imported'}")
        if row["file"]:
            say(f"  official file for ntknas bench import: {row['file']}")


@command.command(name="info")
@click.argument("name")
@shared.bench_data_option
@json_option
def info(name: str, bench_data: Path, json: bool) -> None:
    """Show the targets of the benchmark NAME: cells, runs and best accuracy of each."""
    from ntknas.benchmarks import load_benchmark

    benchmark = load_benchmark(name, folder=bench_data)
    rows = [_row(benchmark, target) for target in benchmark.tables]
    if json:
        print_json({"benchmark": name, "space": benchmark.space, "source": benchmark.source, "rows": rows})
        return
    say(f"{name}: {benchmark.source}; cells of the space {benchmark.space}")
    print_table(
        "",
        _HEADER,
        [_texts(row) for row in rows],
        left=2,
        least=_LEAST,
    )


_HEADER = ["benchmark", "target", "cells", "runs", "seeds", "best cell", "best accuracy (%)"]
_LEAST = ["seeds", "runs", "cells"]


def _texts(row: dict[str, Any]) -> list[str]:
    return ["–" if value is None else str(value) for value in row.values()]


def _row(benchmark: Benchmark, target: Any) -> dict[str, Any]:
    import numpy as np

    table = benchmark.table(target)
    mean = table.mean
    best = None if np.isnan(mean).all() else int(np.nanargmax(mean))
    return {
        "benchmark": benchmark.name,
        "target": str(target),
        "cells": int((table.count > 0).sum()),
        "runs": " or ".join(map(str, sorted(set(table.count.tolist()) - {0}))),
        "seeds": "–" if table.seeds_are_numbers else " ".join(map(str, table.seeds)),
        "best_cell": best,
        "best_accuracy_percent": None if best is None else round(float(mean[best]), 2),
    }


@command.command(name="verify")
@click.argument("name", required=False)
@shared.bench_data_option
def verify(name: str | None, bench_data: Path) -> None:
    """Compare the imported table of NAME (default: all) with its checksum."""
    from ntknas.benchmarks import benchmark_names, table_path
    from ntknas.benchmarks.table_file import TableFile
    from ntknas.core.errors import DataError, check_known

    names = [check_known("benchmark", name, benchmark_names())] if name else benchmark_names()
    paths = {name: table_path(name, bench_data) for name in names if table_path(name, bench_data).exists()}
    if not paths:
        raise DataError(f"No imported table of {' or '.join(names)} in {bench_data}: nothing to verify.")
    for name, path in paths.items():
        TableFile(path, name).verify()
        say(f"{path}: as it was written")


@command.command(name="query")
@click.argument("name")
@click.argument("cell")
@click.option("--dataset", help="Data set of the accuracy.  [default: the only one]")
@click.option("--split", help="train, valid, test or valtest.  [default: test, or what there is]")
@click.option("--epochs", type=kinds.COUNT, help="Epoch budget.  [default: the largest]")
@click.option("--seed", type=kinds.SEED, help="Training seed.  [default: all, and their mean]")
@shared.bench_data_option
@json_option
def query(
    name: str,
    cell: str,
    dataset: str | None,
    split: str | None,
    epochs: int | None,
    seed: int | None,
    bench_data: Path,
    json: bool,
) -> None:
    """Show the accuracy of CELL (index or architecture string) of the benchmark NAME, its runs, time and size."""
    from ntknas.benchmarks import load_benchmark
    from ntknas.core.errors import ChoiceError
    from ntknas.spaces.naming import find

    benchmark = load_benchmark(name, folder=bench_data)
    datasets = list(dict.fromkeys(target.dataset for target in benchmark.tables))
    if dataset is None and len(datasets) > 1:
        raise ChoiceError(f"Name a data set with --dataset: {name} holds {benchmark.describe_targets()}.")
    target = benchmark.find_target(dataset or datasets[0], split, epochs, ("test", "valid"))
    space = open_space(name)
    index = find(space, cell)
    answer = _answer(benchmark, target, index, seed) | {"architecture": str(space[index])}
    if json:
        print_json(answer)
        return
    _print_answer(answer)


def _answer(benchmark: Benchmark, target: Any, cell: int, seed: int | None) -> dict[str, Any]:
    import numpy as np

    value = benchmark.accuracy(cell, target.split, target.epochs, seed, target.dataset)
    table = benchmark.table(target)
    finished = [run for run, accuracy in enumerate(table.runs[cell]) if np.isfinite(accuracy)]
    seeds_are_known = table.seeds_of_gaps_known or len(finished) == len(table.seeds)
    runs = [
        {
            "seed": table.seeds[run] if seeds_are_known else None,
            "accuracy_percent": float(table.runs[cell, run]),
            "training_seconds": None if table.seconds is None else _or_none(table.seconds[cell, run]),
        }
        for run in finished
        if seed is None or table.seeds[run] == seed
    ]
    costs = benchmark.costs(target.dataset) if benchmark.costs_of else None
    return {
        "benchmark": benchmark.name,
        "source": benchmark.source,
        "cell": cell,
        "target": str(target),
        "accuracy_percent": value,
        "runs": runs,
        "parameters": costs and _or_none(costs.parameters[cell]),
        "flops": costs and _or_none(costs.flops[cell]),
    }


def _or_none(value: float) -> float | None:
    return float(value) if value == value else None


def _print_answer(answer: dict[str, Any]) -> None:
    say(f"{answer['benchmark']} cell {answer['cell']}: {answer['architecture']}")
    statistic = "mean over runs" if len(answer["runs"]) > 1 else "one run"
    say(f"{answer['target']}: {answer['accuracy_percent']:.4f} % ({statistic}; {answer['source']})")
    rows = [
        [
            "–" if run["seed"] is None else str(run["seed"]),
            number(run["accuracy_percent"], 4),
            number(run["training_seconds"], 1),
        ]
        for run in answer["runs"]
    ]
    print_table("", ["seed", "accuracy (%)", "training (s)"], rows, left=1)
    if answer["parameters"] is not None:
        flops = "" if answer["flops"] is None else f", {answer['flops'] / 1e6:,.2f} million FLOPs"
        say(f"{answer['parameters'] / 1e6:,.4f} million parameters{flops}")
