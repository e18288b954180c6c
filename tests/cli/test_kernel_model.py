"""``ntknas kernel --model``: the kernel of a user's own module."""

import json
import sys

import numpy as np
import pytest
import torch

from ntknas.cli.main import run as command

FILE = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, inputs, hidden, outputs):
        super().__init__()
        self.first, self.second = nn.Linear(inputs, hidden), nn.Linear(hidden, outputs)

    def forward(self, x):
        return self.second(torch.relu(self.first(x)))

def blog():
    return Net(20, 10, 1), torch.randn(12, 20)

def with_labels():
    return Net(4, 10, 3), torch.randn(9, 4), torch.arange(9) % 3

def image_net():
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 10))

def broken():
    raise ValueError("no weights here")

def leaves():
    raise SystemExit(3)

def float_labels():
    return nn.Linear(4, 3), torch.randn(5, 4), torch.randn(5)

def other_inputs():
    return nn.Linear(4, 1), torch.randn(5, 7)

def nothing():
    return torch.zeros(3)

class Sign(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.sign()

    @staticmethod
    def backward(ctx, gradient):
        return gradient

class StraightThrough(nn.Linear):
    def forward(self, x):
        return Sign.apply(super().forward(x))

def straight_through():
    return StraightThrough(4, 1), torch.randn(5, 4)

NUMBER = 3
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(FILE)
    return path


def test_the_kernel_is_that_of_the_module(file, capsys):
    assert command(["kernel", "--model", f"{file}:blog", "--parameters", "all", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["model"] == f"{file}:blog"
    assert answer["inputs"] == "12x20"
    torch.manual_seed(0)
    space = {}
    exec(FILE, space)
    model, x = space["blog"]()
    rows = []
    for sample in x:  # the loop of the blog
        model.zero_grad()
        model(sample.unsqueeze(0)).backward()
        rows.append(torch.cat([parameter.grad.flatten() for parameter in model.parameters()]).double())
    rows = torch.stack(rows)
    np.testing.assert_allclose(answer["matrix"], (rows @ rows.T).numpy(), rtol=1e-4, atol=1e-5)
    assert "lga" not in {each["measure"] for each in answer["measures"]}


def test_with_labels_and_a_picture(file, tmp_path, capsys):
    picture = tmp_path / "kernel.png"
    assert command(["kernel", "--model", f"{file}:with_labels", "--plot", str(picture)]) == 0
    assert "lga" in capsys.readouterr().out
    assert picture.stat().st_size > 5000


def test_without_inputs_it_sees_the_probe(file, capsys):
    options = ["--probe", "digits", "--probe-size", "10", "--json"]
    assert command(["kernel", "--model", f"{file}:image_net", *options]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["probe"]["source"] == "digits"
    assert len(answer["matrix"]) == 10


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("mine.py", "expects FILE.py:function"),
        ("none.py:blog", "There is no file"),
        ("{file}:absent", "has no function 'absent': it has Net, blog"),
        ("{file}:NUMBER", "has no function 'NUMBER'"),
        ("{file}:broken", "raised ValueError: no weights here"),
        ("{file}:leaves", "raised SystemExit: 3"),
        ("{file}:float_labels", "Labels must be whole numbers"),
        ("{file}:other_inputs", "fails on inputs of shape (5, 7)"),
        ("{file}:nothing", "must return a torch.nn.Module"),
    ],
)
def test_bad_input(file, capsys, place, message):
    assert command(["kernel", "--model", place.format(file=file)]) == 1
    assert message in capsys.readouterr().err


def test_what_is_no_derivative_is_refused_unless_asked_for(file, capsys):
    chosen = ["kernel", "--model", f"{file}:straight_through", "--parameters", "all", "--json"]
    assert command(chosen) == 1
    assert "Remove it, or give --no-verify, which computes what autograd returns" in capsys.readouterr().err
    assert command([*chosen, "--no-verify"]) == 0
    x = torch.cat([straight_through_inputs(), torch.ones(5, 1)], dim=1).double()  # rows of weight and bias
    np.testing.assert_allclose(json.loads(capsys.readouterr().out)["matrix"], (x @ x.T).numpy(), rtol=1e-5)
    assert command(["kernel", "0", "--no-verify"]) == 2


def straight_through_inputs():
    torch.manual_seed(0)
    space = {}
    exec(FILE, space)
    return space["straight_through"]()[1]


def test_a_file_that_cannot_be_run(tmp_path, capsys):
    path = tmp_path / "wrong.py"
    path.write_text("def f(:")
    assert command(["kernel", "--model", f"{path}:f"]) == 1
    assert "cannot be run: SyntaxError" in capsys.readouterr().err


BESIDE = """
import torch
from torch import nn
import beside_the_model
from package_beside import part

class Late(nn.Module):
    def forward(self, x):
        from package_beside import later
        return later.double(part.flatten(x)).sum(1, keepdim=True) * self.weight
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(beside_the_model.WEIGHT))

def make():
    from package_beside import inputs
    return Late(), inputs.ONES
"""


def test_a_file_imports_what_lies_beside_it(tmp_path, monkeypatch, capsys):
    """On import, in the function and in the module's forward pass, from any working folder, as ``python FILE.py``."""
    folder, elsewhere = tmp_path / "models", tmp_path / "elsewhere"
    (folder / "package_beside").mkdir(parents=True)
    elsewhere.mkdir()
    (folder / "mine.py").write_text(BESIDE)
    (folder / "beside_the_model.py").write_text("WEIGHT = 3.0")
    (folder / "package_beside" / "__init__.py").write_text("")
    (folder / "package_beside" / "part.py").write_text("def flatten(x): return x.flatten(1)")
    (folder / "package_beside" / "inputs.py").write_text("import torch\nONES = torch.ones(2, 5)")
    (folder / "package_beside" / "later.py").write_text("def double(x): return 2 * x")
    monkeypatch.chdir(elsewhere)
    before = list(sys.path)
    assert command(["kernel", "--model", "../models/mine.py:make", "--parameters", "all", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["matrix"] == [[100.0, 100.0], [100.0, 100.0]]  # (2 · 5)²
    assert sys.path == before


def test_the_path_is_as_it_was_when_a_file_fails(file, capsys):
    before = list(sys.path)
    assert command(["kernel", "--model", f"{file}:broken"]) == 1
    assert sys.path == before


def test_a_cell_or_a_module(file, capsys):
    for arguments in ([], ["0", "--model", f"{file}:blog"], ["--model", f"{file}:blog", "--channels", "4"]):
        assert command(["kernel", *arguments]) == 2
    assert "--channels is of cells" in capsys.readouterr().err
