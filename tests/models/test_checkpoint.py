"""Weights from files: all of them into all of the network, or a sentence on what is wrong; nothing in a file runs."""

import hashlib
import pickle

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from ntknas.core.errors import DataError
from ntknas.models.checkpoint import WRAPPERS, load_into, read


def network(outputs=3, seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, outputs))


SAVED = {
    "a state dict": lambda state: state,
    "under a key": lambda state: {"state_dict": state, "epoch": 7, "best_acc1": 71.2},
    "under two keys": lambda state: {"model": {"state_dict": state}},
    "of DataParallel": lambda state: {f"module.{name}": value for name, value in state.items()},
    "in half precision": lambda state: {name: value.half() for name, value in state.items()},
    **{f"under {name}": lambda state, name=name: {name: state} for name in WRAPPERS},
}


@pytest.mark.parametrize("form", SAVED)
def test_what_training_codes_save(tmp_path, form):
    path, other = tmp_path / "best.pt", network(seed=1)
    state = {name: value.half().float() for name, value in other.state_dict().items()}
    state["1.num_batches_tracked"] = torch.tensor(9)
    torch.save(SAVED[form](state), path)
    loaded = network()
    assert load_into(loaded, path, "mine") == hashlib.sha256(path.read_bytes()).hexdigest()
    assert all(torch.equal(value, state[name]) for name, value in loaded.state_dict().items())


@pytest.mark.parametrize("zipped", [True, False])
def test_both_formats_of_torch(tmp_path, zipped):
    path, other = tmp_path / "best.pt", network(seed=1)
    torch.save(other.state_dict(), path, _use_new_zipfile_serialization=zipped)
    assert all(torch.equal(value, read(path)[name]) for name, value in other.state_dict().items())


def test_safetensors(tmp_path):
    path, other = tmp_path / "best.safetensors", network(seed=1)
    save_file(other.state_dict(), path)
    loaded = network()
    load_into(loaded, path, "mine")
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in loaded.state_dict().items())


class Runs:
    def __reduce__(self):
        return (exec, ("open('ran', 'w').close()",))


@pytest.mark.parametrize("write", [torch.save, lambda content, path: path.write_bytes(pickle.dumps(content))])
@pytest.mark.parametrize("content", [{"weight": Runs()}, Runs(), network()], ids=["in a dictionary", "alone", "module"])
def test_nothing_in_a_file_runs(tmp_path, monkeypatch, content, write):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "theirs.pt"
    write(content, path)
    with pytest.raises(
        DataError, match=r"theirs\.pt (wants to run code while it is read, which is refused|is no checkp)"
    ):
        read(path)
    assert not (tmp_path / "ran").exists()


def test_a_file_that_wants_code_is_told_from_one_that_is_none(tmp_path):
    torch.save({"weight": Runs()}, tmp_path / "a.pt")
    with pytest.raises(DataError, match=r"wants to run code .*exec") as caught:
        read(tmp_path / "a.pt")
    assert "weights_only" not in str(caught.value)
    (tmp_path / "b.pt").write_bytes(b"hello")
    with pytest.raises(DataError, match=r"b\.pt is no checkpoint: .*Expected a file that torch\.save has written"):
        read(tmp_path / "b.pt")


def _cut(path):
    torch.save(network().state_dict(), path)
    path.write_bytes(path.read_bytes()[:700])


NONE = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": _cut,
    "text": lambda path: path.write_text("epoch,loss\n1,2.3\n"),
    "no tensors": lambda path: torch.save({"epoch": 3, "loss": 2.3}, path),
    "a number": lambda path: torch.save(5, path),
    "a tensor": lambda path: torch.save(torch.ones(3), path),
    "nothing": lambda path: torch.save({}, path),
    "numbers as names": lambda path: torch.save({1: torch.ones(3)}, path),
}


@pytest.mark.parametrize("ending", ["pt", "safetensors"])
@pytest.mark.parametrize("case", NONE)
def test_what_is_no_checkpoint(tmp_path, case, ending):
    path = tmp_path / f"none.{ending}"
    NONE[case](path)
    with pytest.raises(DataError, match=r"none\.(pt|safetensors) (is no checkpoint|holds)") as caught:
        read(path)
    assert "weights_only" not in str(caught.value)  # what torch advises: to run it


@pytest.mark.parametrize("place", ["missing.pt", ".", "missing.safetensors"])
def test_no_such_file(tmp_path, place):
    with pytest.raises(DataError, match="Cannot read the checkpoint"):
        load_into(network(), tmp_path / place, "mine")


WRONG = {
    "other classes": (network(5).state_dict(), r"3\.weight is 5×4, expected 3×4; 3\.bias is 5, expected 3\. Choose"),
    "fewer": ({"0.weight": torch.ones(4, 5)}, r"it lacks 0\.bias, 1\.weight, 1\.bias and 4 more"),
    "more": ({**network().state_dict(), "9.bias": torch.ones(2)}, r"it also has 9\.bias"),
    "other names": ({"conv1.weight": torch.ones(1)}, r"it lacks 0\.weight.* and it also has conv1\.weight"),
}


@pytest.mark.parametrize("case", WRONG)
def test_of_another_network(tmp_path, case):
    path, (state, message) = tmp_path / "other.pt", WRONG[case]
    torch.save(state, path)
    with pytest.raises(DataError, match=f"other.pt is no checkpoint of mine.*{message}"):
        load_into(network(), path, "mine")
