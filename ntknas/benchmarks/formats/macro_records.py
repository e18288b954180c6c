"""``nas-bench-macro_cifar10.json``: three trainings of every network of NAS-Bench-Macro, and what it costs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ntknas.benchmarks.formats.cell_table import check_complete, check_shared, check_tells_apart
from ntknas.benchmarks.formats.collection import Collection
from ntknas.benchmarks.formats.json_file import beginning, read_json
from ntknas.benchmarks.quantity import Quantity
from ntknas.benchmarks.source import Start
from ntknas.benchmarks.table import Target
from ntknas.core.errors import ChoiceError, DataError
from ntknas.core.quoting import quoted
from ntknas.spaces import Space
from ntknas.spaces.contract import Classified

DATASET = "cifar10"
_RUNS, _MEAN, _DEVIATION, _PARAMETERS, _FLOPS = "test_acc", "mean_acc", "std", "params", "flops"
FIELDS = (_RUNS, _MEAN, _DEVIATION, _PARAMETERS, _FLOPS)
_COUNT = 3
_MAX_BYTES = 1 << 24  # the file has 1,178,821
_ERROR = 1e-9
_MAX_COST = 1e15
_BEGINNING = re.compile(rf'\{{"[0-9]{{8}}":\{{"({"|".join(FIELDS)})":'.encode())


def recognises(path: Path) -> bool:
    """Return whether a file begins with the record of a key of eight digits."""
    return _BEGINNING.match(beginning(path)) is not None


def read(path: Path, space: Space, start: Start) -> Collection:
    """Read the file.

    Args:
        path: The file.
        space: The space ``nb-macro``.
        start: Shows progress, in networks.

    Returns:
        Its runs, as numbers of runs: the file names no seeds and no epochs.

    Raises:
        DataError: If it is not such a file, lacks a network, says of one what its runs do not, or has several records
            of one network; without the path.
    """
    content = read_json(path, _MAX_BYTES)
    if not isinstance(content, dict):
        raise DataError(f"expected records by key, got {quoted(content)}")
    advance = start(len(space), "networks")
    cells = [_cell(space, key) for key in content]
    check_complete(cells, range(len(space)))
    runs = np.full((len(space), _COUNT), np.nan)
    costs = {name: np.full(len(space), np.nan) for name in (_PARAMETERS, _FLOPS)}
    for cell, (key, record) in zip(cells, content.items(), strict=True):
        runs[cell] = _accuracies(key, record)
        for name, column in costs.items():
            column[cell] = _number(key, record, name, 1, _MAX_COST)
        advance(1)
    return _collected(space, runs, costs)


def _collected(space: Space, runs: np.ndarray, costs: Mapping[str, np.ndarray]) -> Collection:
    if not isinstance(space, Classified):
        raise DataError(f"the space {space.name} does not say which cells are one network")
    networks = np.array([space.isomorphism_representative(cell) for cell in space])
    for name, values in {**{f"run {number}": run for number, run in enumerate(runs.T)}, **costs}.items():
        check_tells_apart(values, name)
        check_shared(values, networks, name)
    collection = Collection("nb-macro", space.name, len(space), seeds_are_numbers=True)
    quantity = Quantity(measured_on="the test images, at the best of all epochs")
    collection.add_target(Target(DATASET, "test", None), runs, quantity, networks)
    collection.parameters[DATASET], collection.flops[DATASET] = costs[_PARAMETERS], costs[_FLOPS]
    return collection


def _cell(space: Space, key: str) -> int:
    try:
        return int(space.index(key))
    except ChoiceError as error:
        raise DataError(str(error)) from error


def _accuracies(key: str, record: object) -> np.ndarray:
    """Return the accuracies of a network's runs, whose mean and deviation must be those that stand beside them."""
    if not isinstance(record, dict) or not {*FIELDS} <= record.keys():
        raise DataError(f"{key}: expected a record with {', '.join(FIELDS)}, got {_shown(record)}")
    values = record[_RUNS]
    if not isinstance(values, list) or len(values) != _COUNT:
        raise DataError(f"{key}: expected {_COUNT} accuracies under {_RUNS!r}, got {_shown(values)}")
    runs = np.array([_number(key, {_RUNS: value}, _RUNS, 0, 100) for value in values])
    for name, expected in ((_MEAN, runs.mean()), (_DEVIATION, runs.std())):
        held = _number(key, record, name, 0, 100)
        if abs(held - expected) > _ERROR:
            raise DataError(f"{key}: {name} is {held!r}, and its runs have {float(expected)!r}")
    return runs


def _number(key: str, record: Mapping[str, object], name: str, least: float, most: float) -> float:
    value = record[name]
    if type(value) not in (int, float) or not least <= value <= most:  # type: ignore[operator]
        raise DataError(f"{key}: expected a number from {least:g} to {most:g} under {name!r}, got {_shown(value)}")
    return float(value)  # type: ignore[arg-type]


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return f"one with {', '.join(map(quoted, list(value)[:8])) or 'nothing'}"
    return f"a list of {len(value)}" if isinstance(value, list) else quoted(value)
