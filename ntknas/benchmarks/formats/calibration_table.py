"""CalibrationBenchmark's ``*_tss.csv``: calibration errors of NAS-Bench-201's networks, joined on their index."""

from __future__ import annotations

import re
from pathlib import Path

from ntknas.benchmarks.cell_columns import cells_of
from ntknas.benchmarks.formats.cell_table import csv_header, numbers_by_cell, read_rows
from ntknas.benchmarks.formats.collection import Collection
from ntknas.benchmarks.formats.fraction_table import attack_columns, corruption_columns
from ntknas.benchmarks.formats.networks import isomorphic, shared_where_equal
from ntknas.benchmarks.quantity import Quantity
from ntknas.benchmarks.source import Start
from ntknas.benchmarks.table import Target
from ntknas.core.errors import DataError
from ntknas.core.quoting import quoted
from ntknas.spaces import Space

INDEX, STRING, ACCURACY = "config", "arch", "acc"
DATASETS = {"cifar10_tss": "cifar10", "cifar100_tss": "cifar100", "ImageNet_tss": "ImageNet16-120"}
"""By the names of the files: nothing in them says so."""
_OTHER = "_sss"
_MISSING_ROWS = 1  # the published files are said to have 15,624
_ERROR = re.compile(r"(pre|post)_(?P<kind>[A-Za-z]+)")
_WHEN = {"pre": "outputs before temperature scaling", "post": "outputs after temperature scaling"}
_ERRORS = {"NLL": "negative log-likelihood", "Brier": "Brier score"}
_AREA = "auc_"


def recognises(path: Path) -> bool:
    """Return whether a file has columns of indices, architecture strings and accuracies, and of calibration errors."""
    names = csv_header(path)
    return {INDEX, STRING, ACCURACY} <= {*names} and any(_ERROR.match(name) for name in names)


def read(path: Path, space: Space, start: Start) -> Collection:
    """Read a file of one data set, which its name says.

    Args:
        path: The file.
        space: The space ``nb201``.
        start: Shows progress, in columns.

    Returns:
        Its targets; isomorphic cells share a measurement where all of them have one value.

    Raises:
        DataError: If it is not such a file, lacks more than one cell, or has a column whose direction is not known;
            without the path.
    """
    dataset = _dataset(path)
    quantities = {name: quantity_of(name) for name in csv_header(path) if name not in (INDEX, STRING, "")}
    advance = start(len(quantities), "columns")
    table = read_rows(path, len(space), [INDEX, STRING, *quantities])
    cells = cells_of(table, [INDEX, STRING], space)
    if len(cells) < len(space) - _MISSING_ROWS:
        raise DataError(f"it has rows of {len(cells):,} cells, expected {len(space) - _MISSING_ROWS:,} or all")
    shared = isomorphic(space)
    collection = Collection("calibration", space.name, len(space), seeds_are_numbers=True)
    for name, values in numbers_by_cell(table, cells, list(quantities), len(space)).items():
        measurements = shared_where_equal(values, shared)
        collection.add_target(Target(dataset, name, None), values, quantities[name], measurements)
        advance(1)
    return collection


def quantity_of(name: str) -> Quantity:
    """Return what a column holds.

    Raises:
        DataError: If its direction is not known.
    """
    error = _ERROR.match(name)
    if error is not None:
        what = _ERRORS.get(error["kind"], "calibration error")
        return Quantity(what, "", higher_is_better=False, measured_on=_WHEN[error[1]])
    if name.startswith(_AREA):
        return Quantity("area under the curve", "", measured_on=name.removeprefix(_AREA))
    under = {**attack_columns(), **corruption_columns()}
    if name == ACCURACY or name in under:
        return Quantity("accuracy", "", measured_on=under.get(name, ""))
    raise DataError(
        f"nothing says whether higher is better in column {quoted(name)}; import it as a table of your own, with "
        f"`name`, `space` and `cell_column` {INDEX}"
    )


def _dataset(path: Path) -> str:
    name = path.name.split(".")[0]
    if name.endswith(_OTHER):
        raise DataError("it is of NATS-Bench's size space, and these are the cells of nb201")
    if name not in DATASETS:
        raise DataError(f"its name says not of which data set it is: expected {', '.join(DATASETS)}, and .csv")
    return DATASETS[name]
