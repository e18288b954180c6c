"""The trial before a run: what it tries, what it records, and that it changes no score."""

import json

import pandas as pd
import pytest
import torch

from ntknas import load_space, load_store
from ntknas.cli.main import run as command
from ntknas.core.choices import Choices
from ntknas.data import Request, make_probe
from ntknas.scoring import Job, NetworkOptions, Recipe, Strategy, make_plan, trial
from ntknas.store import ScoreStore

SPACE = load_space("nb201")
SMALL = "--channels 2 --cells-per-stage 1 --probe digits --probe-size 6".split()
CELLS = [cell.index for cell in SPACE if not SPACE.is_disconnected(cell)][:2400:100]


def _job(*measures, **choices):
    recipe = Recipe(
        choices=Choices(**choices), network=NetworkOptions(channels=2, cells_per_stage=1), measures=measures
    )
    return Job(SPACE, "cifar10", recipe, make_probe("digits", 6, Request(image_size=12)))


def _tried(job, cells, path):
    return trial.choose_rows(make_plan(job, cells, [0], ScoreStore.peek(path)), job, torch.device("cpu"))


def test_coupled_kernels_are_tried(tmp_path):
    strategy, record = _tried(_job("cond", batch_norm="coupled"), CELLS, tmp_path / "s.h5")
    seconds = {int(rows): each for rows, each in record["seconds_a_row"].items()}
    assert set(seconds) == set(trial.CANDIDATES["cpu"])
    assert strategy == Strategy("auto", min(seconds, key=seconds.get))
    assert not SPACE.is_disconnected(SPACE[record["cell"]])


@pytest.mark.parametrize(
    ("measures", "choices", "cells"),
    [
        (("cond",), {"batch_norm": "frozen"}, CELLS),
        (("cond",), {"batch_norm": "coupled"}, CELLS[:5]),
        (("mean",), {"batch_norm": "coupled"}, CELLS),
        (("grad_norm",), {"batch_norm": "coupled"}, CELLS),
    ],
    ids=["decoupled", "few", "class forms", "no kernel"],
)
def test_nothing_is_tried_where_nothing_can_be_gained(tmp_path, measures, choices, cells):
    job = _job(*measures, **choices)
    assert _tried(job, cells, tmp_path / "s.h5") == (job.strategy, {})


def test_a_run_records_what_it_used_and_scores_stay(tmp_path, capsys):
    found = {}
    for name, options in {"tried": [], "one": ["--rows-at-once", "1"], "four": ["--rows-at-once", "4"]}.items():
        store = tmp_path / f"{name}.h5"
        arguments = ["score", "--cells", "24", "--measures", "cond", "--batch-norm", "coupled", *SMALL, *options]
        assert command([*arguments, "--precision", "float64", "--store", str(store), "--json"]) == 0
        json.loads(capsys.readouterr().out)
        found[name] = load_store(store)
    runs = {name: next(iter(frame.attrs["runs"].values()))["strategy"] for name, frame in found.items()}
    assert runs["tried"]["trial"]["seconds_a_row"]
    assert runs["four"] == {"name": "auto", "rows_at_once": 4}
    for name in ("tried", "four"):
        pd.testing.assert_series_equal(found[name]["value"], found["one"]["value"], rtol=1e-8)
        assert (found[name]["setting"] == found["one"]["setting"]).all()


def test_a_strategy_that_is_not_exact_is_refused(tmp_path, capsys):
    arguments = ["score", "--cells", "2", "--batch-norm", "coupled", "--strategy", "layer-wise", *SMALL]
    assert command([*arguments, "--store", str(tmp_path / "s.h5")]) == 1
    assert "BatchNorm couples the samples" in capsys.readouterr().err
