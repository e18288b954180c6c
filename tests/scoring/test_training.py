"""Scores after training: which they are, that they resume, and what becomes of trainings that fail."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from ntknas import correlate, empirical_ntk, load_store, make_probe, measure
from ntknas.cli.main import run as command
from ntknas.core.errors import ChoiceError, DataError
from ntknas.correlation import curves
from ntknas.correlation.compare import compare
from ntknas.scoring import EpochsDone, KernelDone, Training, training
from ntknas.scoring.events import Planned
from ntknas.spaces.nb201 import identity
from ntknas.store.frame import settings_of
from ntknas.training import Trainer, TrainingImages, TrainingOptions
from ntknas.training.checkpoint import Checkpoint
from tests.scoring import sessions
from tests.scoring.sessions import DISCONNECTED, SPACE, TINY, recipe

PROBE = make_probe("digits", 10, TINY)
IMAGES = TrainingImages("digits", TINY, 60)
OPTIONS = TrainingOptions(batch_size=25)
KEY = ["cell", "seed", "measure", "epoch"]
WHAT = recipe("trace", "cond", precision="float64")


def trained(epochs, options=OPTIONS, checkpoints=None, keep=False):
    """How networks are trained; without epochs, not at all."""
    return Training(IMAGES, options, epochs, checkpoints, keep) if epochs else None


def score(path, cells, how, what=WHAT, **more):
    """Score; return the epochs of what was computed, and all scores of the store."""
    events = []
    sessions.score(path, cells, what, probe=PROBE, training=how, on_event=events.append, **more)
    [planned] = [event for event in events if isinstance(event, Planned)]
    assert sum(event.epochs for event in events if isinstance(event, EpochsDone)) >= planned.epochs
    frame = load_store(path)
    settings = settings_of(frame)
    frame["epoch"] = [settings[digest].epoch for digest in frame["setting"]]
    done = [event.item.epoch for event in events if isinstance(event, KernelDone)]
    return done, frame.set_index(KEY).sort_index()


def same(a, b):
    pd.testing.assert_series_equal(a["value"], b["value"], rtol=0, atol=0)
    assert a["status"].astype(str).equals(b["status"].astype(str))


def test_scores_are_those_of_the_network_trained_by_itself(tmp_path):
    done, scores = score(tmp_path / "s.h5", [11, 284], trained((0, 1, 3)))
    assert done == [0, 1, 1, 3, 3] * 2  # after training the kernel and the training itself
    network = SPACE.build(284, seed=0, channels=2, cells_per_stage=1).double()
    trainer = Trainer(network, IMAGES, OPTIONS, seed=0, epochs=3)
    for epoch in (1, 2, 3):
        last = trainer.train_epoch()
        if epoch == 2:
            continue
        kernel = empirical_ntk(network, PROBE.images.double(), labels=PROBE.labels)
        found = scores.loc[284, 0]["value"]
        assert found["trace", epoch] == pytest.approx(measure("trace", kernel).value, rel=1e-8)
        assert found["train_loss", epoch] == pytest.approx(last.loss, rel=1e-8)
        assert found["train_accuracy", epoch] == pytest.approx(last.accuracy)
        assert found["valid_accuracy", epoch] == pytest.approx(trainer.validation_accuracy())
    assert (scores["status"] == "ok").all()


def test_initialisation_is_the_same_score_with_and_without_training(tmp_path):
    path = tmp_path / "s.h5"
    score(path, [11], None)
    done, scores = score(path, [11], trained((0, 1)))
    assert done == [1, 1]
    assert set(scores.loc[11, 0, "trace"].index) == {0, 1}
    assert score(path, [11], trained((0, 1)))[0] == []


def test_other_trainings_never_mix(tmp_path):
    path = tmp_path / "s.h5"
    score(path, [11], trained((1,)))
    for options in (replace(OPTIONS, learning_rate=0.1), replace(OPTIONS, schedule="cosine")):
        assert score(path, [11], trained((1,), options))[0] == [1, 1]
    cosine = replace(OPTIONS, schedule="cosine")
    assert score(path, [11], trained((1, 2), cosine))[0] == [1, 1, 2, 2]  # another length is another schedule
    assert score(path, [11], trained((1, 2)))[0] == [2, 2]


def test_disconnected_cells_are_not_trained(tmp_path, monkeypatch):
    monkeypatch.setattr(Trainer, "train_epoch", lambda trainer: pytest.fail("trained"))
    _, scores = score(tmp_path / "s.h5", [DISCONNECTED], trained((0, 1)))
    assert set(scores["status"]) == {"disconnected"}


def test_cells_that_are_one_network_all_through_training_are_trained_once(tmp_path):
    everything = identity.class_representatives("all")
    pair = next((r, i) for i, r in enumerate(everything) if r != i and not SPACE.is_disconnected(i))
    done, scores = score(tmp_path / "s.h5", pair, trained((1,)))
    assert done == [1, 1]
    assert scores.loc[pair[0]]["value"].tolist() == scores.loc[pair[1]]["value"].tolist()
    kernels = []
    for cell in pair:
        network = SPACE.build(cell, seed=0, channels=2, cells_per_stage=1).double()
        Trainer(network, IMAGES, OPTIONS, 0, 1).train_epoch()
        kernels.append(empirical_ntk(network, PROBE.images.double()).matrix)
    torch.testing.assert_close(*kernels, rtol=1e-8, atol=1e-8)


def test_cells_that_training_tells_apart_are_trained_each(tmp_path):
    weights, everything = (identity.class_representatives(name) for name in ("weights", "all"))
    cell = next(
        i
        for i in range(len(weights))
        if weights[i] != i and everything[i] == i and not SPACE.is_disconnected(i) and everything[weights[i]] != i
    )
    done, _ = score(tmp_path / "s.h5", [weights[cell], cell], trained((0, 1)))
    assert sorted(done) == [0, 1, 1, 1, 1]


KILLED = """
import os, signal, sys
from pathlib import Path
from ntknas.scoring import training
from ntknas.training import Trainer
from tests.scoring.test_training import score, trained as how

