"""The space nb201 against the published facts."""

import csv
import gzip
import random

import pytest
import torch
from torch import nn

from ntknas import load_space
from ntknas.core.errors import ChoiceError
from ntknas.spaces.initialisation import INITIALISATIONS, fan_in
from ntknas.spaces.nb201 import cells, counts, graph
from ntknas.spaces.nb201.network import ReLUConvBN
from tests.spaces.counting import flops


@pytest.fixture(scope="module")
def space():
    return load_space("nb201")


def test_published_order(space):
    assert len(space) == 15_625
    first = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"
    assert str(space[0]) == first
    assert str(space[9]) == "|avg_pool_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"
    assert len(set(cells.published_order())) == 15_625


def test_published_order_and_counts_equal_the_benchmark_for_every_cell(space, test_data):
    with gzip.open(test_data / "nb201_cifar10.csv.gz", "rt") as stream:
        for row in csv.DictReader(stream):
            cell = space[int(row["index"])]
            assert str(cell) == row["arch_str"]
            assert space.parameters(cell) == round(float(row["params_c10"]) * 1e6)
            assert space.flops(cell) == round(float(row["flops_c10"]) * 1e6)


def test_every_cell_is_parsed_from_what_it_prints(space):
    for cell in space:
        assert cells.parse_cell(str(cell)) == cell.operations
        assert space.index(str(cell)) == cell.index


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "3 nodes"),
        ("|none~0|+|none~0|none~1|", "3 nodes joined by '\\+', got 2"),
        ("|none~0|+|none~0|+|none~0|none~1|none~2|", "node 2 to hold 2 edge"),
        ("none~0+|none~0|none~1|+|none~0|none~1|none~2|", "node 1 to hold 1 edge"),
        ("|none~1|+|none~0|none~1|+|none~0|none~1|none~2|", "'operation~0', got 'none~1'"),
        ("|conv~0|+|none~0|none~1|+|none~0|none~1|none~2|", "an operation among none, .* got 'conv'"),
        ("|none~0|+|none~0|none~1|+|none~0|none~1|__import__('os')~2|", "'operation~2'"),
    ],
)
def test_a_string_that_is_no_cell(space, text, message):
    with pytest.raises(ChoiceError, match=message):
        space.index(text)


def test_unknown_names_and_indices(space):
    with pytest.raises(ChoiceError, match="Did you mean 'nb201'"):
        load_space("nb_201")
    with pytest.raises(IndexError, match="0 to 15624"):
        space[15_625]
    with pytest.raises(ChoiceError, match="0 to 15624"):
        space.build(-1)
    with pytest.raises(ChoiceError, match="network variant"):
        space.build(0, variant="tiny")
    with pytest.raises(ChoiceError, match="initialisation"):
        space.build(0, init="zeros")
    with pytest.raises(ChoiceError, match="`channels` must be at least 1"):
        space.build(0, channels=0)


def test_disconnected_cells(space):
    assert sum(map(space.is_disconnected, space)) == 341
    assert space.is_disconnected("|none~0|+|none~0|nor_conv_3x3~1|+|none~0|skip_connect~1|skip_connect~2|")
    assert not space.is_disconnected("|none~0|+|skip_connect~0|none~1|+|none~0|none~1|skip_connect~2|")


def test_isomorphism_strings():
    order = cells.published_order()
    assert len({graph.isomorphism_string(operations) for operations in order}) == 6_466
    assert len({graph.isomorphism_string(operations, drop_zero_edges=False) for operations in order}) == 12_751


def _sample(number, seed=0):
    return random.Random(seed).sample(cells.published_order(), number)


@pytest.mark.parametrize("operations", _sample(10), ids=cells.format_cell)
@pytest.mark.parametrize(
    ("channels", "cells_per_stage", "num_classes", "image_size"),
    [(16, 5, 10, 32), (4, 1, 120, 16), (3, 2, 7, 30), (8, 3, 2, 9)],
)
def test_counts_equal_the_built_network(operations, channels, cells_per_stage, num_classes, image_size):
    network = load_space("nb201").build(
        cells.format_cell(operations), num_classes=num_classes, channels=channels, cells_per_stage=cells_per_stage
    )
    options = {"num_classes": num_classes, "channels": channels, "cells_per_stage": cells_per_stage}
    assert sum(p.numel() for p in network.parameters()) == counts.count_parameters(operations, **options)
    assert flops(network, image_size) == counts.count_flops(operations, image_size=image_size, **options)


def test_closed_formulas_of_the_definitions(space):
    bases = {10: 0.073306, 100: 0.079156, 120: 0.080456}
    for cell in space:
        n3, n1 = cell.operations.count("nor_conv_3x3"), cell.operations.count("nor_conv_1x1")
        for classes, base in bases.items():
            assert space.parameters(cell, num_classes=classes) == round((base + 0.24304 * n3 + 0.028 * n1) * 1e6)
        assert space.flops(cell) == round((7.78305 + 35.38944 * n3 + 3.93216 * n1) * 1e6)


