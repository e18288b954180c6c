"""NAS-Bench-Suite-Zero's scores of NAS-Bench-201's networks, a CSV file for each data set."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ntknas.benchmarks.cell_columns import cells_of
from ntknas.benchmarks.formats.cell_table import check_complete, csv_header, numbers_by_cell, read_rows
from ntknas.benchmarks.formats.collection import Collection
from ntknas.benchmarks.formats.networks import classified
from ntknas.benchmarks.formats.tuples import NET, check_tuples
from ntknas.benchmarks.quantity import Quantity
from ntknas.benchmarks.source import Start
from ntknas.benchmarks.table import Target
from ntknas.core.errors import DataError
from ntknas.spaces import Space

_STRING = "net_str"
FAILED = -1e8
_PARAMETERS, _FLOPS = "params", "flops"
PROXIES = (
    *("epe_nas", "fisher", "grad_norm", "grasp", "jacov", "l2_norm", "nwot", "plain", "snip", "synflow", "zen"),
    _FLOPS,
    _PARAMETERS,
)
_SMALLEST = {"cifar10": 0.073306, "ImageNet16-120": 0.080456}
"""Millions of parameters of a network without convolutions, whose classifier tells the data sets apart."""
_ERROR = 1e-9
_DECIMALS = 6  # of millions: parameters and operations are whole
_SCORE = Quantity("score", "", is_score=True)
_FAILING = Quantity("score", "", missing=f"{FAILED:g}", is_score=True)
_QUANTITIES = {
    **dict.fromkeys(("epe_nas", "jacov", "nwot", "zen"), _FAILING),
    _PARAMETERS: Quantity("parameters", "million", decimals=_DECIMALS, is_score=True),
    _FLOPS: Quantity("FLOPs", "million", measured_on="batch norm and pooling too", decimals=_DECIMALS, is_score=True),
}


def recognises(path: Path) -> bool:
    """Return whether a file has a column of tuples, and some proxies."""
    return {NET, "epe_nas", "jacov", "synflow"} <= {*csv_header(path)}


def read(path: Path, space: Space, start: Start) -> Collection:
    """Read a file of one data set; which one it is, the parameters say, and the file's name may not deny it.

    Args:
        path: The file.
        space: The space ``nb201``.
        start: Shows progress, in columns.

    Returns:
        Its scores.

    Raises:
        DataError: If it is not such a file, lacks a cell, has others than those without a dead operation, or is of
            another data set than its name says; without the path.
    """
    advance = start(len(PROXIES), "columns")
    naming = [NET, _STRING] if _STRING in csv_header(path) else [NET]
    table = read_rows(path, len(space), [*naming, *PROXIES])
    check_tuples(table)
    cells = cells_of(table, naming, space)
    known = classified(space)
    check_complete(cells, (cell.index for cell in space if not known.has_dead_operation(cell)))
    columns = numbers_by_cell(table, cells, PROXIES, len(space), dict.fromkeys(PROXIES, FAILED))
    dataset = _dataset(columns[_PARAMETERS], path)
    collection = Collection("nb-suite-zero", space.name, len(space), seeds_are_numbers=True)
    for name, values in columns.items():
        collection.add_target(Target(dataset, name, None), values, _QUANTITIES.get(name, _SCORE))
        advance(1)
    return collection


def _dataset(parameters: np.ndarray, path: Path) -> str:
    smallest = np.nanmin(parameters)
    dataset = next((name for name, known in _SMALLEST.items() if abs(smallest - known) < _ERROR), None)
    if dataset is None:
        raise DataError(
            f"it is of no data set of these scores: the smallest of {_PARAMETERS} is {smallest:g}, expected "
            + ", ".join(f"{known:g} ({name})" for name, known in _SMALLEST.items())
        )
    named = [name for name in _SMALLEST if name in path.name]
    if named and named != [dataset]:
        raise DataError(f"its name says {named[0]}, and its {_PARAMETERS} are those of {dataset}")
    return dataset
