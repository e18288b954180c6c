"""Scores of kernels under attack: what identifies them, how they are asked for, and what is refused."""

import hashlib

import numpy as np
import pytest
import torch

from ntknas import load_store, measure, perturbed_ntk
from ntknas.cli.main import run
from ntknas.core.choices import Choices
from ntknas.core.errors import ChoiceError, DataError
from ntknas.correlation.names import kernel_names
from ntknas.data import make_probe
from ntknas.scoring import Job, Recipe, Training
from ntknas.scoring.cell_kernel import cell_network, prepare_images
from ntknas.spaces.nb201 import identity
from ntknas.store.frame import settings_of
from ntknas.training import TrainingImages, TrainingOptions
from tests.cli.typed import ntknas as typed
from tests.scoring.sessions import DISCONNECTED, PROBE, SMALL, SPACE, TINY, by_key, recipe, score

ARGUMENTS = ["score", "--probe", "digits", "--probe-size", "4", "--channels", "2", "--cells-per-stage", "1"]


def settings(*measures, **choices):
    job = Job(SPACE, "cifar10", recipe(*measures, **choices), PROBE)
    return [job.setting(group) for group in job.groups(0)]


def test_an_attack_is_two_fields_of_a_kernels_setting_and_none_of_a_networks():
    clean, network = settings("trace", "naswot")
    attacked, alike = settings("trace", "naswot", perturb="pgd20:8/255", kernel_of="mixed:0.5")
    assert dict(attacked.fields) == {**clean.fields, "perturb": "pgd20:8/255", "kernel_of": "mixed:1/2"}
    assert alike == network
    assert (attacked.perturb, attacked.kernel_of) == ("pgd20:8/255", "mixed:1/2")
    assert (clean.perturb, clean.kernel_of) == (None, None)
    assert attacked.kernel == Choices(perturb="pgd20:8/255", kernel_of="mixed:0.5")
    assert hashlib.sha256(attacked.text.encode()).hexdigest()[:16] == attacked.digest == "fc2c7f6ea0ebf64f"
    assert settings("trace", perturb="fgsm:2/510")[0].digest == settings("trace", perturb="fgsm:1/255")[0].digest
    assert settings("trace", perturb="fgsm:1/255", kernel_of="clean") == [clean]


def test_scores_are_those_of_the_networks_own_attack(tmp_path):
    cells, seeds = [284, 8216, DISCONNECTED], (0, 3)
    what = recipe("lambda_min", "trace", perturb="pgd2:8/255", kernel_of="mixed-robust:0.5", precision="float64")
    result = by_key(score(tmp_path / "s.h5", cells, what, seeds=seeds))
    images, how = prepare_images(PROBE.images, "cpu", "float64"), PROBE.pixel_range
    for cell in cells[:2]:
        for seed in seeds:
            network = cell_network(SPACE, cell, seed, "cifar10", SMALL, images)
            arguments = ("pgd2:8/255", "mixed-robust:0.5")
            kernel = perturbed_ntk(
                network, images, PROBE.labels, *arguments, black=how.black, white=how.white, seed=seed
            )
            for name in ("lambda_min", "trace"):
                assert result.loc[(cell, seed, name), "value"] == pytest.approx(measure(name, kernel).value, rel=1e-8)
    assert set(result.loc[DISCONNECTED]["status"]) == {"disconnected"}


def test_a_network_whose_loss_has_no_gradient_has_a_status(tmp_path, monkeypatch):
    monkeypatch.setattr(SPACE, "is_disconnected", lambda cell: False)
    result = score(tmp_path / "s.h5", [DISCONNECTED], recipe("trace", perturb="fgsm:1/255"))
    assert list(result.frame["status"]) == ["disconnected"]
    assert "no gradient by the images" in result.frame["reason"][0]


def test_kernels_of_one_store_are_told_apart(tmp_path):
    path = tmp_path / "s.h5"
    attacks = [{}, {"perturb": "fgsm:1/255"}, {"perturb": "fgsm:1/255", "kernel_of": "mixed:0.5"}]
    for choices in [*attacks, {"perturb": "fgsm:8/255"}]:
        score(path, [284, 8216], recipe("trace", **choices))
    frame = load_store(path)
    named = set(kernel_names(settings_of(frame)).values())
    assert named == {
        "sum/frozen/weights/clean/unperturbed",
        "sum/frozen/weights/perturbed/fgsm:1/255",
        "sum/frozen/weights/mixed:1/2/fgsm:1/255",
        "sum/frozen/weights/perturbed/fgsm:8/255",
    }
    values = frame.pivot(index="setting", columns="cell", values="value").to_numpy()
    assert len(np.unique(values)) == values.size
    assert score(path, [284, 8216], recipe("trace", perturb="fgsm:8/2040")).summary.kernels_computed == 0


def test_kernels_of_one_attack_have_names_without_it(tmp_path):
    result = score(tmp_path / "s.h5", [284], recipe("trace", "naswot", perturb="fgsm:1/255"))
    assert set(kernel_names(settings_of(result.frame)).values()) == {"sum/frozen/weights", "network/training/all"}


