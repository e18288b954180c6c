"""Trained accuracies: benchmarks by name, and a user's own figures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ntknas.benchmarks.table import EMBEDDED, AccuracyTable, Benchmark, Costs, Target
from ntknas.core.errors import ChoiceError, DataError, check_known
from ntknas.core.lazy import importer_of

if TYPE_CHECKING:
    from ntknas.benchmarks.user_file import read_accuracies

__all__ = [
    "BENCHMARKS",
    "FOLDER",
    "AccuracyTable",
    "Benchmark",
    "Costs",
    "Target",
    "benchmark_names",
    "load_benchmark",
    "read_accuracies",
    "space_of",
    "table_path",
]
__getattr__ = importer_of({"read_accuracies": "ntknas.benchmarks.user_file"})  # it needs pandas

FOLDER = Path("bench_data")
"""Where imported tables are looked for unless told otherwise."""


@dataclass(frozen=True)
class Known:
    """A benchmark that the tool knows.

    Attributes:
        space: Name of its space.
        text: What it is.
        file: The official file to import.
        embedded: What is there without a file, if anything.
    """

    space: str
    text: str
    file: str
    embedded: str = ""


BENCHMARKS = {
    "nb101": Known("nb101", "NAS-Bench-101", "nasbench_only108.tfrecord or nasbench_full.tfrecord"),
    "nb201": Known(
        "nb201",
        "NAS-Bench-201",
        "NAS-Bench-201-v1_1-096897.pth or NAS-Bench-201-v1_0-e61699.pth",
        "validation accuracy at 200 epochs of each seed",
    ),
    "nats-tss": Known("nb201", "NATS-Bench, topology (the cells of nb201)", "folder NATS-tss-v1_0-3ffb9-simple"),
    "nats-sss": Known("nats-sss", "NATS-Bench, size", "folder NATS-sss-v1_0-50262-simple"),
}


def benchmark_names() -> list[str]:
    """Return the names of all benchmarks."""
    return list(BENCHMARKS)


def space_of(name: str) -> str:
    """Return the name of a benchmark's space; a name that is no benchmark's is a space's own."""
    return BENCHMARKS[name].space if name in BENCHMARKS else name


def table_path(name: str, folder: Path | str = FOLDER) -> Path:
    """Return where a benchmark's imported table is kept."""
    return Path(folder) / f"{name}.h5"


def load_benchmark(name: str, dataset: str | None = None, folder: Path | str | None = FOLDER) -> Benchmark:
    """Return a benchmark: the imported table if there is one, else what is embedded.

    Args:
        name: ``nb101``, ``nb201``, ``nats-tss`` or ``nats-sss``.
        dataset: The data set that ``accuracy`` speaks of unless told otherwise, such as ``cifar100``; ``cifar10``
            stands for the table ``cifar10-valid`` too, where there is one.
        folder: Where imported tables are; ``None`` for the embedded one alone.

    Raises:
        ChoiceError: If the benchmark, or a table of this data set, does not exist.
        DataError: If it has to be imported first, or its table is damaged.

    Example:
        >>> benchmark = load_benchmark("nb201", dataset="cifar10", folder=None)
        >>> round(benchmark.accuracy(6111, split="valid", epochs=200), 2)
        91.61
    """
    check_known("benchmark", name, BENCHMARKS)
    benchmark = _load(name, dataset, None if folder is None else Path(folder))
    if dataset is not None and not benchmark.targets(dataset):
        held = dict.fromkeys(target.dataset for target in benchmark.tables)
        raise ChoiceError(f"{name} holds no accuracies on {dataset!r}: it holds those on {', '.join(held)}.")
    return benchmark


def _load(name: str, dataset: str | None, folder: Path | None) -> Benchmark:
    space = BENCHMARKS[name].space
    if folder is not None and table_path(name, folder).exists():
        from ntknas.benchmarks.table_file import TableFile

        file = TableFile(table_path(name, folder), name)
        source = f"{file.path}, imported from {file.attributes['source']}"
        return Benchmark(name, file.tables, dataset, space, source, file.costs)
    if BENCHMARKS[name].embedded:
        from ntknas.benchmarks import nb201_embedded

        return Benchmark(name, nb201_embedded.load_tables(), dataset, space, EMBEDDED)
    raise DataError(
        f"{name} is not there yet: expected {table_path(name, folder or FOLDER)}. Get {BENCHMARKS[name].file} and run "
        "ntknas bench import on it, or give your own accuracies with --accuracies FILE."
    )
