"""NAS-Bench-Macro: order, counts and copies against the published file, the network against torchvision's layers."""

import json
from itertools import pairwise, product

import pytest
import torch
from torch import nn
from torchvision.models.mobilenetv3 import InvertedResidual, InvertedResidualConfig

from ntknas import empirical_ntk, load_space
from ntknas.core.errors import ChoiceError
from ntknas.spaces.populations import POPULATIONS, members, network_of
from tests.cli.typed import ntknas
from tests.spaces.counting import flops

CELLS = ("00000000", "22212220", "10002001", "02120012")
COPIES = [("11001202", "11010220"), ("00000002", "00000020"), ("21002010", "21020001")]


@pytest.fixture(scope="module")
def space():
    return load_space("nb-macro")


@pytest.fixture(scope="module")
def published(test_data):
    return json.loads((test_data / "targets/nas_bench_macro/nas-bench-macro_cifar10.json").read_text())


def test_keys_are_in_lexicographic_order(space):
    assert [str(cell) for cell in space] == ["".join(digits) for digits in product("012", repeat=8)]
    assert all(space.index(str(cell)) == cell.index for cell in space)


def test_keys_and_counts_are_the_published_ones_of_all_networks(space, published):
    assert [str(cell) for cell in space] == sorted(published)
    counted = {str(cell): (space.parameters(cell), space.flops(cell)) for cell in space}
    assert counted == {key: (record["params"], record["flops"]) for key, record in published.items()}
    assert counted["11111221"] == (2_181_386, 65_012_224)


@pytest.mark.parametrize("text", CELLS)
@pytest.mark.parametrize(("channels", "classes", "size"), [(32, 10, 32), (4, 3, 9)])
def test_counts_equal_the_built_network(space, text, channels, classes, size):
    options = {"num_classes": classes, "channels": channels}
    network = space.build(text, **options)
    parameters = [parameter.numel() for parameter in network.parameters()]
    multiply_adds = flops(network, size) - classes  # the authors leave the classifier's bias out
    assert (space.parameters(text, **options), space.flops(text, image_size=size, **options)) == (
        sum(parameters),
        multiply_adds,
    )
    convolutions = sum(isinstance(module, nn.Conv2d) for module in network.modules())
    expected = (sum(parameters), multiply_adds, convolutions, len(parameters))
    assert space.structure(text, image_size=size, **options) == expected


def class_of(key):
    """The key with the identities of each stage's later layers at its end."""
    stages = [key[first:end] for first, end in pairwise((0, 2, 5, 8))]
    return "".join(stage[0] + "".join(sorted(stage[1:], key=lambda digit: digit == "0")) for stage in stages)


def test_the_first_of_all_keys_of_a_network_stands_for_it(space):
    first = {}
    for cell in space:
        first.setdefault(class_of(str(cell)), cell.index)
    expected = [first[class_of(str(cell))] for cell in space]
    assert len(first) == 3_969
    for choices in (("all", "none"), ("weights", "corrcoef"), (("classifier.weight",), "none")):
        assert [space.representative(cell, *choices) for cell in space] == expected
    assert [space.isomorphism_representative(cell) for cell in space] == expected
    assert [network_of(space)(index) for index in range(len(space))] == expected


def test_populations_have_the_sizes_that_are_published(space):
    sizes = {name: len(members(space, name)) for name in POPULATIONS}
    assert sizes == {"all": 6_561, "connected": 6_561, "reachable": 6_561, "isomorphic": 3_969, "distinct": 3_969}


def test_networks_have_one_published_record_each(space, published):
    records = {}
    for key, record in published.items():
        records.setdefault(space.isomorphism_representative(key), set()).add(json.dumps(record))
    assert {len(of_one) for of_one in records.values()} == {1}
    assert len(set.union(*records.values())) == len(records) == 3_969


