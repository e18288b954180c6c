"""An imported benchmark in place of a file of one's own scores: ``ntknas correlate --scores nb-suite-zero``."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ntknas.core.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from ntknas.benchmarks import Benchmark


def is_name(scores: Path) -> bool:
    """Return whether what ``--scores`` says could be a name rather than a file."""
    return not scores.exists() and scores.name == str(scores) and "." not in scores.name.lstrip(".")


def named_benchmark(scores: Path, folder: Path, missing: Collection[float]) -> Benchmark:
    """Return the benchmark that ``--scores`` names.

    Args:
        scores: What it says.
        folder: Folder of imported tables.
        missing: What ``--missing`` says.

    Returns:
        The benchmark.

    Raises:
        UsageError: If an option goes with files alone.
        DataError: If there is neither a file nor a benchmark of this name.
    """
    from ntknas.benchmarks import benchmark_names, load_benchmark

    names = benchmark_names(folder)
    if str(scores) not in names:
        raise DataError(
            f"No such file: {scores}, and no benchmark of this name. --scores takes a CSV file (or .npz, .json, "
            f".parquet), or one of {', '.join(names)}."
        )
    if missing:
        raise click.UsageError(f"--missing is of a file of scores: the table of {scores} knows what stands for none.")
    return load_benchmark(str(scores), folder=folder)


def scores_of(benchmark: Benchmark, dataset: str, columns: Collection[str]) -> pd.DataFrame:
    """Return a benchmark's scores on a data set; see ``benchmarks.benchmark_scores.scores_of``."""
    from ntknas.benchmarks import benchmark_scores

    return benchmark_scores.scores_of(benchmark, dataset, columns)
