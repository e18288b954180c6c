"""Trained accuracies: benchmarks by name, and a user's own figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ntknas.benchmarks.own_tables import own_names, own_source
from ntknas.benchmarks.source import BenchmarkSource, Embedded, OfficialFormat
from ntknas.benchmarks.table import EMBEDDED, AccuracyTable, Benchmark, Costs, Target
from ntknas.core.errors import ChoiceError, DataError, check_known
from ntknas.core.lazy import importer_of
from ntknas.core.registry import MisfitError, Registry

if TYPE_CHECKING:
    from ntknas.benchmarks.benchmark_scores import scores_of
    from ntknas.benchmarks.own_import import OwnTable, import_own
    from ntknas.benchmarks.score_file import read_scores
    from ntknas.benchmarks.user_file import read_accuracies

__all__ = [
    "FOLDER",
    "AccuracyTable",
    "Benchmark",
    "BenchmarkSource",
    "Costs",
    "Embedded",
    "OfficialFormat",
    "OwnTable",
    "Target",
    "all_sources",
    "benchmark_names",
    "get_source",
    "has_accuracies",
    "import_own",
    "load_benchmark",
    "read_accuracies",
    "read_scores",
    "scores_of",
    "space_of",
    "table_path",
]
__getattr__ = importer_of(  # all need pandas
    {
        "OwnTable": "ntknas.benchmarks.own_import",
        "import_own": "ntknas.benchmarks.own_import",
        "read_accuracies": "ntknas.benchmarks.user_file",
        "read_scores": "ntknas.benchmarks.score_file",
        "scores_of": "ntknas.benchmarks.benchmark_scores",
    }
)

FOLDER = Path("bench_data")
"""Where imported tables are looked for unless told otherwise."""
ENTRY_POINT_GROUP = "ntknas.benchmarks"


def _accept(candidate: object) -> BenchmarkSource:
    if not isinstance(candidate, BenchmarkSource):
        raise MisfitError(f"what it names is no BenchmarkSource but a {type(candidate).__name__}")
    return candidate


_REGISTRY = Registry("benchmark", "ntknas.benchmarks.official", "BENCHMARK", ENTRY_POINT_GROUP, _accept)


def benchmark_names(folder: Path | str | None = None) -> list[str]:
    """Return the names of all benchmarks, third parties' included, and of one's own tables in a folder."""
    declared = _REGISTRY.names()
    return sorted([*declared, *([] if folder is None else own_names(Path(folder), set(declared)))])


def get_source(name: str, folder: Path | str | None = FOLDER) -> BenchmarkSource:
    """Return what a benchmark declares, or a table of one's own is of.

    Args:
        name: Its name.
        folder: Where imported tables are; ``None`` for declared benchmarks alone.

    Returns:
        The benchmark.

    Raises:
        ChoiceError: If there is none of this name, or it is one of a package that is at fault.
        DataError: If it is a table of one's own, and damaged.
    """
    if name in _REGISTRY.names():
        return _REGISTRY.get(name)
    check_known("benchmark", name, benchmark_names(folder))
    return own_source(name, Path(folder or FOLDER))


def all_sources(folder: Path | str | None = None) -> dict[str, BenchmarkSource]:
    """Return what all benchmarks declare, and one's own tables in a folder; packages at fault are left out by name."""
    declared = _REGISTRY.all()
    own = [] if folder is None else own_names(Path(folder), set(_REGISTRY.names()))
    return dict(sorted({**declared, **{name: own_source(name, Path(folder or FOLDER)) for name in own}}.items()))


def space_of(name: str, folder: Path | str | None = FOLDER) -> str:
    """Return the name of a benchmark's space; a name that is no benchmark's is a space's own.

    Args:
        name: The name.
        folder: Where imported tables are.

    Returns:
        The name of the space.

    Raises:
        ChoiceError: If it is a benchmark of a package that is at fault.
        DataError: If it is a table of one's own, and damaged.
    """
    return get_source(name, folder).space if name in benchmark_names(folder) else name


def table_path(name: str, folder: Path | str = FOLDER) -> Path:
    """Return where a benchmark's imported table is kept."""
    return Path(folder) / f"{name}.h5"


def has_accuracies(name: str, folder: Path | str = FOLDER) -> bool:
    """Return whether a benchmark can be loaded: something of it is embedded, or its table has been imported."""
    return get_source(name, folder).embedded is not None or table_path(name, folder).exists()


def load_benchmark(
    name: str | None = None,
    dataset: str | None = None,
    folder: Path | str | None = FOLDER,
    *,
    api: object | None = None,
) -> Benchmark:
    """Return a benchmark: the imported table if there is one, else what is embedded; or what an official object holds.

    Args:
        name: ``nb101``, ``nb201``, ``nats-tss``, ``nats-sss``, or a name that an installed package registers under the
            entry-point group ``ntknas.benchmarks``; or that of a table of one's own in the folder.
        dataset: The data set that ``accuracy`` speaks of unless told otherwise, such as ``cifar100``; ``cifar10``
            stands for the table ``cifar10-valid`` too, where there is one.
        folder: Where imported tables are; ``None`` for the embedded one alone.
        api: In place of a name, an object of the official packages that is loaded anyway: a ``NASBench201API``, a
            ``NATStopology`` or ``NATSsize`` of ``nats_bench.create``, or a ``nasbench.api.NASBench``.

    Returns:
        The benchmark.

    Raises:
        ChoiceError: If the benchmark, or a table of this data set, does not exist, or ``api`` is no such object.
        DataError: If it has to be imported first, its table is damaged, or the object holds nothing.

    Example:
        >>> benchmark = load_benchmark("nb201", dataset="cifar10", folder=None)
        >>> round(benchmark.accuracy(6111, split="valid", epochs=200), 2)
        91.61
    """
    if api is not None:
        from ntknas.benchmarks.official_api import benchmark_of

        benchmark = benchmark_of(api, name, dataset)
    elif name is None:
        raise ChoiceError("Name a benchmark, or give an object of its official package as `api`.")
    else:
        benchmark = _load(get_source(name, folder), dataset, None if folder is None else Path(folder))
    if dataset is not None and not benchmark.targets(dataset):
        held = dict.fromkeys(target.dataset for target in benchmark.tables)
        raise ChoiceError(
            f"{benchmark.name} holds no {benchmark.kind_of_values} on {dataset!r}: it holds those on {', '.join(held)}."
        )
    return benchmark


def _load(source: BenchmarkSource, dataset: str | None, folder: Path | None) -> Benchmark:
    if folder is not None and table_path(source.name, folder).exists():
        from ntknas.benchmarks.table_file import TableFile

        file = TableFile(table_path(source.name, folder), source.name)
        origin = f"{file.path}, imported from {file.attributes['source']}"
        return Benchmark(
            source.name, file.tables, dataset, source.space, origin, file.costs if file.has_costs else None
        )
    if source.embedded is not None:
        return Benchmark(
            source.name,
            source.embedded.tables(),
            dataset,
            source.space,
            EMBEDDED,
            can_be_imported=source.official is not None,
        )
    if source.official is None:
        raise DataError(f"{source.name} has neither an official file nor embedded tables.")
    raise DataError(
        f"{source.name} is not there yet: expected {table_path(source.name, folder or FOLDER)}. Get "
        f"{source.official.text} and run ntknas bench import on it, or give your own `accuracies`."
    )
