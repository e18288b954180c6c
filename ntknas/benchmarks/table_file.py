"""The compact table that official files are imported into: one HDF5 file that finds every changed byte.

Layout: a group ``runs/<data set>/<epochs>`` (``none`` where there is no budget) with the attribute ``seeds`` and
cells × seeds arrays ``present`` (bool), ``seconds`` and one of values for each split or other quantity, NaN where there
is none; ``quantities/<data set>/<epochs>/<split>`` for what is no plain accuracy, with the attributes of ``Quantity``
and by cell the number of its measurement, where cells share one; ``costs/<data set>`` with ``parameters`` and ``flops``
by cell. The first 512 bytes name the format and hold the SHA-256 of the rest, which is checked whenever the file is
opened; nothing is read but plain arrays that lie in the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np

from ntknas import __version__
from ntknas.benchmarks.formats.collection import Collection
from ntknas.benchmarks.quantity import ACCURACY, Quantity
from ntknas.benchmarks.table import AccuracyTable, Costs, Target
from ntknas.core.display import printable
from ntknas.core.errors import ChoiceError, DataError
from ntknas.core.files import remove_stale, replacing
from ntknas.core.plain_hdf5 import Attribute, array, attributes, group, integer, names
from ntknas.core.sealed_file import HEAD, DamagedFileError, SealVersionError, UnsealedFileError, check, head_of

FORMAT = 2
"""Format 1 had no quantities and is still read."""
SUFFIX = ".h5"
NO_BUDGET = "none"
_MAGICS = {number: f"ntknas benchmark table {number}\nsha256 ".encode() for number in (1, FORMAT)}
_ROWS_PER_BLOCK = 1 << 16
_PLAIN = ("present", "seconds")
_MEASUREMENTS = "measurements"
_MORE_NAMES = ("cells_with_runs", "runs", "source_bytes", "ntknas", "imported")
_NAMES = ("benchmark", "space", "cells", "seeds_are_numbers", "source")


def write(path: Path, collection: Collection, source: str, source_bytes: int) -> None:
    """Write a table, whole or not at all.

    Args:
        path: Where it goes; a file that is there is replaced.
        collection: Its content.
        source: Name of the official file.
        source_bytes: Size of the official file.

    Raises:
        DataError: If it cannot be written.
    """
    content = _image(collection, source, source_bytes)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_stale(path)
        with replacing(path) as beside, beside.open("wb") as file:
            file.write(head_of(content, _MAGICS[FORMAT]))
            file.write(content)
            file.flush()
    except OSError as error:
        raise DataError(f"Cannot write {path}: {error.strerror or error}.") from error


def _image(collection: Collection, source: str, source_bytes: int) -> bytes:
    """Return the HDF5 file without its first bytes, made in memory: the library does not survive a full disk."""
    with h5py.File("table", "w", driver="core", backing_store=False, libver="latest", userblock_size=HEAD) as file:
        file.attrs.update(_attributes(collection, source, source_bytes))
        _write_runs(file, collection)
        _write_quantities(file, collection)
        for dataset in collection.parameters:
            group = file.create_group(f"costs/{dataset}")
            _store(group, "parameters", collection.parameters[dataset])
            _store(group, "flops", collection.flops[dataset])
        file.flush()
        return bytes(file.id.get_file_image())


def _attributes(collection: Collection, source: str, source_bytes: int) -> dict[str, str | int | bool]:
    return {
        "benchmark": collection.benchmark,
        "space": collection.space,
        "cells": collection.cells,
        "cells_with_runs": collection.cells_with_runs,
        "runs": collection.runs,
        "seeds_are_numbers": collection.seeds_are_numbers,
        "source": source,
        "source_bytes": source_bytes,
        "ntknas": __version__,
        "imported": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _write_runs(file: h5py.File, collection: Collection) -> None:
    budgets = {key[:2] for key in collection.columns}
    for dataset, epochs in sorted(budgets, key=lambda budget: (budget[0], budget[1] or 0)):
        seeds = sorted(seed for name, budget, seed in collection.columns if (name, budget) == (dataset, epochs))
        columns = [collection.columns[dataset, epochs, seed] for seed in seeds]
        group = file.create_group(f"runs/{dataset}/{_budget(epochs)}")
        group.attrs["seeds"] = seeds
        _store(group, "present", np.stack([column.present for column in columns], axis=1))
        _store(group, "seconds", np.stack([column.seconds for column in columns], axis=1))
        without = np.full(collection.cells, np.nan)
        for split in sorted({split for column in columns for split in column.accuracies}):
            values = [column.accuracies.get(split, without) for column in columns]
            _store(group, split, np.stack(values, axis=1))


def _write_quantities(file: h5py.File, collection: Collection) -> None:
    for target in dict.fromkeys([*collection.quantities, *collection.measurements]):
        group = file.create_group(_quantity_path(target))
        group.attrs.update(_as_attributes(collection.quantities.get(target, ACCURACY)))
        if target in collection.measurements:
            _store(group, _MEASUREMENTS, collection.measurements[target])


def _as_attributes(quantity: Quantity) -> dict[str, str | int | bool]:
    """Return what a quantity is; ``decimals`` is left out where there are none."""
    return {name: value for name, value in asdict(quantity).items() if value is not None}


def _budget(epochs: int | None) -> str:
    return NO_BUDGET if epochs is None else str(epochs)


def _quantity_path(target: Target) -> str:
    return f"quantities/{target.dataset}/{_budget(target.epochs)}/{target.split}"


def _store(group: h5py.Group, name: str, values: np.ndarray) -> None:
    rows = (min(len(values), _ROWS_PER_BLOCK), *values.shape[1:])
    group.create_dataset(name, data=values, chunks=rows, compression="gzip", shuffle=True, fletcher32=True)


class TableFile:
    """An imported table on disk; figures are read when they are asked for.

    Args:
        path: The file.
        benchmark: Name of the benchmark that it must be of.

    Raises:
        DataError: If it is not such a file, of another benchmark, or damaged.
    """

    def __init__(self, path: Path, benchmark: str):
        self.path = path
        self.verify()  # before HDF5 opens it, which a changed byte can send into an endless loop
        with self._open() as opened:
            self.attributes = attributes(opened, (*_NAMES, *(name for name in _MORE_NAMES if name in opened.attrs)))
            self._targets = _targets(opened)
            self._costed = names(group(opened, "costs")) if "costs" in opened else []
            _check_attributes(self.attributes)
            self._cells = integer(opened, "cells")
        if self.attributes["benchmark"] != benchmark:
            raise DataError(
                f"{path} is the table of {printable(self.attributes['benchmark'])}, and {benchmark} was asked for: "
                "give it back its name, or import the official file."
            )

    @contextmanager
    def _open(self) -> Iterator[h5py.File]:
        try:
            with h5py.File(self.path, "r", locking=False) as file:
                yield file
        except (OSError, LookupError, RuntimeError, ValueError, TypeError, AttributeError, MemoryError) as error:
            reason = printable(error.args[0] if error.args else error)
            raise DataError(
                f"{self.path} is damaged ({reason}): nothing of it was used. Import the official file again with "
                "ntknas bench import, and `replace`."
            ) from error

    def verify(self) -> None:
        """Compare the file with its checksum.

        Raises:
            DataError: If a byte has changed.
        """
        try:
            try:
                check(self.path, _MAGICS[FORMAT])
            except SealVersionError:
                check(self.path, _MAGICS[1])
        except UnsealedFileError as error:
            raise DataError(
                f"{self.path} is not a table of ntknas: {error}. Import the official file again."
            ) from error
        except SealVersionError as error:
            raise DataError(
                f"{self.path} is not a table of ntknas {__version__}: {error}. Use the version that wrote it, or "
                "import the official file again."
            ) from error
        except DamagedFileError as error:
            raise DataError(self._changed(error)) from error
        except OSError as error:
            raise DataError(f"Cannot read {self.path}: {error.strerror or error}.") from error

    def _changed(self, error: DamagedFileError) -> str:
        advice = "Import the official file again with ntknas bench import, and `replace`."
        if "neither" in str(error):
            return f"{self.path} is not a table of ntknas {__version__}, or its beginning is damaged. {advice}"
        return f"{self.path} is damaged (it has changed since it was written: its checksum is wrong). {advice}"

    @property
    def tables(self) -> Mapping[Target, AccuracyTable]:
        """The table of each target, read when it is asked for."""
        return _Tables(self)

    def read(self, target: Target) -> AccuracyTable:
        """Read the table of a target."""
        with self._open() as file:
            runs = group(file, f"runs/{target.dataset}/{_budget(target.epochs)}")
            seeds = tuple(self._targets[target])
            quantity, measurements = self._quantity(file, target)
            return AccuracyTable(
                self._array(runs, target.split, len(seeds)),
                seeds,
                seconds=None if target.epochs is None else self._array(runs, "seconds", len(seeds)),
                seeds_are_numbers=bool(self.attributes["seeds_are_numbers"]),
                quantity=quantity,
                measurements=measurements,
            )

    def _quantity(self, file: h5py.File, target: Target) -> tuple[Quantity, np.ndarray | None]:
        """Read what a target's values are, and which cells share a measurement."""
        try:
            described = group(file, _quantity_path(target))
        except KeyError:
            return ACCURACY, None
        shares = _MEASUREMENTS in names(described)
        return _quantity_of(described), array(described, _MEASUREMENTS, "<i8", (self._cells,)) if shares else None

    def collection(self) -> Collection:
        """Read what has no epoch budget, to be written again with more."""
        held = Collection(
            str(self.attributes["benchmark"]),
            str(self.attributes["space"]),
            self._cells,
            bool(self.attributes["seeds_are_numbers"]),
        )
        for target in (target for target in self._targets if target.epochs is None):
            table = self.read(target)
            held.add_target(target, table.runs, table.quantity, table.measurements)
        return held

    def _array(self, parent: h5py.Group, name: str, *columns: int) -> np.ndarray:
        """Read an array of numbers whose shape is that of the space, none of them infinite."""
        values = array(parent, name, "<f8", (self._cells, *columns))
        if np.isinf(values).any():
            raise ValueError(f"{name} holds an infinite number")
        return values

    @property
    def has_costs(self) -> bool:
        """Whether it has parameters and FLOPs."""
        return bool(self._costed)

    def costs(self, dataset: str) -> Costs:
        """Read what all cells' networks for a data set cost.

        Args:
            dataset: The data set.

        Returns:
            Parameters and FLOPs.

        Raises:
            ChoiceError: If there are none.
        """
        if dataset not in self._costed:
            raise ChoiceError(f"{self.path} has no parameters and FLOPs on {dataset}: ask the space.")
        with self._open() as file:
            costs = group(file, f"costs/{dataset}")
            return Costs(self._array(costs, "parameters"), self._array(costs, "flops"))