def test_the_command_and_a_recipe_file(tmp_path, capsys):
    store, file = tmp_path / "s.h5", tmp_path / "robust.toml"
    file.write_text('[score]\nmeasures = "trace"\nperturb = "fgsm:8/255"\nkernel-of = "mixed:0.25"\n')
    cells = tmp_path / "cells.txt"
    cells.write_text("284\n")
    common = [*ARGUMENTS, "--cells-file", str(cells), "--store", str(store)]
    assert run([*common, "--recipe", str(file)]) == 0
    assert run([*common, "--measures", "trace", "--perturb", "fgsm:8/255", "--kernel-of", "mixed:1/4"]) == 0
    frame = load_store(store)
    assert len(frame) == 1
    assert (frame["perturb"][0], frame["kernel_of"][0]) == ("fgsm:8/255", "mixed:1/4")
    capsys.readouterr()
    shown = ["kernel", "284", *ARGUMENTS[1:], "--perturb", "fgsm:8/255", "--kernel-of", "mixed:1/4", "--json"]
    code, out, _ = typed(capsys, *shown)
    assert code == 0
    assert '"perturb": "fgsm:8/255"' in out
    code, out, _ = typed(capsys, *shown[:-1])
    assert "mixed:1/4 by fgsm:8/255" in out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--perturb", "pgd:2"], "--perturb is one of none, fgsm:EPS, pgdT:EPS[:ALPHA]"),
        (["--perturb", "fgsm:2"], "--perturb: EPS in 'fgsm:2' is '2', expected a number from 0 to 1"),
        (["--kernel-of", "mixed:0.5"], "--kernel-of mixed:0.5 needs an attack: give --perturb too"),
        (["--perturb", "fgsm:1/255", "--kernel-of", "mixd:1"], "--kernel-of is one of clean, perturbed"),
        (["--perturb", "fgsm:1/255", "--probe", "noise"], "the images of noise have none: choose another --probe"),
        (["--perturb", "fgsm:1/255", "--measures", "krr_acc"], "'krr_acc' is of images that are not attacked"),
    ],
)
def test_what_is_refused_before_anything_is_computed(tmp_path, capsys, options, message):
    code, _, err = typed(capsys, *ARGUMENTS, "--cells", "1", "--store", str(tmp_path / "s.h5"), *options)
    assert code == 1
    assert message in err
    assert not (tmp_path / "s.h5").exists()


def test_the_library_refuses_them_too(tmp_path):
    noise = make_probe("noise", 4, TINY)
    with pytest.raises(DataError, match="the images of noise have none"):
        score(tmp_path / "s.h5", [284], recipe("trace", perturb="fgsm:1/255"), probe=noise)
    with pytest.raises(ChoiceError, match="not attacked"):
        Recipe(choices=Choices(perturb="fgsm:1/255"), measures=("krr_mse",))


MODELS = """
import torch
from torch import nn


def module():
    return nn.Sequential(nn.Flatten(), nn.Linear(3072, 10))


def with_inputs():
    return nn.Sequential(nn.Flatten(), nn.Linear(12, 3)), torch.rand(4, 3, 2, 2), torch.tensor([0, 1, 2, 0])
"""


def test_one_kernel_looked_at(tmp_path, capsys):
    (tmp_path / "mine.py").write_text(MODELS)
    attack = ["--perturb", "fgsm:8/255", "--probe", "digits", "--probe-size", "4"]
    code, out, _ = typed(capsys, "kernel", "--model", f"{tmp_path}/mine.py:module", *attack)
    assert code == 0
    assert "perturbed by fgsm:8/255" in out
    code, _, err = typed(capsys, "kernel", "--model", f"{tmp_path}/mine.py:with_inputs", *attack)
    assert code == 1
    assert "--perturb moves pixels from 0 to 1, and nothing says where they lie in inputs of your own" in err
    code, _, err = typed(capsys, "kernel", str(DISCONNECTED), *attack, "--channels", "2", "--cells-per-stage", "1")
    assert code == 1
    assert "There is no kernel under attack: the loss has no gradient by the images" in err


def test_equal_networks_are_attacked_alike():
    """Cells that share scores as one network: their kernels under attack are one to rounding."""
    same = identity.class_representatives("weights")
    twins = next((r, i) for i, r in enumerate(same) if r != i and not SPACE.is_disconnected(i) and i > 5000)
    images, how = PROBE.images.double(), PROBE.pixel_range
    kernels = [
        perturbed_ntk(
            cell_network(SPACE, cell, 1, "cifar10", SMALL, images),
            *(images, PROBE.labels, "pgd3:8/255", "mixed:0.5"),
            black=how.black,
            white=how.white,
        ).matrix
        for cell in twins
    ]
    torch.testing.assert_close(*kernels, rtol=1e-6, atol=0)


def test_a_trained_network_attacks_itself(tmp_path):
    training = Training(TrainingImages("digits", TINY, 60), TrainingOptions(batch_size=25), (0, 1))
    what = recipe("trace", perturb="fgsm:8/255")
    frame = score(tmp_path / "s.h5", [284], what, training=training).frame
    frame = frame[frame["measure"] == "trace"]
    assert list(frame["perturb"]) == ["fgsm:8/255"] * 2
    assert frame["value"].nunique() == 2
