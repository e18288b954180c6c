"""CalibrationBenchmark's accuracies under attacks and corruptions: CSV files whose rows are in the official order."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ntknas.benchmarks.formats.attack_table import ATTACKS
from ntknas.benchmarks.formats.cell_table import check_shared, csv_header, numbers_by_cell, read_rows
from ntknas.benchmarks.formats.collection import Collection
from ntknas.benchmarks.formats.networks import isomorphic, shared_where_equal
from ntknas.benchmarks.quantity import Quantity
from ntknas.benchmarks.source import Start
from ntknas.benchmarks.table import Target
from ntknas.core.errors import DataError
from ntknas.spaces import Space

CLEAN = "clean_acc"
CORRUPTIONS = (
    *("brightness", "contrast", "defocus_blur", "elastic_transform", "fog", "frost", "gaussian_noise", "glass_blur"),
    *("impulse_noise", "jpeg_compression", "motion_blur", "pixelate", "shot_noise", "snow", "zoom_blur"),
)
"""Of CIFAR-10-C and CIFAR-100-C."""
_CHANCE = {"cifar10": 0.1, "cifar100": 0.01, "ImageNet16-120": 0.008}
"""Accuracy of disconnected cells, which tells the data sets apart."""
_NAMES = {
    "attack_acc": "cifar10",
    "attack_acc_cifar100": "cifar100",
    "attack_acc_imagenet": "ImageNet16-120",
    "corruption_acc": "cifar10",
    "corruption_acc_cifar100": "cifar100",
}
"""Data sets by the names of the files."""
DECIMALS = 3


def attack_columns() -> dict[str, str]:
    """Return what each column of attacked accuracies was measured on."""
    return {
        f"{name}_Linf_acc{str(size).replace('.', '_')}": f"images under {attack}, max-norm at most {size:g}/255"
        for name, (attack, sizes) in ATTACKS.items()
        for size in sizes
    }


def corruption_columns() -> dict[str, str]:
    """Return what each column of corrupted accuracies was measured on."""
    return {name: f"images under {name.replace('_', ' ')}" for name in CORRUPTIONS}


def recognises(path: Path) -> bool:
    """Return whether a file has columns of attacked accuracies, or of corrupted ones, and none that names cells."""
    names = {*csv_header(path)}
    return not names & {"arch", "config", "net"} and (
        {CLEAN, "fgsm_Linf_acc0_1"} <= names or {"brightness", "zoom_blur"} <= names
    )


def read(path: Path, space: Space, start: Start) -> Collection:
    """Read a file of one data set; which one, the disconnected cells say, and the file's name may not deny it.

    Args:
        path: The file: as many rows as the space has cells, in official order.
        space: The space ``nb201``.
        start: Shows progress, in columns.

    Returns:
        Its targets, fractions; isomorphic cells share a measurement.

    Raises:
        DataError: If it is not such a file, has another number of rows, several values of one network, or is of another
            data set than its name says; without the path.
    """
    kinds = attack_columns() if CLEAN in csv_header(path) else corruption_columns()
    names = [CLEAN, *kinds] if CLEAN in csv_header(path) else list(kinds)
    advance = start(len(names), "columns")
    table = read_rows(path, len(space), names)
    if len(table.row_names) != len(space):
        raise DataError(
            f"it has {len(table.row_names):,} rows, and nothing in it names their cells: expected the {len(space):,} "
            "cells in official order"
        )
    columns = numbers_by_cell(table, range(len(space)), names, len(space))
    dataset = _dataset(columns[names[0]], space, path)
    shared = isomorphic(space)
    collection = Collection("calibration", space.name, len(space), seeds_are_numbers=True)
    for name, values in columns.items():
        check_fractions(values, name)
        if name in kinds:
            check_shared(np.round(values, DECIMALS), shared, name)
        quantity = Quantity("accuracy", "", measured_on=kinds.get(name, ""), decimals=DECIMALS)
        measurements = shared if name in kinds else shared_where_equal(np.round(values, DECIMALS), shared)
        collection.add_target(Target(dataset, name, None), values, quantity, measurements)
        advance(1)
    return collection


def check_fractions(values: np.ndarray, name: str) -> None:
    """Check that accuracies are fractions.

    Raises:
        DataError: If they are not.
    """
    if np.nanmin(values) < 0 or np.nanmax(values) > 1:
        raise DataError(
            f"column {name!r} is no fraction: its values lie from {np.nanmin(values):g} to {np.nanmax(values):g}, "
            "expected 0 to 1"
        )


def _dataset(values: np.ndarray, space: Space, path: Path) -> str:
    """Return the data set: that of the accuracy that all disconnected cells have, which is chance."""
    held = sorted({round(float(values[cell.index]), DECIMALS) for cell in space if space.is_disconnected(cell)})
    dataset = next((name for name, chance in _CHANCE.items() if held == [chance]), None)
    if dataset is None:
        raise DataError(
            f"its disconnected cells have {', '.join(f'{value:g}' for value in held[:3])}, expected one of "
            f"{', '.join(f'{chance:g} ({name})' for name, chance in _CHANCE.items())}: its rows are not in official "
            "order, or it is another file"
        )
    named = _NAMES.get(path.name.split(".")[0], dataset)
    if named != dataset:
        raise DataError(f"its name says {named}, and its disconnected cells are those of {dataset}")
    return dataset
