"""The size space of NATS-Bench: order, counts against official files, the network."""

import random

import pytest
import torch

from ntknas import empirical_ntk, load_space
from ntknas.core.errors import ChoiceError
from tests.spaces.counting import flops

CELLS = ("8:8:8:8:8", "64:64:64:64:64", "8:64:16:48:24", "8:8:40:32:40")


@pytest.fixture(scope="module")
def space():
    return load_space("nats-sss")


def test_size_and_order(space):
    assert len(space) == 32_768
    assert [str(space[index]) for index in (0, 1, 8, 284, 32_767)] == [
        "8:8:8:8:8",
        "8:8:8:8:16",
        "8:8:8:16:8",
        "8:8:40:32:40",
        "64:64:64:64:64",
    ]
    assert all(space.index(str(cell)) == cell.index for cell in space)


@pytest.mark.parametrize(
    ("text", "classes", "parameters", "multiply_adds"),
    [
        ("8:8:8:8:8", 10, 11_714, 4_481_114),
        ("8:8:8:16:32", 100, 52_172, 6_843_620),
        ("8:8:40:32:40", 120, 149_344, 5_461_816),
    ],
)
def test_counts_of_the_official_files(space, text, classes, parameters, multiply_adds):
    size = 16 if classes == 120 else 32
    assert space.parameters(text, num_classes=classes) == parameters
    assert space.flops(text, num_classes=classes, image_size=size) == multiply_adds


@pytest.mark.parametrize("text", CELLS)
@pytest.mark.parametrize(("channels", "depth", "classes", "size"), [(64, 1, 10, 32), (8, 2, 3, 9)])
def test_counts_equal_the_built_network(space, text, channels, depth, classes, size):
    options = {"num_classes": classes, "channels": channels, "cells_per_stage": depth}
    network = space.build(text, **options)
    assert sum(p.numel() for p in network.parameters()) == space.parameters(text, **options)
    assert flops(network, size) == space.flops(text, image_size=size, **options)


def test_widths_are_scaled_alike(space):
    network = space.build("8:64:16:48:24", channels=16)
    assert [network.stem[0].out_channels, network.classifier.in_features] == [2, 6]


@pytest.mark.parametrize("text", CELLS)
@pytest.mark.parametrize("policy", ["frozen", "per-sample"])
def test_the_strategy_against_the_oracle(space, text, policy):
    network = space.build(text, channels=8).double()
    x = torch.randn(3, 3, 8, 8, dtype=torch.float64)
    got = empirical_ntk(network, x, batch_norm=policy)
    expected = empirical_ntk(network, x, batch_norm=policy, strategy="row-loop")
    assert got.strategy == "layer-wise"
    torch.testing.assert_close(got.matrix, expected.matrix, rtol=1e-9, atol=1e-9)


def test_building_repeats(space):
    index = random.Random(0).randrange(len(space))
    first, second, other = (space.build(index, channels=8, seed=seed) for seed in (1, 1, 2))
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(first.classifier.weight, other.classifier.weight)


@pytest.mark.parametrize("text", ["8:8:8:8", "8:8:8:8:9", "8:8:8:8:8:8", "", "a:b:c:d:e", "08:8:8:8:8"])
def test_what_is_no_configuration(space, text):
    with pytest.raises(ChoiceError, match="Not a configuration of the NATS-Bench size space"):
        space.index(text)
