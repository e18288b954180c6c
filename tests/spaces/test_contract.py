"""Every space keeps the contract, ours and the example of a third party; one that does not is told what is wrong."""

from pathlib import Path

import pytest
import torch
from torch import nn

from ntknas import load_space
from ntknas.spaces import CellSpace, ContractError, check_space, space_names
from ntknas.spaces.structure import Structure

PACKAGE = Path(__file__).parents[1] / "example_additions"
CELLS = {"nb201": [0, 1, 1444, 7812, 15_624], "nb-macro": [0, 3, 5, 6560]}  # 1444, 3 are networks of earlier cells, too


@pytest.fixture(autouse=True)
def _with_the_example(monkeypatch):
    monkeypatch.syspath_prepend(PACKAGE)


@pytest.mark.parametrize("name", ["chains", "nats-sss", "nb-macro", "nb101", "nb201"])
def test_a_space_keeps_its_contract(name):
    assert name in space_names()
    check_space(load_space(name), CELLS.get(name), channels=8)


def _wrapped(**members):
    """Return the example but for some of its members."""
    return type("Wrapped", (type(load_space("chains")),), members)()


def _another_device(self, cell, spec):
    return type(self).__mro__[1].network(self, cell, spec).double()


BROKEN = {
    "has spaces, commas or slashes": {"name": "a b"},
    "`defaults` needs channels": {"defaults": {"channels": 8}},
    "`variants` needs 'official'": {"variants": ("other",)},
    "it has no cells": {"size": 0},
    "its keys have 1 digits, as an index may have": {"key_length": 1},
    "its text 'skip-skip' is no key of 9 digits": {"key_length": 9},
    "none of its `encodings` reads 'skip-skip'": {"encodings": {"a name": lambda text: None}},
    "as a code its text 'skip-skip' is that of cell 3": {"encodings": {"a code": lambda text: 3}},
    r"space\[-1\] raises no IndexError": {"__getitem__": lambda self, index: self.at(index)},
    "`index` raises no ChoiceError": {"index": lambda self, text: 0},
    "iteration does not begin with cell 0": {"__iter__": lambda self: iter([self[3]])},
    "its text 'skip-skip' is that of cell 7": {"index": lambda self, text: 7 if "-" in text else int(text)},
    "its `index` is 5": {"at": lambda self, index: type(self).__mro__[1].at(self, 5)},
    "`is_disconnected` is neither": {"is_disconnected": lambda self, cell: None},
    "parameters, `parameters` says 7": {"parameters": lambda self, cell, **options: 7},
    "`flops` is negative": {"flops": lambda self, cell, **options: -1},
    "is not in float32": {"network": _another_device},
    r"returns \(2, 4\) for 2 images": {"network": lambda self, cell, spec: _plain(4, spec.seed)},
    "numbers that are not finite": {"network": lambda self, cell, spec: _plain(3, spec.seed, scale=float("inf"))},
    "networks of two seeds are the same": {"network": lambda self, cell, spec: _plain(3, 0)},
    "two networks of one seed differ": {"network": lambda self, cell, spec: _layers(3)},
    "under 'all' is 99: no index": {"representative": lambda self, cell, *rest, **options: 99},
    "under 'weights', 0, is another network": {"representative": lambda self, cell, *rest, **options: 0},
    "trainable tensors, `structure` says 1": {"structure": lambda self, cell, **options: Structure(1, 1, 1, 1)},
    "`structure` finds 9,999,999 parameters": {
        "structure": lambda self, cell, **options: Structure(9_999_999, 1, 1, 1)
    },
    "its isomorphic cell is 99": {
        "isomorphism_representative": lambda self, cell: 99,
        "has_dead_operation": lambda self, cell: False,
    },
    "`build` takes any init": {"build": lambda self, cell, **options: _plain(3, options.get("seed"))},
}


def _layers(outputs):
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, outputs))


def _plain(outputs, seed, scale=1.0):
    with torch.random.fork_rng():
        torch.manual_seed(seed or 0)
        network = _layers(outputs)
        network[1].weight.data *= scale
        return network


@pytest.mark.parametrize("message", list(BROKEN))
def test_what_a_space_has_wrong_is_named(message):
    with pytest.raises(ContractError, match=message):
        check_space(_wrapped(**BROKEN[message]), [0, 6])


def test_a_thing_that_is_no_space():
    with pytest.raises(ContractError, match="The space '\\?': name, defaults, variants, __len__, .* is missing"):
        check_space(object())


def test_cells_of_another_space_are_refused():
    ours, other = load_space("nb201"), load_space("nats-sss")
    assert isinstance(ours, CellSpace)
    with pytest.raises(ValueError, match="Not a cell of nb201: 8:8:8:8:8. Its cell 0 is"):
        ours.is_disconnected(other[0])
