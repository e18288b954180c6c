"""Trained accuracies: benchmarks by name, and a user's own figures."""

from __future__ import annotations

from ntknas.benchmarks.table import AccuracyTable, Benchmark, Target
from ntknas.benchmarks.user_file import read_accuracies
from ntknas.core.errors import ChoiceError, check_known

__all__ = ["AccuracyTable", "Benchmark", "Target", "benchmark_names", "load_benchmark", "read_accuracies"]

DESCRIPTIONS = {
    "nb201": "NAS-Bench-201: validation accuracy at 200 epochs of each seed on three data sets (embedded)",
}


def benchmark_names() -> list[str]:
    """Return the names of all benchmarks."""
    return list(DESCRIPTIONS)


def load_benchmark(name: str, dataset: str | None = None) -> Benchmark:
    """Return a benchmark.

    Args:
        name: ``nb201``.
        dataset: The data set that ``accuracy`` speaks of unless told otherwise, such as ``cifar10-valid``.

    Raises:
        ChoiceError: If the benchmark, or a table of this data set, does not exist.

    Example:
        >>> round(load_benchmark("nb201", dataset="cifar10-valid").accuracy(6111, split="valid", epochs=200), 2)
        91.61
    """
    check_known("benchmark", name, DESCRIPTIONS)
    from ntknas.benchmarks import nb201_embedded

    tables = nb201_embedded.load_tables()
    if dataset is not None:
        held = list(dict.fromkeys(target.dataset for target in tables))
        if dataset not in held:
            raise ChoiceError(f"{name} holds no accuracies on {dataset!r}: it holds those on {', '.join(held)}.")
    return Benchmark(name, tables, dataset)
