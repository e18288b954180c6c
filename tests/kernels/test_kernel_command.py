"""``ntknas kernel --model`` on networks with a peculiarity: the right kernel, or what to do."""

import json

import pytest
import torch

from ntknas.cli.main import run as command
from tests.kernels import reference
from tests.kernels.peculiar import PECULIAR

FILE = """
import torch
import torch.nn.functional as F
from torch import nn
from tests.kernels.peculiar import PECULIAR

def of_name(name):
    case = next(case for case in PECULIAR if case.name == name)
    return case.make(), case.inputs()

def checkpointed(): return of_name("re-entrant checkpoint")
def in_place(): return of_name("writes into its input")
def sparse(): return of_name("sparse embedding")
def complex_weights(): return of_name("complex weights")
def encoder(): return of_name("transformer layer")
def activates(): return of_name("normalises and activates")

class Last(nn.Linear):
    def forward(self, x):
        return self.step(super().forward(x))

def last(step):
    network = Last(4, 3)
    network.step = step
    return network, torch.randn(5, 4)

def dropout(): return last(lambda y: F.dropout(y, 0.5))
def complex_output(): return last(lambda y: torch.complex(y, 2 * y))
def half(): return last(lambda y: y.half())
def hooked():
    network, x = last(torch.tanh)
    network.register_full_backward_hook(lambda *_: None)
    return network, x
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(FILE)
    return path


@pytest.mark.parametrize(
    ("function", "name"),
    [
        ("checkpointed", "re-entrant checkpoint"),
        ("in_place", "writes into its input"),
        ("sparse", "sparse embedding"),
        ("complex_weights", "complex weights"),
        ("encoder", "transformer layer"),
        ("activates", "normalises and activates"),
    ],
)
def test_the_right_kernel(file, capsys, function, name):
    options = ["--parameters", "all", "--batch-norm", "frozen", "--precision", "float64", "--json"]
    assert command(["kernel", "--model", f"{file}:{function}", *options]) == 0
    got = torch.tensor(json.loads(capsys.readouterr().out)["matrix"], dtype=torch.float64)
    case = next(case for case in PECULIAR if case.name == name)
    twin = case.same()
    jacobian = reference.jacobian_under(twin, case.batch(), [key for key, _ in twin.named_parameters()], "frozen")
    assert torch.allclose(got, reference.kernel(jacobian, jacobian, "sum", None), rtol=1e-8)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("dropout", "not one fixed function"),
        ("complex_output", "torch.view_as_real"),
        ("half", "lowers the precision"),
        ("hooked", "Backward hooks are registered on the network itself"),
    ],
)
def test_what_to_do(file, capsys, function, message):
    assert command(["kernel", "--model", f"{file}:{function}"]) == 1
    assert message in " ".join(capsys.readouterr().err.split())
