"""Training records as NAS-Bench-201 and NATS-Bench write them, brought to the figures that are kept.

A *record* R is one training run: ``name`` (data set), ``seed``, ``epochs``, ``train_acc1es`` {epoch},
``train_times`` {epoch}, ``eval_acc1es`` {'x-valid@epoch', …}, ``params`` and ``flop`` in millions. A *summary* S is one
architecture under one epoch budget: ``arch_index``, ``arch_str`` and ``all_results`` {(data set, seed): R}.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ntknas.benchmarks.formats.collection import Run
from ntknas.core.errors import DataError

_MOST_EPOCHS = 10_000
_LARGEST_SEED = 2**31 - 1
_LARGEST_FIGURE = 1e12
RECORD_KEYS = frozenset({"train_acc1es", "eval_acc1es", "train_times", "epochs"})
SUMMARY_KEYS = frozenset({"arch_index", "arch_str", "all_results"})

_SPLITS = {
    ("cifar10-valid", "x-valid"): "valid",
    ("cifar10-valid", "ori-test"): "test",
    ("cifar10", "ori-test"): "test",
    ("cifar100", "x-valid"): "valid",
    ("cifar100", "x-test"): "test",
    ("cifar100", "ori-test"): "valtest",
    ("ImageNet16-120", "x-valid"): "valid",
    ("ImageNet16-120", "x-test"): "test",
    ("ImageNet16-120", "ori-test"): "valtest",
}
"""The official names of the evaluated splits; ``valtest`` is the union of ``valid`` and ``test``."""


def read_record(record: Mapping[str, Any]) -> Run:
    """Return the figures at the end of a training run.

    Raises:
        DataError: If it lacks a figure, or a figure is not what it should be.
    """
    dataset, epochs = record.get("name"), record.get("epochs")
    if type(dataset) is not str or dataset not in {name for name, _ in _SPLITS}:
        raise DataError(f"a record of training on the unknown data set {shown(dataset)}")
    seed = _seed(record.get("seed"))
    if seed is None:
        raise DataError(f"a record of training on {dataset} with the seed {shown(record.get('seed'))}")
    where = f"the run of seed {seed} on {dataset}"
    if type(epochs) is not int or not 1 <= epochs <= _MOST_EPOCHS:
        raise DataError(f"{where} has no number of epochs: {shown(epochs)}")
    evaluated = _mapping(where, "eval_acc1es", record)
    accuracies = {"train": _percent(where, "train_acc1es", record, epochs - 1)}
    for (name, official), split in _SPLITS.items():
        key = f"{official}@{epochs - 1}"
        if name == dataset and key in evaluated:
            accuracies[split] = _percent(where, "eval_acc1es", record, key)
    if len(accuracies) == 1:
        raise DataError(f"{where} was not evaluated after its last epoch")
    return Run(
        dataset,
        epochs,
        seed,
        accuracies,
        _seconds(where, record, epochs),
        round(_number(where, "params", record.get("params")) * 1e6),
        round(_number(where, "flop", record.get("flop")) * 1e6),
    )


def read_runs(summary: Mapping[str, Any]) -> list[Run]:
    """Return all runs of a summary, whose records may have been read already.

    Raises:
        DataError: If a key or a record is not what it should be.
    """
    results = summary["all_results"]
    if not isinstance(results, dict):
        raise DataError(f"expected a dictionary of results, got {type(results).__name__}")
    runs = []
    for key, record in results.items():
        if not isinstance(record, Run | dict):
            raise DataError(f"expected a record of training for {shown(key)}, got {shown(record)}")
        run = record if isinstance(record, Run) else read_record(record)
        if key != (run.dataset, run.seed):
            raise DataError(f"the run of seed {run.seed} on {run.dataset} stands under {shown(key)}")
        runs.append(run)
    return runs


def shown(value: Any) -> str:
    """Return a value for a message: short, whatever a file holds."""
    if _is_short(value) and len(text := repr(value)) < 100:
        return text
    return f"a {type(value).__name__}"


def _is_short(value: Any) -> bool:
    return (type(value) is int and value.bit_length() < 200) or type(value) in (str, float, bool, type(None))


def _seed(value: Any) -> int | None:
    """Return a seed that is a number, or a text of digits; ``None`` if it is neither, or too large to be one."""
    if type(value) is int:
        return value if 0 <= value <= _LARGEST_SEED else None
    is_number = type(value) is str and value.isascii() and value.isdigit() and len(value) < 12
    return _seed(int(value)) if is_number else None


def _seconds(where: str, record: Mapping[str, Any], epochs: int) -> float:
    """Training time over all epochs; NaN where the record has none."""
    if record.get("train_times") is None:
        return math.nan
    times = _mapping(where, "train_times", record)
    return math.fsum(_number(where, f"train_times {epoch}", times.get(epoch)) for epoch in range(epochs))


def _mapping(where: str, name: str, record: Mapping[str, Any]) -> Mapping[Any, Any]:
    value = record.get(name)
    if not isinstance(value, dict):
        raise DataError(f"{where} has no {name}: expected a dictionary, got {type(value).__name__}")
    return value


def _percent(where: str, name: str, record: Mapping[str, Any], key: int | str) -> float:
    value = _number(where, f"{name} {key}", _mapping(where, name, record).get(key))
    if not 0 <= value <= 100:
        raise DataError(f"{where} has no {name} {key}: expected a percentage, got {value!r}")
    return value


def _number(where: str, name: str, value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value <= _LARGEST_FIGURE:
        raise DataError(f"{where} has no {name}: expected a number from 0 on, got {shown(value)}")
    return float(value)
