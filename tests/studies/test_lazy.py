"""Lazy training: linear models are their own linearisation, and the laws of large scales hold where they must."""

import json
import math

import numpy as np
import pytest
import torch
from torch import nn

from ntknas import empirical_ntk
from ntknas.cli.main import run as command
from ntknas.core.errors import ChoiceError
from ntknas.studies.claims.lazy import SHARES, Lazy
from ntknas.studies.scaled_training import ScaledTraining


def some_network(seed=0, width=16):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, width), nn.Tanh(), nn.Linear(width, 1)).double()


X = torch.randn(12, 3, generator=torch.Generator().manual_seed(0)).double()
Y = X.prod(1, keepdim=True)


class TestScaledTraining:
    def test_a_linear_model_is_its_linearisation_at_every_scale(self):
        for alpha in (0.01, 1.0, 100.0):
            torch.manual_seed(0)
            records, status = ScaledTraining(nn.Linear(3, 1).double(), X, Y, 8, alpha, 30).run(SHARES)
            assert status == "ok"
            assert [each.share for each in records] == list(SHARES)
            assert max(each.distance for each in records) < 1e-8 / min(alpha, 1)
            assert max(each.drift for each in records) < 1e-9

    def test_the_first_step_is_one_of_plain_gradient_descent(self):
        network, alpha = some_network(), 3.0
        with torch.no_grad():
            start = network(X)
        kernel = empirical_ntk(network, X, parameters="all").matrix
        step = 8 / (2 * float(torch.linalg.eigvalsh(kernel[:8, :8])[-1]))
        again = some_network()
        loss = (alpha * (again(X[:8]) - start[:8]) - Y[:8]).square().mean() / alpha**2
        loss.backward()
        with torch.no_grad():
            for parameter in again.parameters():
                parameter -= step * parameter.grad
            found = alpha * (again(X) - start)
        ((record,), status) = ScaledTraining(network, X, Y, 8, alpha, 1).run([1.0])
        assert status == "ok"
        linear = 2 * step / 8 * kernel[8:, :8] @ Y[:8]
        assert record.distance == pytest.approx(float((found[8:] - linear).norm() / linear.norm()))
        assert record.error == pytest.approx(float((found - Y)[8:].square().mean()))
        first = some_network()
        moved = sum(float((a - b).square().sum()) for a, b in zip(again.parameters(), first.parameters(), strict=True))
        size = sum(float(each.square().sum()) for each in first.parameters())
        assert record.change == pytest.approx(math.sqrt(moved / size))
        assert set(record.layers) == {"0", "2"}
        later = empirical_ntk(again, X, parameters="all").matrix
        assert record.drift == pytest.approx(float((later - kernel).norm() / kernel.norm()))

    def test_smooth_networks_obey_the_laws_of_large_scales(self):
        ends = []
        for alpha in (100.0, 1000.0):
            (record,), _ = ScaledTraining(some_network(), X, Y, 8, alpha, 40).run([1.0])
            ends.append(record)
        for name in ("change", "distance", "drift"):
            assert getattr(ends[0], name) / getattr(ends[1], name) == pytest.approx(10, rel=0.03)

    def test_a_loss_that_would_rise_is_undone(self):
        """At small scales the kernel grows, and steps that were fit for it at the start are too large."""
        training = ScaledTraining(some_network(), X, Y, 8, 0.01, 30)
        records, status = training.run(SHARES)
        losses = [each.loss for each in records]
        assert status in ("ok", "unfinished")
        assert losses == sorted(losses, reverse=True)

    def test_no_number_is_a_status(self):
        network = some_network()
        with torch.no_grad():
            network[2].weight[0, 0] = 1e200
        assert ScaledTraining(network, X, 1e200 * Y, 8, 1.0, 3).run([1.0]) == ([], "diverged")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"widths": (8, 4)}, "`widths` expects positive numbers that ascend"),
        ({"alphas": ()}, "`alphas` expects"),
        ({"steps": 0}, "a step and a repeat"),
        ({"alphas": (1.0, 1e30)}, "rounding"),
        ({"family": "lstm"}, "family of this study"),
    ],
)
def test_bad_choices(wrong, message):
    with pytest.raises(ChoiceError, match=message):
        Lazy.of(**wrong).settings()


def test_trainings_that_did_not_end_are_counted_and_left_out():
    study = Lazy.of(widths=(4, 8), alphas=(0.1, 1.0), repeats=2, samples=6, steps=3)
    rows = [row for unit in study.units() for row in study.measure(unit)]
    lost = [row for row in rows if (row["width"], row["alpha"], row["repeat"]) == (8, 0.1, 1)][:2]
    kept = [row for row in rows if (row["width"], row["alpha"], row["repeat"]) != (8, 0.1, 1)]
    about = {"width": 8, "alpha": 0.1, "repeat": 1}
    found = study.summarise([*kept, *lost, {**about, "status": "diverged"}])
    line = found.table.set_index(["width", "alpha"]).loc[(8, 0.1)]
    assert (line["ended"], line["diverged"], line["unfinished"]) == (1, 1, 0)
    alone = next(row for row in kept if (row["width"], row["alpha"]) == (8, 0.1) and row["share"] == 1.0)
    assert line["change"] == pytest.approx(alone["change"])
    assert "1 trainings did not end (α from 0.1 to 0.1)" in found.verdict.sentences[-1]


def test_one_class_is_nothing_to_learn():
    study = Lazy.of("gnn", widths=(4,), alphas=(1.0,), samples=6)
    study._limit.y.fill_(1)
    with pytest.raises(ChoiceError, match="All samples are of one class"):
        study.measure((4, 1.0, 0))


def test_nothing_ended():
    study = Lazy.of(widths=(4,), alphas=(1.0,), repeats=1, samples=6, steps=3)
    found = study.summarise([{"width": 4, "alpha": 1.0, "repeat": 0, "status": "diverged"}])
    assert np.isnan(found.table["change"].iloc[0])
    assert "did not end" in found.verdict.sentences[-1]


@pytest.mark.parametrize("family", ["mlp", "cnn", "gnn", "rnn", "transformer"])
def test_the_command(tmp_path, capsys, family):
    small = ["--samples", "8", "--steps", "3", "--widths", "8,16", "--alphas", "10,100", "--repeats", "1"]
    arguments = ["study", "lazy", "--quick", "--family", family, "--device", "cpu", *small]
    assert command([*arguments, "--out", str(tmp_path), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    for width in {row["width"] for row in answer["rows"]}:
        changes = [row["change"] for row in answer["rows"] if row["width"] == width]
        assert changes == sorted(changes, reverse=True)
        assert changes[-2] / changes[-1] == pytest.approx(10, rel=0.1)
    assert len(list(tmp_path.glob("*.png"))) == 3


@pytest.mark.parametrize("alphas", ["a", "0,1", "-1", "inf", "1,1", ",", "1e200"])
def test_scales_that_are_none(capsys, alphas, tmp_path):
    assert command(["study", "lazy", "--quick", "--alphas", alphas, "--out", str(tmp_path)]) == 1
    assert "--alphas expects" in capsys.readouterr().err