def test_the_network_computes_what_the_cell_says(space):
    """A cell by hand: node 1 = conv(x), node 2 = x, node 3 = conv(node 1) + pool(node 2)."""
    text = "|nor_conv_3x3~0|+|skip_connect~0|none~1|+|none~0|nor_conv_1x1~1|avg_pool_3x3~2|"
    cell = space.build(text, channels=4, cells_per_stage=1).cells[0]
    x = torch.randn(2, 4, 6, 6)
    pool = nn.AvgPool2d(3, 1, 1, count_include_pad=False)
    assert torch.allclose(cell(x), cell.edges[4](cell.edges[0](x)) + pool(x))
    assert isinstance(cell.edges[0], ReLUConvBN)


def test_building_touches_no_global_random_state_and_repeats(space):
    before = torch.get_rng_state()
    first, second = (space.build(8216, channels=4, cells_per_stage=1, seed=3) for _ in range(2))
    assert torch.equal(before, torch.get_rng_state())
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b)
    other = space.build(8216, channels=4, cells_per_stage=1, seed=4)
    assert not torch.equal(first.classifier.weight, other.classifier.weight)
    assert all(torch.isfinite(value).all() for value in first.state_dict().values())


EXPECTED_DEVIATION = {
    "default": lambda i, o: (1 / 3 / i) ** 0.5,
    "kaiming-fan-in": lambda i, o: (2 / i) ** 0.5,
    "kaiming-fan-out": lambda i, o: (2 / o) ** 0.5,
    "xavier": lambda i, o: (2 / (i + o)) ** 0.5,
    "normal-fan-in": lambda i, o: (1 / i) ** 0.5,
    "truncated-normal": lambda i, o: (1 / 3 / i) ** 0.5,
    "ntk": lambda i, o: 1.0,
}


@pytest.mark.parametrize("init", list(INITIALISATIONS))
def test_initialisations_have_the_stated_spread(space, init):
    network = space.build(8216, channels=32, cells_per_stage=1, init=init)
    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear) and m.weight.numel() > 5_000]
    assert layers
    for layer in layers:
        out = layer.weight.shape[0] * layer.weight[0, 0].numel()
        expected = EXPECTED_DEVIATION[init](fan_in(layer), out)
        assert float(layer.weight.detach().std()) == pytest.approx(expected, rel=0.06)
        assert abs(float(layer.weight.detach().mean())) < 0.05 * expected
    head = network.classifier.layer if init == "ntk" else network.classifier
    assert bool((head.bias == 0).all()) == (init != "default")
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    assert all((m.weight == 1).all() and (m.bias == 0).all() and (m.running_var == 1).all() for m in norms)


def test_linear_layers_of_transformers_start_truncated_normal_and_convolutions_as_ever(space):
    network, plain = (space.build(8216, num_classes=1000, init=init) for init in ("truncated-normal", "default"))
    weight = network.classifier.weight.detach()
    assert float(weight.std()) == pytest.approx(0.02, rel=0.02)
    assert abs(float(weight.mean())) < 5e-4
    assert float((weight / weight.std()).pow(4).mean()) == pytest.approx(3, rel=0.05)
    for (name, value), other in zip(network.state_dict().items(), plain.state_dict().values(), strict=True):
        assert torch.equal(value, other) == (not name.startswith("classifier"))
    biased = space.build(8216, variant="zero-cost", init="truncated-normal").cells[0].edges
    assert any(bool((layer.bias != 0).any()) for layer in biased.modules() if isinstance(layer, nn.Conv2d))


def test_ntk_parametrisation_is_the_scaled_standard_one(space):
    ntk = space.build(8216, channels=4, cells_per_stage=1, init="ntk").eval()
    plain = space.build(8216, channels=4, cells_per_stage=1).eval()
    with torch.no_grad():
        scaled = [m for m in ntk.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
        for source, target in zip(
            scaled, [m for m in plain.modules() if isinstance(m, nn.Conv2d | nn.Linear)], strict=True
        ):
            target.weight.copy_(source.weight * (2 / fan_in(source)) ** 0.5)
            if target.bias is not None:
                target.bias.zero_()
        x = torch.randn(2, 3, 8, 8)
        assert torch.allclose(ntk(x), plain(x), atol=1e-5)


def test_a_third_party_space_must_have_the_name_of_its_entry_point(monkeypatch):
    from importlib.metadata import EntryPoint

    from ntknas import spaces
    from ntknas.core import plugins

    point = EntryPoint("mine", "ntknas.spaces.nb201.space:NB201", spaces.ENTRY_POINT_GROUP)
    monkeypatch.setattr(plugins, "points", lambda group: [("theirs", point)])
    assert "mine" in spaces.space_names()
    with pytest.raises(ChoiceError, match="it is named 'nb201', its entry point 'mine'"):
        load_space("mine")


def test_six_numbers_of_naslib_are_a_cell_as_they_are_and_as_text():
    space = load_space("nb201")
    for written in ((4, 3, 3, 0, 0, 0), [4, 3, 3, 0, 0, 0], "(4, 3, 3, 0, 0, 0)"):
        assert space.index(written) == 0
    with pytest.raises(ChoiceError, match="Not a NAS-Bench-201 cell: '\\(4, 3\\)'"):
        space.index((4, 3))
