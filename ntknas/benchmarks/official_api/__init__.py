"""Objects of the benchmarks' official packages, taken as they are: none of these packages is imported here."""

from __future__ import annotations

from ntknas.benchmarks import get_source
from ntknas.benchmarks.formats.collection import Collection
from ntknas.benchmarks.official_api.collected import costs_of, tables_of
from ntknas.benchmarks.official_api.kinds import EXPECTED, Kind, kind_of, name_of
from ntknas.benchmarks.table import Benchmark
from ntknas.core.errors import ChoiceError, DataError
from ntknas.spaces import Space, load_space

__all__ = ["benchmark_of"]


def benchmark_of(api: object, name: str | None = None, dataset: str | None = None) -> Benchmark:
    """Return the benchmark that an object of an official package holds, as the import of its file would make it.

    Args:
        api: The object; it is read, and neither called in what counts or draws nor changed.
        name: The benchmark that it must be of; whichever it is without one.
        dataset: The data set that ``accuracy`` speaks of unless told otherwise.

    Returns:
        The benchmark; cells that the object lacks have no runs.

    Raises:
        ChoiceError: If it is no such object, or of another benchmark.
        DataError: If it holds nothing, or not what it should.
    """
    kind = kind_of(api)
    if name not in (None, kind.benchmark):
        raise ChoiceError(
            f"{name} was asked for, and `api` is an object of {kind.benchmark}: give `api` alone, or one of {name}."
        )
    source = get_source(kind.benchmark)
    collection = _read(api, kind, load_space(source.space))
    tables, origin = tables_of(collection), _origin(api, collection)
    return Benchmark(source.name, tables, dataset, source.space, origin, costs_of(collection))


def _read(api: object, kind: Kind, space: Space) -> Collection:
    try:
        return kind.read(api, space)
    except DataError as error:
        advice = f"Expected {EXPECTED}, with its data."
        raise DataError(f"The object of {name_of(type(api))} was not taken: {error}. {advice}") from error
    except OSError as error:
        raise DataError(f"Cannot read {error.filename}: {error.strerror or error}.") from error


def _origin(api: object, collection: Collection) -> str:
    """Say where the accuracies come from, and of how many cells there are any."""
    file = getattr(api, "filename", None)
    read = f", read from {file}" if isinstance(file, str) else ""
    counted = f"{collection.cells_with_runs:,} of {collection.cells:,} cells"
    return f"an object of {name_of(type(api))}{read}, {counted}"
