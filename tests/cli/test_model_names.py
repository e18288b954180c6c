"""``ntknas kernel --model LIBRARY:NAME`` and ``ntknas explain --model``: what is computed, said and recorded."""

import json

import pytest
import torch

from ntknas import empirical_ntk
from ntknas.data import Request, make_probe
from ntknas.models import ModelOptions, load_model
from tests.cli.typed import ntknas
from tests.models.small import vit_configuration

PROBE = ["--probe", "digits", "--probe-size", 5]
NAME = "timm:test_resnet"


def answer(capsys, *arguments):
    code, out, err = ntknas(capsys, "kernel", "--model", *arguments, *PROBE, "--json")
    assert code == 0, err
    return json.loads(out)


def test_the_kernel_is_that_of_the_model_on_resized_images(capsys):
    got = answer(capsys, NAME, "--image-size", 24, "--seed", 3, "--precision", "float64")
    network = load_model(NAME, ModelOptions(num_classes=10, seed=3)).network.double()
    images = make_probe("digits", 5, Request()).images
    resized = torch.nn.functional.interpolate(images, (24, 24), mode="bilinear", antialias=True).double()
    expected = empirical_ntk(network, resized, strategy="row-loop").matrix
    torch.testing.assert_close(torch.tensor(got["matrix"], dtype=torch.float64), expected, rtol=1e-8, atol=0)
    recorded = got["network"]
    assert recorded["state_sha256"] == load_model(NAME, ModelOptions(num_classes=10, seed=3)).record["state_sha256"]
    assert {name: recorded[name] for name in ("library", "weights", "seed", "image_size", "resized_from")} == {
        "library": "timm",
        "weights": "random",
        "seed": 3,
        "image_size": [24, 24],
        "resized_from": [32, 32],
    }
    assert got["probe"]["shape"] == "5x3x32x32"


def test_the_size_is_that_which_the_model_wants(capsys):
    code, out, err = ntknas(capsys, "kernel", "--model", NAME, *PROBE)
    assert code == 0, err
    assert "random weights of seed 0; 5 digits images resized from 32×32 to 160×160; 10 outputs" in " ".join(
        out.split()
    )


def test_outputs_fit_the_probe_or_what_is_asked_for(capsys, tmp_path):
    path = vit_configuration(tmp_path)
    for options, outputs in (([], 10), (["--num-classes", 4], 4)):
        got = answer(capsys, f"hf:{path}", "--output", "full", *options)
        assert len(got["matrix"]) == 5 * outputs
        assert got["network"]["image_size"] == [16, 16]


def test_a_checkpoint(capsys, tmp_path):
    path = tmp_path / "best.pt"
    torch.save(load_model(NAME, ModelOptions(num_classes=10, seed=9)).network.state_dict(), path)
    got = answer(capsys, NAME, "--image-size", 24, "--checkpoint", path)
    again = answer(capsys, NAME, "--image-size", 24, "--seed", 9)
    assert got["matrix"] == again["matrix"]
    assert got["network"]["checkpoint"] == str(path)
    assert len(got["network"]["checkpoint_sha256"]) == 64
    code, _, err = ntknas(capsys, "kernel", "--model", NAME, *PROBE, "--checkpoint", path, "--num-classes", 4)
    assert code == 1
    assert "fc.weight is 10×96, expected 4×96" in err
    assert "Choose --num-classes and --image-size as the checkpoint has them" in " ".join(err.split())


def test_it_is_explained(capsys, tmp_path):
    picture = tmp_path / "mine.png"
    given = ["--model", NAME, *PROBE, "--image-size", 24, "--seed", 3]
    code, out, err = ntknas(capsys, "explain", *given, "--json", "--plot", picture)
    assert code == 0, err
    explained = json.loads(out)
    assert {"conv1.0", "fc"} <= {layer["name"] for layer in explained["layers"]}
    assert explained["network"] == answer(capsys, NAME, "--image-size", 24, "--seed", 3)["network"]
    assert picture.stat().st_size > 5000
    code, out, err = ntknas(capsys, "explain", *given)
    assert "random weights of seed 3; 5 digits images resized from 32×32 to 24×24" in " ".join(out.split())


WRONG = {
    "--checkpoint belongs to --model": ["8216", "--checkpoint", "best.pt"],
    "--weights belongs to --model": ["8216", "--weights", "default"],
    "--num-classes belongs to --model": ["8216", "--num-classes", "3"],
    "--init is of cells": ["--model", NAME, "--init", "xavier"],
    "Name a CELL, or a network with --model": ["8216", "--model", NAME],
    "Did you mean 'test_resnet'?": ["--model", "timm:test_resnett", *PROBE],
    "Did you mean 'timm'?": ["--model", "tim:resnet18", *PROBE],
    "There is no file best.pt": ["--model", NAME, "--checkpoint", "best.pt"],
    "Choose another --image-size": ["--model", "timm:test_vit", "--image-size", "30", *PROBE],
    "--weights and --checkpoint both say": ["--model", NAME, "--weights", "default", "--checkpoint", "best.pt"],
}


@pytest.mark.parametrize("message", WRONG)
@pytest.mark.parametrize("command", ["kernel", "explain"])
def test_what_is_wrong(capsys, tmp_path, monkeypatch, command, message):
    monkeypatch.chdir(tmp_path)
    code, _, err = ntknas(capsys, command, *WRONG[message])
    assert code in (1, 2)
    assert message in " ".join(err.split())
