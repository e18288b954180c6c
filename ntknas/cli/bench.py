"""``ntknas bench``: the benchmarks' targets: import official files, look at what is there, ask for a figure."""

from __future__ import annotations

from pathlib import Path

import click

from ntknas.cli import kinds
from ntknas.cli import options as shared
from ntknas.cli.arguments import open_space
from ntknas.cli.bench_import import command as import_command
from ntknas.cli.groups import Group
from ntknas.cli.output import json_option, print_json, say


@click.group(name="bench", cls=Group)
def command() -> None:
    """Benchmarks: accuracies, latencies and other targets of a space's cells."""


command.add_command(import_command)


@command.command(name="list")
@shared.bench_data_option
@json_option
def list_benchmarks(bench_data: Path, json: bool) -> None:
    """List the benchmarks, their targets at the largest budget, and what to import."""
    from ntknas.benchmarks import all_sources, has_accuracies, load_benchmark
    from ntknas.cli.bench_rows import grouped, in_order, print_rows, row_of

    sources = all_sources(bench_data)
    loaded = {name: load_benchmark(name, folder=bench_data) for name in sources if has_accuracies(name, bench_data)}
    rows = [row_of(benchmark, target) for benchmark in loaded.values() for target in in_order(benchmark.main_targets())]
    overview = [
        {
            "benchmark": name,
            "text": source.text,
            "space": source.space,
            "file": source.official and source.official.text,
            "source": loaded[name].source if name in loaded else None,
            "targets": len(loaded[name].tables) if name in loaded else 0,
        }
        for name, source in sources.items()
    ]
    if json:
        print_json({"rows": rows, "benchmarks": overview})
        return
    print_rows(grouped(rows), without=["measured on"])
    for row in overview:
        say(f"{row['benchmark']}: {row['text']}; {row['source'] or 'not imported'}")
        if row["file"]:
            say(f"  official file for ntknas bench import: {row['file']}")


@command.command(name="info")
@click.argument("name")
@shared.bench_data_option
@json_option
def info(name: str, bench_data: Path, json: bool) -> None:
    """Show the targets of the benchmark NAME: what they are, cells, measurements, runs and the best value of each."""
    from ntknas.benchmarks import load_benchmark
    from ntknas.cli.bench_rows import in_order, print_rows, row_of

    benchmark = load_benchmark(name, folder=bench_data)
    rows = [row_of(benchmark, target) for target in in_order(benchmark.tables)]
    if json:
        print_json({"benchmark": name, "space": benchmark.space, "source": benchmark.source, "rows": rows})
        return
    say(f"{name}: {benchmark.source}; cells of the space {benchmark.space}")
    print_rows([[row] for row in rows])


@command.command(name="verify")
@click.argument("name", required=False)
@shared.bench_data_option
def verify(name: str | None, bench_data: Path) -> None:
    """Compare the imported table of NAME (default: all) with its checksum."""
    from ntknas.benchmarks import benchmark_names, table_path
    from ntknas.benchmarks.table_file import TableFile
    from ntknas.core.errors import DataError, check_known

    known = benchmark_names(bench_data)
    names = [check_known("benchmark", name, known)] if name else known
    paths = {name: table_path(name, bench_data) for name in names if table_path(name, bench_data).exists()}
    if not paths:
        raise DataError(f"No imported table of {' or '.join(names)} in {bench_data}: nothing to verify.")
    for name, path in paths.items():
        file = TableFile(path, name)
        file.verify()
        targets = f"{len(file.tables)} target{'' if len(file.tables) == 1 else 's'}"
        say(f"{path}: as it was written, {targets}")


@command.command(name="query")
@click.argument("name")
@click.argument("cell")
@click.option("--dataset", help="Data set of the value.  [default: the only one]")
@click.option(
    "--split",
    help="train, valid, test or valtest, or another quantity of bench info.  [default: test, or what there is]",
)
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
    """Show what the benchmark NAME has of CELL (index or architecture string): its value, runs, time and size.

    Where targets have no epoch budget and --split names none of them, all are shown.
    """
    from ntknas.benchmarks import load_benchmark
    from ntknas.cli.bench_answer import answer_of, costs_of, meant, print_all, print_one
    from ntknas.spaces.naming import find

    benchmark = load_benchmark(name, folder=bench_data)
    targets = meant(benchmark, dataset, split, epochs)
    space = open_space(benchmark.space)
    index = find(space, cell)
    if all(benchmark.table(target).count[index] == 0 for target in targets):
        benchmark.check_measured(index, targets[0])
    answers = [answer_of(benchmark, target, index, seed) for target in targets]
    head = {"benchmark": benchmark.name, "source": benchmark.source, "cell": index}
    head |= {"architecture": str(space[index])}
    if len(answers) > 1:
        if json:
            print_json({**head, "answers": answers})
            return
        say(f"{head['benchmark']} cell {index}: {head['architecture']}")
        print_all(answers, benchmark.source)
        return
    costs = costs_of(benchmark, targets[0].dataset, index)
    if json:
        print_json({**head, **answers[0], **costs})
        return
    say(f"{head['benchmark']} cell {index}: {head['architecture']}")
    print_one(answers[0], costs, benchmark.source)
