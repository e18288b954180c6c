"""What ``ntknas search`` chooses by and reports: targets of a benchmark, or columns of a user's own file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntknas.cli.output import note
from ntknas.cli.types import Options

if TYPE_CHECKING:
    from ntknas.benchmarks.table import AccuracyTable
    from ntknas.search.objective import Objective
    from ntknas.spaces import Space


def objective_of(space: Space, options: Options) -> Objective:
    """Return what is chosen by and reported.

    Args:
        space: The space.
        options: All options of the command.

    Returns:
        The objective.

    Raises:
        NtknasError: If there is no such benchmark, target, file or column.
    """
    from ntknas.benchmarks import load_benchmark
    from ntknas.search.objective import Objective

    if options["accuracies"] is not None:
        return _of_file(space, options)
    benchmark = load_benchmark(options["bench"], folder=options["bench_data"])
    return Objective.of(benchmark, options["dataset"], options["choose"], options["report"])


def _of_file(space: Space, options: Options) -> Objective:
    from ntknas.search.objective import Objective

    choose, report = options["choose"], options["report"]
    chosen, name = _column(space, choose, options)
    reported, reported_name = (chosen, name) if report is None else _column(space, report, options)
    return Objective.of_tables(chosen, reported, (name, reported_name))


def _column(space: Space, column: str | None, options: Options) -> tuple[AccuracyTable, str]:
    """Return a column of a user's file as a table of one run, and its name."""
    import numpy as np

    from ntknas.benchmarks import AccuracyTable, read_accuracies

    series = read_accuracies(options["accuracies"], space, column, options["cell_column"])
    for remark in series.attrs["notes"]:
        note(remark)
    runs = np.full((len(space), 1), np.nan)
    runs[series.index, 0] = series.to_numpy(np.float64)
    return AccuracyTable(runs, seeds=(0,), seeds_are_numbers=True), str(series.name)
