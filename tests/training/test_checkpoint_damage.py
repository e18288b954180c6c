"""A checkpoint that is not what was written is never trained on from."""

import functools
import os
import tempfile
import zipfile
from pathlib import Path

import pytest
import torch
from hypothesis import given

from ntknas.core.sealed_file import head_of
from ntknas.scoring.training import Training, moments
from ntknas.training import Trainer, TrainingOptions, checkpoint
from ntknas.training.checkpoint import Checkpoint, CheckpointError
from tests.damage import cuts, few, flips
from tests.training.test_trainer import IMAGES, network

OPTIONS = TrainingOptions(batch_size=50)
WHAT = {"cell": 11234}


def training(folder):
    return Training(IMAGES, OPTIONS, (1, 2), folder, keep=True)


def of(folder):
    return Checkpoint(folder, {**WHAT, **training(folder).identity.as_fields(), "seed": 0})


@functools.cache
def trained():
    made = Trainer(network(), IMAGES, OPTIONS, 0, 2)
    made.train_epoch()
    return made.state()


@functools.cache
def whole():
    with tempfile.TemporaryDirectory() as name:
        of(Path(name)).save(trained(), 1.5)
        return of(Path(name)).path.read_bytes()


def resumed(folder):
    """Go on from the folder's checkpoint; return the epochs that were seen."""
    return [moment.epoch for moment in moments(network(), training(folder), [2], WHAT, 0)]


def test_a_whole_one_is_taken_up(tmp_path):
    of(tmp_path).path.write_bytes(whole())
    assert resumed(tmp_path) == [1, 2]


@few(60)
@given(damage=flips() | cuts())
def test_any_damage_is_noticed_before_torch_reads_it(damage):
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name)
        of(folder).path.write_bytes(damage(whole()))
        patch.setattr(torch, "load", lambda *_, **__: pytest.fail("torch was given a damaged file"))
        with pytest.raises(CheckpointError, match=r"cannot be read.*Move it away, and the training begins anew"):
            resumed(folder)


def odd(**changes):
    return {**trained(), **changes}


def other_shape():
    first, *rest = trained()["network"]
    return odd(network={first: torch.ones(7), **{name: trained()["network"][name] for name in rest}})


def other_optimizer(**changes):
    return odd(optimizer={**trained()["optimizer"], **changes})


def other_momentum():
    (group,) = trained()["optimizer"]["param_groups"]
    return other_optimizer(param_groups=[{**group, "momentum": 0.1}])


STATES = {
    "a list": lambda: [],
    "nothing": lambda: {},
    "an epoch that is a text": lambda: odd(epoch="1"),
    "an epoch below 0": lambda: odd(epoch=-1),
    "a step that is true": lambda: odd(step=True),
    "no history": lambda: odd(history=[]),
    "a history of numbers": lambda: odd(history=[5]),
    "a loss that is no number": lambda: odd(history=[{**trained()["history"][0], "loss": float("nan")}]),
    "a network that is a number": lambda: odd(network=5),
    "a network with other entries": lambda: odd(network={"weight": torch.ones(3)}),
    "another shape": other_shape,
    "another precision": lambda: odd(network={name: each.float() for name, each in trained()["network"].items()}),
    "an optimizer that is a text": lambda: odd(optimizer="SGD"),
    "another momentum": other_momentum,
    "momenta of other shapes": lambda: other_optimizer(state={0: {"momentum_buffer": torch.ones(5)}}),
    "momenta of no parameter": lambda: other_optimizer(state={"x": {}}),
}


@pytest.mark.parametrize("case", STATES)
def test_a_right_checksum_and_a_wrong_state(tmp_path, case):
    of(tmp_path).save(STATES[case](), 1.0)
    before = of(tmp_path).path.read_bytes()
    with pytest.raises(CheckpointError, match=r"(cannot be used|holds no state).*Move it away"):
        resumed(tmp_path)
    assert of(tmp_path).path.read_bytes() == before


@pytest.mark.parametrize("content", [5, [], {}, {"format": "ntknas-checkpoint", "version": 1}, {"format": 1}])
def test_a_right_checksum_and_no_checkpoint(tmp_path, content):
    of(tmp_path).path.write_bytes(checkpoint._sealed(content))
    with pytest.raises(CheckpointError, match=r"no checkpoint of this version|of another network"):
        resumed(tmp_path)


@pytest.mark.parametrize("seconds", [None, "5", float("nan"), -1.0, [1]])
def test_odd_times(tmp_path, seconds):
    of(tmp_path).save(trained(), seconds)
    with pytest.raises(CheckpointError, match="or not the time that it took"):
        resumed(tmp_path)


def test_packed_tensors_are_not_unpacked(tmp_path):
    plain = tmp_path / "plain.zip"
    plain.write_bytes(whole()[512:])
    with zipfile.ZipFile(plain) as archive, zipfile.ZipFile(tmp_path / "packed", "w", zipfile.ZIP_DEFLATED) as packed:
        for name in archive.namelist():
            packed.writestr(name, archive.read(name))
    body = (tmp_path / "packed").read_bytes()
    of(tmp_path).path.write_bytes(head_of(body, checkpoint.MAGIC) + body)
    with pytest.raises(CheckpointError, match="cannot be read"):
        resumed(tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(of(tmp_path).path)
    with pytest.raises(CheckpointError, match="cannot be read: it is a named pipe"):
        resumed(tmp_path)


def test_what_killed_processes_left_is_removed(tmp_path):
    kept = of(tmp_path)
    left = tmp_path / f".{kept.path.name}.{'0' * 16}.new"
    for remove in (lambda: kept.save(trained(), 1.0), kept.remove):
        left.touch()
        remove()
        assert not left.exists()
