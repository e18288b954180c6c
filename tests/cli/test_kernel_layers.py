"""``ntknas kernel --layers`` and ``--save``."""

import json

import pytest

from ntknas.cli.main import run as command
from ntknas.kernels import load_kernel

SMALL = ["--probe", "digits", "--probe-size", "6", "--channels", "2", "--cells-per-stage", "1"]
MINE = """
from torch import nn


def make():
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 4), nn.Tanh(), nn.Linear(4, 10))
"""


def test_layers_of_a_cell_are_shown_and_saved(tmp_path, capsys):
    file = tmp_path / "folder" / "kernel.h5"
    assert command(["kernel", "8216", *SMALL, "--layers", "--save", str(file)]) == 0
    out = capsys.readouterr().out
    assert "layers_entropy" in out
    assert "layers, K = Σ K_l" in out
    kernel = load_kernel(file)
    assert all(layer.name in out for layer in kernel.layers)
    assert sum(layer.kernel.matrix for layer in kernel.layers).numpy() == pytest.approx(kernel.matrix.numpy())


def test_layers_of_a_network_of_one_s_own_are_in_the_json(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(MINE)
    assert command(["kernel", "--model", "mine.py:make", *SMALL[:4], "--layers", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [(layer["name"], layer["kind"], layer["parameters"]) for layer in answer["layers"]] == [
        ("1", "Linear", 3 * 32 * 32 * 4),
        ("3", "Linear", 40),
    ]
    (trace,) = [measure["value"] for measure in answer["measures"] if measure["measure"] == "trace"]
    assert sum(layer["trace"] for layer in answer["layers"]) == pytest.approx(trace, rel=1e-6)


def test_without_layers_there_are_none(tmp_path, capsys):
    assert command(["kernel", "8216", *SMALL, "--json", "--save", str(tmp_path / "k.h5")]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert "layers" not in answer
    assert not {name for name in (m["measure"] for m in answer["measures"]) if name.startswith("layers_")}
    assert load_kernel(tmp_path / "k.h5").layers is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--layers", "--normalisation", "cosine"], "of layers, which add up to a kernel without"),
        (["--save", "."], "is a directory"),
    ],
)
def test_what_is_refused(options, message, capsys):
    assert command(["kernel", "8216", *SMALL, *options]) in (1, 2)
    assert message in capsys.readouterr().err