@pytest.mark.parametrize("pair", COPIES, ids="-".join)
def test_copies_start_as_one_network_to_the_bit(space, pair):
    one, other = (space.build(key, channels=8, seed=3, init="kaiming-fan-in") for key in pair)
    assert list(one.state_dict()) == list(other.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))
    x = torch.randn(3, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    for parameters in ("all", ["stages.2.1.layers.0.weight", "classifier.weight"]):
        a, b = (empirical_ntk(network, x, parameters=parameters).matrix for network in (one, other))
        assert torch.equal(a, b)


def test_networks_that_are_no_copies_have_other_kernels(space):
    keys = ["00000012", "00000021", "00010002", "00100002", "10000012", "01000012"]
    x = torch.randn(3, 3, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    kernels = [empirical_ntk(space.build(key, channels=2).double(), x).matrix for key in keys]
    for first, matrix in enumerate(kernels):
        for other in kernels[:first]:
            assert (matrix - other).norm() > 1e-3 * other.norm()


def test_what_is_alike_in_two_networks_of_one_seed_starts_alike(space):
    one, other = (dict(space.build(key, channels=4, seed=1).named_parameters()) for key in ("12100000", "12022000"))
    shared = [name for name in one if name in other and one[name].shape == other[name].shape]
    assert {name.split(".layers")[0].removesuffix(".weight") for name in shared} >= {"stem.0", "stages.0.0", "last.0"}
    assert all(torch.equal(one[name], other[name]) for name in shared)
    assert any(
        not torch.equal(value, one[name])
        for name, value in space.build("12100000", channels=4, seed=2).named_parameters()
    )


class Torchvision(nn.Module):
    """The published network of torchvision's inverted residuals, which take multiples of 8 channels."""

    def __init__(self, key, width, classes):
        super().__init__()
        wide = 40 * width
        layers = [nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
        for place, digit in enumerate(key):
            stride = 2 if place in (0, 2, 5) else 1
            layers += self._layer(digit, width, width * stride, stride)
            width *= stride
        layers += [nn.Conv2d(width, wide, 1, bias=False), nn.BatchNorm2d(wide), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(wide, classes))

    @staticmethod
    def _layer(digit, inputs, outputs, stride):
        if digit == "0":
            strided = [nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)]
            return strided if stride == 2 else []
        kernel, expansion = (3, 3) if digit == "1" else (5, 6)
        config = InvertedResidualConfig(inputs, kernel, expansion * inputs, outputs, False, "RE", stride, 1, 1.0)
        return [InvertedResidual(config, nn.BatchNorm2d)]

    def forward(self, x):
        return self.layers(x)


@pytest.mark.parametrize("text", CELLS)
@pytest.mark.parametrize("size", [16, 11])
def test_the_network_is_that_of_torchvisions_layers(space, text, size):
    network, reference = space.build(text, channels=8, num_classes=5), Torchvision(text, 8, 5)
    assert [p.shape for p in network.parameters()] == [p.shape for p in reference.parameters()]
    reference.load_state_dict(dict(zip(reference.state_dict(), network.state_dict().values(), strict=True)))
    x = torch.randn(4, 3, size, size, generator=torch.Generator().manual_seed(0))
    for is_training in (True, True, False):  # running statistics move, and are used
        got, expected = network.train(is_training)(x), reference.train(is_training)(x)
        torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)


def test_blocks_follow_one_another(space):
    network = space.build("10201002", channels=4)
    x = values = torch.randn(2, 3, 16, 16)
    for block in network.blocks():
        values = block(values)
    torch.testing.assert_close(values, network.features(x))
    assert [len(stage) for stage in network.stages] == [1, 2, 2]


@pytest.mark.parametrize("text", ["22212220", "01020100"])
@pytest.mark.parametrize("policy", ["coupled", "frozen", "eval", "per-sample"])
@pytest.mark.parametrize("init", ["default", "ntk"])
def test_the_strategy_against_the_oracle(space, text, policy, init):
    """Depthwise convolutions and those with a stride, layer by layer."""
    network = space.build(text, channels=2, init=init, num_classes=3).double()
    x = torch.randn(3, 3, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    got = empirical_ntk(network, x, batch_norm=policy, parameters="all")
    expected = empirical_ntk(network, x, batch_norm=policy, parameters="all", strategy="row-loop")
    assert got.strategy == ("row-loop" if policy == "coupled" else "layer-wise")
    torch.testing.assert_close(got.matrix, expected.matrix, rtol=1e-9, atol=1e-9)


def test_single_precision_is_near_double(space):
    x = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(2))
    network = space.build("22212220", channels=4)
    single = empirical_ntk(network, x).matrix
    double = empirical_ntk(network.double(), x.double(), strategy="row-loop").matrix
    assert (single - double).norm() < 1e-5 * double.norm()


@pytest.mark.parametrize("text", ["", "2221222", "222122200", "22212223", "2221222a", "٢٢٢١٢٢٢٠", "12", "-2221222"])
def test_what_is_no_key(space, text):
    with pytest.raises(ChoiceError, match="Not a key of NAS-Bench-Macro.*8 digits among 0, 1, 2"):
        space.index(text)


def test_sizes_that_there_are_not(space):
    for call in (space.build, space.parameters, space.flops, space.structure):
        with pytest.raises(ChoiceError, match="`cells_per_stage` must be 1 for nb-macro, got 2: the digits of a key"):
            call(0, cells_per_stage=2)
        with pytest.raises(ChoiceError, match="`channels` must be at least 1"):
            call(0, channels=0)


def test_scores_from_the_command_line(capsys, tmp_path):
    cells = tmp_path / "cells"
    cells.write_text("22212220\n6477\n00000000\n")
    options = ("--bench", "nb-macro", "--channels", 2, "--probe", "digits", "--probe-size", 4, "--measures", "trace")
    store = ("--store", tmp_path / "s.h5")
    code, out, err = ntknas(capsys, "score", "--cells-file", cells, *options, *store)
    assert (code, "s.h5: 2 ok" in out) == (0, True), err
    other = ("--cells-per-stage", 3, "--store", tmp_path / "other.h5")
    code, _, err = ntknas(capsys, "score", "--cells", 2, *options, *other)
    assert code == 1
    assert "--cells-per-stage must be 1 for nb-macro, got 3" in err
    assert {path.name.split(".")[0] for path in tmp_path.iterdir()} == {"cells", "s"}
