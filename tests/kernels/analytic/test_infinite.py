"""Infinite-width kernels: equal to neural-tangents, and the limit of our own finite networks."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats

from ntknas import empirical_ntk
from ntknas.core.errors import ChoiceError, KernelError
from ntknas.kernels import memory
from ntknas.kernels.analytic import (
    Activation,
    Convolution,
    Dense,
    Flatten,
    GlobalAveragePool,
    convolutional,
    finite_network,
    fully_connected,
    infinite,
    infinite_kernel,
)

TABLE = json.loads((Path(__file__).parent / "neural_tangents.json").read_text())
VECTORS, IMAGES = (torch.tensor(TABLE[name], dtype=torch.float64) for name in ("vectors", "images"))


def layers_of(case):
    options = {name: case[name] for name in ("activation", "weight_std", "bias_std")}
    if case["kind"] == "fully_connected":
        return fully_connected(case["depth"], **options)
    window = {name: case[name] for name in ("size", "stride", "padding", "pooling")}
    return convolutional(case["depth"], **options, **window)


def name_of(case):
    return "-".join(str(value) for key, value in case.items() if key not in ("nngp", "ntk"))


@pytest.mark.parametrize("case", TABLE["cases"], ids=name_of)
def test_equal_to_neural_tangents(case):
    x = VECTORS if case["kind"] == "fully_connected" else IMAGES
    found = infinite_kernel(layers_of(case), x[:3], x[1:])
    for name in ("nngp", "ntk"):
        expected = torch.tensor(case[name], dtype=torch.float64)
        torch.testing.assert_close(getattr(found, name), expected, rtol=1e-6, atol=1e-9)


def test_the_table_covers_what_it_should():
    cases = TABLE["cases"]
    for key, values in {
        "activation": {"relu", "erf"},
        "depth": {1, 2, 5},
        "padding": {"SAME", "VALID"},
        "stride": {1, 2},
        "pooling": {True, False},
    }.items():
        assert {case[key] for case in cases if key in case} == values
    assert len({(case["weight_std"], case["bias_std"]) for case in cases}) == 3


@pytest.mark.parametrize(
    "layers",
    [
        fully_connected(2, "relu", 1.4, 0.2),
        convolutional(2, "erf", 1.2, 0.1),
        convolutional(1, "relu", 1.2, 0.1, pooling=True),
    ],
    ids=["dense", "flatten", "pooling"],
)
def test_blocks_change_nothing(layers, monkeypatch):
    whole, cross = infinite_kernel(layers, IMAGES), infinite_kernel(layers, IMAGES, IMAGES[:3])
    monkeypatch.setattr(infinite, "_MAX_BLOCK_BYTES", 1)
    near = {"rtol": 1e-7, "atol": 1e-7}  # an angle of zero is known to 1e-8
    torch.testing.assert_close(infinite_kernel(layers, IMAGES).ntk, whole.ntk, **near)
    torch.testing.assert_close(cross.ntk, whole.ntk[:, :3], **near)
    assert torch.equal(whole.ntk, whole.ntk.T)
    assert float(torch.linalg.eigvalsh(whole.ntk)[0]) > 0


def test_layers_after_pooling_know_the_variances():
    layers = [*convolutional(1, pooling=True, weight_std=1.3, bias_std=0.2), Activation("erf"), Dense(1.1, 0.3)]
    expected = infinite_kernel(layers, IMAGES).ntk
    pooled = infinite_kernel([*layers[:3], Dense(1.0, 0.0)], IMAGES)
    state = 1.3**2 * pooled.nngp + 0.2**2
    ntk = state + 1.3**2 * (pooled.ntk - pooled.nngp)
    variance = state.diagonal()
    product = (1 + 2 * variance[:, None]) * (1 + 2 * variance[None])
    value = 2 / math.pi * torch.asin(2 * state / product.sqrt())
    derivative = 4 / math.pi / (product - 4 * state.square()).sqrt()
    torch.testing.assert_close(expected, 1.1**2 * value + 0.3**2 + 1.1**2 * derivative * ntk, rtol=1e-9, atol=1e-9)


NETWORKS = {
    "dense-relu": (fully_connected(2, "relu", math.sqrt(2), 0.1), VECTORS),
    "dense-erf": (fully_connected(1, "erf", 1.2, 0.5), VECTORS),
    "convolution-flatten": (convolutional(1, "relu", math.sqrt(2), 0.1, stride=2), IMAGES),
    "convolution-valid-erf": (convolutional(1, "erf", 1.3, 0.3, padding="VALID", size=2), IMAGES),
    "convolution-pooling": (convolutional(1, "relu", math.sqrt(2), 0.2, stride=2, pooling=True), IMAGES),
}


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_finite_networks_approach_the_limit_as_one_over_the_root_of_the_width(name):
    layers, x = NETWORKS[name]
    limit = infinite_kernel(layers, x).ntk
    widths, repeats = (64, 256, 1024), 24  # small widths pull the slope above
    errors = np.array([[_error(layers, x, width, seed, limit) for seed in range(repeats)] for width in widths])
    logs = np.log(np.sqrt((errors**2).mean(1)))
    slope = stats.linregress(np.log(widths), logs).slope
    generator = np.random.default_rng(0)
    drawn = generator.integers(0, repeats, (500, len(widths), repeats))
    resampled = np.log(np.sqrt((np.take_along_axis(errors[None], drawn, 2) ** 2).mean(2)))
    slopes = [stats.linregress(np.log(widths), each).slope for each in resampled]
    low, high = np.quantile(slopes, [0.005, 0.995])
    assert low < -0.5 < high, (slope, low, high)
    assert slope < -0.35


def _error(layers, x, width, seed, limit):
    network = finite_network(layers, x.shape[1:], width, seed=1000 * width + seed).double()
    kernel = empirical_ntk(network, x, parameters="all", verify=False).matrix
    return float((kernel - limit).norm() / limit.norm())


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_the_mean_over_finite_networks_is_the_limit(name):
    layers, x = NETWORKS[name]
    limit = infinite_kernel(layers, x)
    outputs, kernels = [], []
    for seed in range(60):
        network = finite_network(layers, x.shape[1:], 128, outputs=8, seed=seed).double()
        with torch.no_grad():
            outputs.append(network(x))
        kernels.append(empirical_ntk(network, x, output="traced", parameters="all", verify=False).matrix / 8)
    f = torch.cat(outputs, 1)
    error = f.square().std(1) / math.sqrt(f.shape[1])
    assert ((f.square().mean(1) - limit.nngp.diagonal()).abs() < 4.5 * error).all()
    stack = torch.stack(kernels)
    error = stack.std(0) / math.sqrt(len(stack))
    assert ((stack.mean(0) - limit.ntk).abs() < 4.5 * error + 0.01 * limit.ntk.abs()).all()


@pytest.mark.parametrize(
    ("layers", "x", "message"),
    [
        ([], VECTORS, "last layer"),
        ([Activation()], VECTORS, "last layer"),
        ([Dense()], IMAGES, "Flatten"),
        ([Convolution(), Flatten(), Dense()], VECTORS, "takes images"),
        ([GlobalAveragePool(), Dense()], VECTORS, "takes images"),
        ([Convolution(20, padding="VALID"), Flatten(), Dense()], IMAGES, "larger than images"),
        ([Dense()], VECTORS[0], "N×D vectors"),
    ],
)
def test_layers_that_do_not_fit(layers, x, message):
    with pytest.raises(KernelError, match=message):
        infinite_kernel(layers, x)


def test_batches_of_different_shapes():
    with pytest.raises(KernelError, match="samples of one shape"):
        infinite_kernel([Dense()], VECTORS, VECTORS[:, :2])


def test_unknown_names():
    with pytest.raises(ChoiceError, match="activation"):
        Activation("gelu")
    with pytest.raises(ChoiceError, match="padding"):
        Convolution(padding="same")


def test_a_pair_of_samples_that_does_not_fit_is_said_first(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 10_000)
    with pytest.raises(KernelError, match="one pair of samples at 56 positions"):
        infinite_kernel(convolutional(1, pooling=True), IMAGES)


@pytest.mark.parametrize(
    ("layers", "shape", "message"),
    [([Dense()], (3, 4, 4), "Flatten"), ([Convolution(), Dense()], (5,), "takes images")],
)
def test_finite_networks_that_do_not_fit(layers, shape, message):
    with pytest.raises(KernelError, match=message):
        finite_network(layers, shape, 4)


def test_black_images_without_bias_are_zero_and_no_nan():
    found = infinite_kernel(convolutional(2, "relu"), torch.zeros(2, 1, 5, 5))
    assert torch.equal(found.ntk, torch.zeros(2, 2, dtype=torch.float64))
