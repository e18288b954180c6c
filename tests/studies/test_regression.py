"""The study of kernel regression."""

import json

import pytest
import torch

from ntknas.cli.main import run as command
from ntknas.core.errors import ChoiceError, KernelError
from ntknas.studies import limits
from ntknas.studies.claims.regression import RIDGES, Regression, _train
from ntknas.studies.data import StudyData
from ntknas.studies.subject import Subject

SMALL = {"test": 12, "width": 24, "steps": 20, "repeats": 2}


@pytest.mark.parametrize(("family", "data"), [("mlp-1", "mnist"), ("mlp-1", "boston")])
def test_rows_of_a_repeat(family, data):
    study = Regression(Subject(family, data, 30), **SMALL)
    rows = study.measure((0,))
    methods = [row["method"] for row in rows]
    assert methods == [
        "network",
        *(f"{way}, {kernel}" for kernel in ("start", "end", "infinite") for way in ("flow", "ridge")),
        "kernels",
    ]
    by = {row["method"]: row for row in rows}
    assert by["network"]["distance"] == 0
    assert all(0 <= by["kernels"]["alignment"][key] <= 1.0000001 for key in by["kernels"]["alignment"])
    assert by["ridge, start"]["ridge"] in RIDGES
    assert len(by["kernels"]["spectra"]["infinite"]) == 30
    assert study.measure((0,)) == rows


def test_wider_networks_are_nearer_to_the_flow_of_their_kernel():
    distances = []
    for width in (16, 1024):
        rows = Regression(Subject("mlp-1", "boston", 40), 20, width, 30, 1).measure((0,))
        distances.append(next(row["distance"] for row in rows if row["method"] == "flow, start"))
    assert distances[1] < 0.5 * distances[0]
    assert distances[1] < 0.05


@pytest.mark.parametrize(("family", "data"), [("mlp", "boston"), ("mlp", "mnist"), ("cnn", "mnist")])
def test_the_command(tmp_path, capsys, family, data):
    options = ["--quick", "--family", family, "--data", data, "--samples", "20", "--steps", "4", "--widths", "8"]
    assert command(["study", "regression", *options, "--out", str(tmp_path), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert len(answer["rows"]) == 7
    assert "nearest" in " ".join(answer["verdict"])
    assert (tmp_path / f"regression-{family}-{data}-ntk-quick.md").exists()
    assert (tmp_path / f"regression-{family}-{data}-ntk-quick-spectra.png").stat().st_size > 5000


def test_bad_input(tmp_path, capsys, monkeypatch):
    with pytest.raises(ChoiceError, match="take images"):
        Regression.of("cnn", "boston")
    with pytest.raises(ChoiceError, match="At least 10"):
        Regression.of(samples=3)
    with pytest.raises(ChoiceError, match="family"):
        Regression.of("transformer")
    assert command(["study", "regression", "--quick", "--data", "sine", "--out", str(tmp_path)]) == 1
    assert "data of this study" in capsys.readouterr().err
    assert command(["study", "regression", "--quick", "--samples", "10", "--out", str(tmp_path)]) == 2
    assert "--samples must be at least 20" in capsys.readouterr().err


def test_a_training_that_diverges():
    from torch import nn

    network = nn.Linear(2, 1).double()
    x = torch.ones(3, 2, dtype=torch.float64)
    with pytest.raises(KernelError, match="diverged at rate"):
        _train(network, x, x[:, :1], 1e200, 20)


def test_pooled_networks_say_first_how_long_their_kernel_takes(tmp_path, capsys, monkeypatch):
    images = StudyData("mnist", torch.randn(30, 1, 7, 7).double(), torch.arange(30) % 10, "made up")
    monkeypatch.setattr(limits, "load", lambda *_: images)
    arguments = ["--samples", "20", "--widths", "8", "--steps", "3", "--device", "cpu", "--out", str(tmp_path)]
    assert command(["study", "regression", "--quick", "--family", "cnn-pool", *arguments]) == 0
    captured = capsys.readouterr()
    assert "The infinite kernel with global average pooling takes some" in captured.err
    assert "flow, infinite" in captured.out