def _targets(file: h5py.File) -> dict[Target, list[int]]:
    """Return the seeds of every target; names and numbers are checked."""
    targets: dict[Target, list[int]] = {}
    runs = group(file, "runs")
    for dataset in names(runs):
        budgets = group(runs, dataset)
        for epochs in names(budgets):
            if not (epochs.isascii() and epochs.isdigit()) and epochs != NO_BUDGET:  # isdigit alone takes "²"
                raise ValueError(f"{epochs!r} is no number of epochs")
            number = None if epochs == NO_BUDGET else int(epochs)
            budget = group(budgets, epochs)
            seeds = attributes(budget, ("seeds",))["seeds"]
            integers = [seed for seed in seeds if type(seed) is int] if isinstance(seeds, list) else []
            if not integers or integers != seeds:
                raise ValueError("seeds are no list of integers")
            targets |= {Target(dataset, split, number): integers for split in names(budget) if split not in _PLAIN}
    return targets


def _quantity_of(described: h5py.Group) -> Quantity:
    """Return the quantity that a group's attributes describe; each must be of its kind."""
    kinds = {field.name: type(getattr(ACCURACY, field.name)) for field in fields(Quantity)} | {"decimals": int}
    held = attributes(described, [name for name in kinds if name in described.attrs])
    for name, value in held.items():
        if type(value) is not kinds[name]:
            raise ValueError(f"the attribute {name} is {value!r}, expected {kinds[name].__name__}")
    return Quantity(**held)  # type: ignore[arg-type]  # each was held against its kind


def _check_attributes(attributes: Mapping[str, Attribute]) -> None:
    kinds = {"benchmark": str, "space": str, "source": str, "cells": int, "seeds_are_numbers": bool}
    for name, kind in kinds.items():
        if type(attributes[name]) is not kind:
            raise ValueError(f"the attribute {name} is {attributes[name]!r}, expected {kind.__name__}")
    cells = attributes["cells"]
    if not isinstance(cells, int) or cells < 1:
        raise ValueError(f"it has {cells} cells")


class _Tables(Mapping[Target, AccuracyTable]):
    def __init__(self, file: TableFile):
        self._file = file
        self._read: dict[Target, AccuracyTable] = {}

    def __getitem__(self, target: Target) -> AccuracyTable:
        if target not in self._file._targets:
            raise KeyError(target)
        if target not in self._read:
            self._read[target] = self._file.read(target)
        return self._read[target]

    def __iter__(self) -> Iterator[Target]:
        return iter(self._file._targets)

    def __len__(self) -> int:
        return len(self._file._targets)
