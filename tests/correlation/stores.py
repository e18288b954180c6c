"""Stores with made-up scores of real cells, for what correlates them; nothing is scored."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np

from ntknas.core.score import Score, Status
from ntknas.store import ScoreRecord, ScoreStore, Setting

NB201 = {
    "space": "nb201",
    "dataset": "cifar10",
    "num_classes": 10,
    "channels": 16,
    "cells_per_stage": 5,
    "probe_shape": "8x3x32x32",
    "output": "sum",
    "batch_norm": "frozen",
    "parameters": "weights",
    "normalisation": "none",
}
NETWORK = NB201 | {"output": "network", "batch_norm": "training", "parameters": "all"}
OWN_TRAINING = NETWORK | {"output": "training"}
TRAINING = {"training_source": "digits", "training_learning_rate": 0.1, "training_steps_an_epoch": 20}

Scores = Callable[[int, int, str], float | Status]


def value(cell: int, seed: int, measure: str) -> float:
    """A number that looks random, the same whenever it is asked for."""
    return float(np.random.default_rng([cell, seed, *measure.encode()]).random()) + 0.1


def fill(
    path: Path,
    measures: Iterable[str],
    cells: Iterable[int],
    *,
    fields: Mapping[str, object] = NB201,
    seeds: Iterable[int] = (0,),
    recipe: str = "custom",
    scores: Scores = value,
) -> str:
    """Add scores, or statuses, under a setting; return the setting's digest."""
    setting = Setting.from_fields(fields)
    with ScoreStore.open(path) as store:
        store.add_setting(setting)
        run = store.add_run({"recipe": recipe})
        for cell in cells:
            for seed in seeds:
                taken = {name: _score(name, scores(cell, seed, name)) for name in measures}
                store.append(ScoreRecord(setting.digest, run, cell, seed, 0.5, taken))
    return setting.digest


def _score(name: str, outcome: float | Status) -> Score:
    return Score(name, None, outcome) if isinstance(outcome, Status) else Score(name, outcome)
