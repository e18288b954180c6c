"""HW-NAS-Bench's latencies and energies of NAS-Bench-201's networks, a CSV file for each data set."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ntknas.benchmarks.cell_columns import cells_of
from ntknas.benchmarks.formats.cell_table import check_complete, csv_header, numbers_by_cell, read_rows
from ntknas.benchmarks.formats.collection import Collection
from ntknas.benchmarks.formats.tuples import NET, check_tuples
from ntknas.benchmarks.quantity import Quantity
from ntknas.benchmarks.source import Start
from ntknas.benchmarks.table import Target
from ntknas.core.errors import DataError
from ntknas.spaces import Space

_EDGE_TPU = "edgetpu_latency"
_NOT_MEASURED = -1.0
_MODEL = "eyeriss_latency"
_LATENCIES = {"cifar10": 1.67954, "cifar100": 1.68256, "ImageNet16-120": 0.42304}
"""What the model of Eyeriss says of a network without convolutions and poolings, which tells the data sets apart."""
_ERROR = 5e-6
_DECIMALS = 10  # of the models, whose further ones are noise; nine would round energies that end in …5 both ways


def _latency(device: str, decimals: int | None = None, missing: str = "") -> Quantity:
    return Quantity("latency", "ms", higher_is_better=False, measured_on=device, decimals=decimals, missing=missing)


def _energy(device: str, decimals: int | None = None) -> Quantity:
    return Quantity("energy", "mJ", higher_is_better=False, measured_on=device, decimals=decimals)


_TX2, _EYERISS, _FPGA = "Jetson TX2", "Eyeriss, estimated by a model", "FPGA, estimated by a model"
QUANTITIES = {
    "edgegpu_latency": _latency(_TX2),
    "edgegpu_energy": _energy(_TX2),
    "raspi4_latency": _latency("Raspberry Pi 4"),
    _EDGE_TPU: _latency("Edge TPU", missing=f"{_NOT_MEASURED:g}"),
    "pixel3_latency": _latency("Pixel 3"),
    _MODEL: _latency(_EYERISS, _DECIMALS),
    "eyeriss_energy": _energy(_EYERISS, _DECIMALS),
    "eyeriss_arithmetic_intensity": Quantity("arithmetic intensity", "", measured_on=_EYERISS, decimals=_DECIMALS),
    "fpga_latency": _latency(_FPGA, _DECIMALS),
    "fpga_energy": _energy(_FPGA, _DECIMALS),
}
"""By column."""


def recognises(path: Path) -> bool:
    """Return whether a file has a column of tuples, and columns of a GPU and of the model of Eyeriss."""
    return {NET, "edgegpu_latency", _MODEL} <= {*csv_header(path)}


def read(path: Path, space: Space, start: Start) -> Collection:
    """Read a file of one data set; which one it is, the model of Eyeriss says, and the file's name may not deny it.

    Args:
        path: The file.
        space: The space ``nb201``.
        start: Shows progress, in columns.

    Returns:
        Its targets.

    Raises:
        DataError: If it is not such a file, lacks a cell, or is of another data set than its name says; without the
            path.
    """
    advance = start(len(QUANTITIES), "columns")
    table = read_rows(path, len(space), [NET, *QUANTITIES])
    check_tuples(table)
    cells = cells_of(table, [NET], space)
    check_complete(cells, range(len(space)))
    columns = numbers_by_cell(table, cells, list(QUANTITIES), len(space), {_EDGE_TPU: _NOT_MEASURED})
    dataset = _dataset(columns[_MODEL], path)
    collection = Collection("hw-nas-bench", space.name, len(space), seeds_are_numbers=True)
    for name, values in columns.items():
        if np.nanmin(values) < 0:
            raise DataError(f"column {name!r} has a negative value, {np.nanmin(values):g}")
        collection.add_target(Target(dataset, name, None), values, QUANTITIES[name])
        advance(1)
    return collection


def _dataset(latencies: np.ndarray, path: Path) -> str:
    smallest = latencies.min()
    dataset = next((name for name, known in _LATENCIES.items() if abs(smallest - known) < _ERROR), None)
    if dataset is None:
        raise DataError(
            f"it is of no data set of HW-NAS-Bench: the smallest {_MODEL} is {smallest:g}, expected "
            + ", ".join(f"{known:g} ({name})" for name, known in _LATENCIES.items())
        )
    named = [name for name in _LATENCIES if path.name.split(".")[0].endswith(f"_{name}")]
    if named and named != [dataset]:
        raise DataError(f"its name says {named[0]}, and its {_MODEL} is that of {dataset}")
    return dataset
