"""Training records as NAS-Bench-201 and NATS-Bench write them, brought to the figures that are kept.

A *record* R is one training run: ``name`` (data set), ``seed``, ``epochs``, ``train_acc1es`` {epoch},
``train_times`` {epoch}, ``eval_acc1es`` {'x-valid@epoch', …}, ``params`` and ``flop`` in millions. A *summary* S is one
architecture under one epoch budget: ``arch_index``, ``arch_str`` and ``all_results`` {(data set, seed): R}.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from ntknas.benchmarks.formats.collection import Run
from ntknas.core.errors import DataError

_MAX_EPOCHS = 10_000
_MAX_SEED = 2**31 - 1
_MAX_FIGURE = 1e12
_NUMBER = int | float | np.integer | np.floating  # the official packages leave numpy's numbers as they are
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


def read_record(record: Mapping[object, object]) -> Run:
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
    run = f"the run of seed {seed} on {dataset}"
    if type(epochs) is not int or not 1 <= epochs <= _MAX_EPOCHS:
        raise DataError(f"{run} has no number of epochs: {shown(epochs)}")
    evaluated = _mapping(run, "eval_acc1es", record)
    accuracies = {"train": _percent(run, "train_acc1es", record, epochs - 1)}
    for (name, official), split in _SPLITS.items():
        key = f"{official}@{epochs - 1}"
        if name == dataset and key in evaluated:
            accuracies[split] = _percent(run, "eval_acc1es", record, key)
    if len(accuracies) == 1:
        raise DataError(f"{run} was not evaluated after its last epoch")
    return Run(
        dataset,
        epochs,
        seed,
        accuracies,
        _seconds(run, record, epochs),
        round(_number(run, "params", record.get("params")) * 1e6),
        round(_number(run, "flop", record.get("flop")) * 1e6),
    )


def read_runs(summary: Mapping[object, object]) -> list[Run]:
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


def shown(value: object) -> str:
    """Return a value for a message: short, whatever a file holds."""
    if _is_short(value) and len(text := repr(value)) < 100:
        return text
    return f"a {type(value).__name__}"


def _is_short(value: object) -> bool:
    return (type(value) is int and value.bit_length() < 200) or type(value) in (str, float, bool, type(None))


def _seed(value: object) -> int | None:
    """Return a seed that is a number, or a text of digits; ``None`` if it is neither, or too large to be one."""
    if type(value) is int:
        return value if 0 <= value <= _MAX_SEED else None
    # isdigit alone takes "²", which int refuses.
    if type(value) is str and value.isascii() and value.isdigit() and len(value) < 12:
        return _seed(int(value))
    return None


def _seconds(run: str, record: Mapping[object, object], epochs: int) -> float:
    """Training time over all epochs; NaN run the record has none."""
    if record.get("train_times") is None:
        return math.nan
    times = _mapping(run, "train_times", record)
    return math.fsum(_number(run, f"train_times {epoch}", times.get(epoch)) for epoch in range(epochs))


def _mapping(run: str, name: str, record: Mapping[object, object]) -> Mapping[object, object]:
    value = record.get(name)
    if not isinstance(value, dict):
        raise DataError(f"{run} has no {name}: expected a dictionary, got {type(value).__name__}")
    return value


def _percent(run: str, name: str, record: Mapping[object, object], key: int | str) -> float:
    value = _number(run, f"{name} {key}", _mapping(run, name, record).get(key))
    if not 0 <= value <= 100:
        raise DataError(f"{run} has no {name} {key}: expected a percentage, got {value!r}")
    return value


def _number(run: str, name: str, value: object) -> float:
    if not isinstance(value, _NUMBER) or type(value) is bool or not 0 <= value <= _MAX_FIGURE:
        raise DataError(f"{run} has no {name}: expected a number from 0 on, got {shown(value)}")
    return float(value)
