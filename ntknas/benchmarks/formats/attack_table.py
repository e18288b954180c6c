"""``robustness_targets.csv``: accuracies of NAS-Bench-201's networks under attack."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ntknas.benchmarks.cell_columns import cells_of
from ntknas.benchmarks.formats.cell_table import check_complete, check_shared, csv_header, numbers_by_cell, read_rows
from ntknas.benchmarks.formats.collection import Collection
from ntknas.benchmarks.formats.tuples import NET, check_tuples
from ntknas.benchmarks.quantity import Quantity
from ntknas.benchmarks.source import Start
from ntknas.benchmarks.table import Target
from ntknas.core.errors import DataError
from ntknas.spaces import Space
from ntknas.spaces.contract import Classified

CLEAN = "val_accs"
NORM = "@Linf_eps-"
_FEW, _MANY = (0.1, 0.5, 1.0, 2.0, 3.0, 4.0, 8.0), (0.1, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 255.0)
ATTACKS = {
    "fgsm": ("FGSM", _MANY),
    "pgd": ("PGD", _FEW),
    "aa_apgd-ce": ("AutoAttack's APGD-CE", _FEW),
    "aa_square": ("AutoAttack's Square", _FEW),
}
"""By the name in the file: what the attack is called, and its largest changes of a pixel in 255ths."""
_DECIMALS = 1


def attack_columns() -> dict[str, str]:
    """Return what each column of attacked accuracies was measured on."""
    return {
        f"{name}{NORM}{size}": f"images under {attack}, max-norm at most {size:g}/255"
        for name, (attack, sizes) in ATTACKS.items()
        for size in sizes
    }


def recognises(path: Path) -> bool:
    """Return whether a file has a column of tuples, one of clean accuracies and one of attacked ones."""
    header = csv_header(path)
    return {NET, CLEAN} <= {*header} and any(NORM in name for name in header)


def read(path: Path, space: Space, start: Start) -> Collection:
    """Read a file.

    Args:
        path: The file.
        space: The space ``nb201``.
        start: Shows progress, in columns.

    Returns:
        Its targets.

    Raises:
        DataError: If it is not such a file, lacks a cell, or has several values of one network; without the path.
    """
    attacks = attack_columns()
    names = [CLEAN, *attacks]
    advance = start(len(names), "columns")
    table = read_rows(path, len(space), [NET, *names])
    check_tuples(table)
    cells = cells_of(table, [NET], space)
    check_complete(cells, range(len(space)))
    columns = numbers_by_cell(table, cells, names, len(space))
    shared = _networks(space)
    collection = Collection("robustness-nb201", space.name, len(space), seeds_are_numbers=True)
    for name, values in columns.items():
        quantity = Quantity(measured_on=attacks[name], decimals=_DECIMALS) if name in attacks else None
        _check_percentages(values, name)
        if quantity is not None:
            check_shared(np.round(values, _DECIMALS), shared, name)
        collection.add_target(Target("cifar10", name, None), values, quantity, None if quantity is None else shared)
        advance(1)
    return collection


def _networks(space: Space) -> np.ndarray:
    """Return the networks that were attacked, by cell: one of each class of the published isomorphism rule."""
    if not isinstance(space, Classified):
        raise DataError(f"the space {space.name} does not say which cells are isomorphic")
    return np.array([space.isomorphism_representative(cell) for cell in space])


def _check_percentages(values: np.ndarray, name: str) -> None:
    if values.min() < 0 or values.max() > 100:
        raise DataError(
            f"column {name!r} is no percentage: its values lie from {values.min():g} to {values.max():g}, expected "
            "0 to 100"
        )