training.CHECKPOINT_SECONDS = 0.0
real, trained = Trainer.train_epoch, []

def train_epoch(trainer):
    if len(trained) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    trained.append(1)
    return real(trainer)

Trainer.train_epoch = train_epoch
folder = Path(sys.argv[1])
score(folder / "cut.h5", [284, 11], how((1, 2, 5), checkpoints=folder / "checkpoints"))
"""


def test_a_killed_training_goes_on_and_gives_bit_identical_scores(tmp_path, monkeypatch):
    killed = subprocess.run(
        [sys.executable, "-c", f"import torch; torch.set_num_threads(1)\n{KILLED}", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert len(list((tmp_path / "checkpoints").iterdir())) == 1
    epochs, real = [], Trainer.train_epoch

    def train_epoch(trainer):
        epochs.append(trainer.epoch)
        return real(trainer)

    monkeypatch.setattr(Trainer, "train_epoch", train_epoch)
    done, cut = score(tmp_path / "cut.h5", [284, 11], trained((1, 2, 5), checkpoints=tmp_path / "checkpoints"))
    assert epochs == [3, 4, 0, 1, 2, 3, 4]  # on from epoch 3 of the first cell, then the second one
    assert done == [5, 5, 1, 1, 2, 2, 5, 5]
    assert not list((tmp_path / "checkpoints").iterdir())
    _, whole = score(tmp_path / "whole.h5", [284, 11], trained((1, 2, 5)))
    same(whole, cut)


def test_kept_checkpoints_let_more_epochs_follow(tmp_path, monkeypatch):
    kept = {"checkpoints": tmp_path / "checkpoints", "keep": True}
    score(tmp_path / "s.h5", [284], trained((1, 2), **kept))
    epochs, real = [], Trainer.train_epoch
    monkeypatch.setattr(Trainer, "train_epoch", lambda trainer: epochs.append(trainer.epoch) or real(trainer))
    _, more = score(tmp_path / "s.h5", [284], trained((1, 2, 3), **kept))
    assert epochs == [2]
    _, whole = score(tmp_path / "whole.h5", [284], trained((1, 2, 3)))
    same(whole, more)


def test_a_checkpoint_beyond_what_is_asked_for_is_left_alone(tmp_path):
    kept = {"checkpoints": tmp_path / "checkpoints", "keep": True}
    score(tmp_path / "s.h5", [284], trained((3,), **kept))
    done, scores = score(tmp_path / "s.h5", [284], trained((1, 3), **kept))
    assert done == [1, 1]
    _, whole = score(tmp_path / "whole.h5", [284], trained((1,)))
    assert whole.loc[(284, 0, "trace", 1), "value"] == scores.loc[(284, 0, "trace", 1), "value"]


def test_a_training_that_diverges_has_a_status_and_the_others_go_on(tmp_path, monkeypatch):
    real = Trainer.train_epoch

    def train_epoch(trainer):
        if trainer.epoch == 1 and len(list(trainer.network.parameters())) == diverging:
            for parameter in trainer.network.parameters():
                parameter.data.fill_(float("nan"))
        return real(trainer)

    diverging = len(list(SPACE.build(8216, channels=2, cells_per_stage=1).parameters()))
    assert diverging != len(list(SPACE.build(41, channels=2, cells_per_stage=1).parameters()))
    monkeypatch.setattr(Trainer, "train_epoch", train_epoch)
    _, scores = score(tmp_path / "s.h5", [284, 8216], trained((0, 1, 2, 3)))
    status = scores["status"].astype(str)
    assert set(status[284]) == {"ok"}
    by_epoch = {epoch: set(rows) for epoch, rows in status[8216].groupby("epoch")}
    assert by_epoch == {0: {"ok"}, 1: {"ok"}, 2: {"diverged"}, 3: {"diverged"}}
    assert "training loss is nan in epoch 2" in scores.loc[8216]["reason"].iloc[-1]
    assert score(tmp_path / "s.h5", [284, 8216], trained((0, 1, 2, 3)))[0] == []  # a result, not a failure
    rows = correlate(load_store(tmp_path / "s.h5"), pd.Series({284: 90.0, 8216: 80.0})).rows
    assert {row.left_out.get("diverged", 0) for row in rows if row.epoch == 3} == {1}


def test_a_checkpoint_of_another_network_costs_its_cell_alone(tmp_path, monkeypatch):
    how = trained((1,), checkpoints=tmp_path / "checkpoints", keep=True)
    score(tmp_path / "s.h5", [284], how)
    (wrong,) = (tmp_path / "checkpoints").iterdir()
    about = {"space": "nb201", "dataset": "cifar10", "cell": 11, **WHAT.network.resolved(SPACE)}
    about |= {"precision": "float64", **how.identity.as_fields(), "seed": 0}
    wrong.rename(Checkpoint(tmp_path / "checkpoints", about).path)
    _, scores = score(tmp_path / "s.h5", [11, 5000], how)
    assert set(scores.loc[11]["status"]) == {"error"}
    assert "is of another network or training" in scores.loc[11]["reason"].iloc[0]
    assert set(scores.loc[5000]["status"]) == {"ok"}


def test_workers_give_what_one_process_gives_and_what_a_dead_one_measured_is_not_trained_again(tmp_path, monkeypatch):
    how, cells = trained((0, 1, 2), checkpoints=tmp_path / "checkpoints"), [284, 11]
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # as here, so that both are equal to the last bit
    monkeypatch.setenv("NTKNAS_TEST_DIE_ONCE", str(tmp_path / "died"))
    done, scores = score(tmp_path / "s.h5", cells, how, space=DyingSpace(SPACE), workers=1)
    assert sorted(done) == [0, 0, 1, 1, 1, 1, 2, 2, 2, 2]
    assert (tmp_path / "died").exists()
    same(score(tmp_path / "whole.h5", cells, trained((0, 1, 2)))[1], scores)


class DyingSpace:
    """NAS-Bench-201 whose first network kills its process after some training."""

    def __init__(self, space):
        self._space = space
        self.name = "dying"
        self.defaults = space.defaults

    def __getitem__(self, index):
        return self._space[index]

    def __len__(self):
        return len(self._space)

    def __reduce__(self):
        return DyingSpace, (self._space,)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._space, name)

    def build(self, *arguments, **options):
        network = self._space.build(*arguments, **options)
        mark = os.environ["NTKNAS_TEST_DIE_ONCE"]
        passes = []

        def die(module, inputs):
            passes.append(module.training)
            if sum(passes) > 3 and not os.path.exists(mark):
                open(mark, "w").close()
                os.kill(os.getpid(), signal.SIGKILL)

        network.register_forward_pre_hook(die)
        return network


@pytest.mark.parametrize("epochs", [(), (-1, 2), (2, 1), (1, 1)])
def test_epochs_that_do_not_ascend(epochs):
    with pytest.raises(ChoiceError, match="Epochs must ascend"):
        Training(IMAGES, OPTIONS, epochs)


def test_measures_of_training_are_not_asked_for():
    with pytest.raises(ChoiceError, match="wherever networks are trained"):
        recipe("train_loss")


def test_more_classes_than_outputs():
    with pytest.raises(DataError, match="digits has 10 classes, and the networks have 3 outputs"):
        Training(IMAGES, OPTIONS, (1,)).check_classes(3)


ARGUMENTS = ["score", "--probe", "digits", "--probe-size", "10", "--channels", "2", "--cells-per-stage", "1"]
ARGUMENTS += ["--cells", "12", "--measures", "trace,lga", "--device", "cpu"]
TRAINED = [*ARGUMENTS, "--epochs", "0,1,2", "--train-size", "40", "--batch-size", "20"]


def test_the_command_from_training_to_curves(tmp_path, capsys):
    store = str(tmp_path / "s.h5")
    assert command([*TRAINED, "--store", store]) == 0
    captured = capsys.readouterr()
    assert "networks to train for up to 2 epochs" in captured.err
    assert not (tmp_path / "s.h5.checkpoints").exists() or not list((tmp_path / "s.h5.checkpoints").iterdir())
    (info,) = load_store(tmp_path / "s.h5").attrs["runs"].values()
    assert info["epochs"] == [0, 1, 2]
    target = ["--target", "cifar10-valid/valid/200", "--resamples", "200"]
    assert command(["correlate", store, *target, "--plots", str(tmp_path / "plots")]) == 0
    printed = capsys.readouterr().out
    for expected in ("at initialisation", "after 2 epoch(s) of training", "epoch 2 (4 steps)", "gain [95 %]"):
        assert expected in printed
    assert (tmp_path / "plots" / "epochs-cifar10-valid-valid-200.png").stat().st_size > 10_000
    assert command(["correlate", store, *target, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    by_measure = {curve["measure"]: curve["points"] for curve in answer["curves"]}
    assert [point["epoch"] for point in by_measure["trace"]] == [0, 1, 2]
    assert [point["epoch"] for point in by_measure["valid_accuracy"]] == [1, 2]
    assert by_measure["trace"][0]["gain"] is None
    gain = by_measure["lga"][2]["gain"]
    assert gain["value"] == pytest.approx(
        by_measure["lga"][2]["kendall"]["value"] - by_measure["lga"][0]["kendall"]["value"]
    )
    assert {row["epoch"] for row in answer["rows"]} == {0, 1, 2}


def test_a_gain_is_the_paired_test_of_both_epochs(tmp_path):
    path = tmp_path / "s.h5"
    cells = list(range(20, 15000, 900))
    score(path, cells, trained((0, 1)), recipe("trace", precision="float64"))
    accuracies = pd.Series(np.random.default_rng(0).permutation(15625).astype(float), name="made")
    result = correlate(load_store(path), accuracies, resamples=2000)
    (curve,) = [curve for curve in curves(result, "made") if curve.measure == "trace"]
    first, last = curve.points
    assert curve.name == "trace"
    assert last.steps == 3
    points = {row.epoch: result.points["trace", row.setting, "made"] for row in (first.row, last.row)}
    assert points[0].index.equals(points[1].index)
    scores = {str(epoch): frame["score"].to_numpy() for epoch, frame in points.items()}
    (pair,) = compare(scores, points[0]["accuracy"].to_numpy(), 2000)
    sign = 1 if pair.first == "1" else -1
    assert last.gain.value == pytest.approx(sign * pair.difference)
    assert last.gain.p == pytest.approx(pair.p)
    assert sorted([last.gain.low, last.gain.high]) == pytest.approx(sorted([sign * pair.low, sign * pair.high]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--epochs", "4,1"], "Epochs must ascend"),
        (["--epochs", "one"], "--epochs expects whole numbers"),
        (["--epochs", "1,"], "--epochs expects whole numbers"),
        (["--epochs", "-1"], "--epochs expects whole numbers"),
        (["--epochs", "1", "--train-size", "99999"], "Training on 99999 images"),
        (["--epochs", "1", "--learning-rate", "-1"], "learning rate must be from 0"),
        (["--epochs", "1", "--train-images", "cifar11"], "Unknown image source"),
    ],
)
def test_bad_input(tmp_path, capsys, options, message):
    assert command([*ARGUMENTS, *options, "--store", str(tmp_path / "s.h5")]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "s.h5").exists()


def test_a_learning_rate_that_explodes(tmp_path, capsys):
    store = tmp_path / "s.h5"
    assert command([*TRAINED, "--cells", "3", "--learning-rate", "1e30", "--store", str(store)]) == 0
    assert "diverged" in capsys.readouterr().out
    assert set(load_store(store)["status"]) >= {"ok", "diverged"}


def test_what_fails_says_why(tmp_path, capsys):
    options = [*TRAINED, "--cells", "2", "--store", str(tmp_path / "s.h5"), "--keep-checkpoints"]
    assert command(options) == 0
    for path in (tmp_path / "s.h5.checkpoints").iterdir():
        path.write_bytes(path.read_bytes()[:100])
    capsys.readouterr()
    assert command([*options, "--epochs", "0,1,2,3"]) == 3
    printed = capsys.readouterr().out
    assert "cannot be read: it is damaged" in printed
    assert "the training begins anew" in printed


def test_a_forecast_multiplies_one_epoch(tmp_path, capsys):
    options = [*TRAINED, "--cells", "2", "--store", str(tmp_path / "s.h5"), "--dry-run", "--json"]
    assert command(options) == 0
    kinds = {kind["kind"]: kind for kind in json.loads(capsys.readouterr().out)["kinds"]}
    assert set(kinds) == {"kernel", "trained"}
    assert "train_loss" in kinds["trained"]["measures"]
    assert not (tmp_path / "s.h5.checkpoints").exists()


def test_checkpoints_are_written_now_and_then(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    saved, real = [], Checkpoint.save
    monkeypatch.setattr(
        Checkpoint, "save", lambda self, state, seconds: saved.append(state["epoch"]) or real(self, state, seconds)
    )
    score(tmp_path / "s.h5", [284], trained((1, 3), checkpoints=tmp_path / "c"))
    assert saved == [0, 1, 2]
