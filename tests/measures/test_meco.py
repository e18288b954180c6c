"""MeCo against numpy: every map of a network computed by hand, and counted as the published table says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ntknas import load_space, measure
from ntknas.core.cases import NetworkCase
from ntknas.core.score import NoValueError, Status
from ntknas.measures.meco import MECO_CHANNELS, smallest_eigenvalue
from ntknas.spaces.nb201.network import InferCell, Reduction

CELLS = {
    "convolutions": "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|avg_pool_3x3~0|nor_conv_3x3~1|nor_conv_1x1~2|",
    "dead ends": "|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|nor_conv_1x1~0|none~1|none~2|",
    "nothing in": "|none~0|+|nor_conv_3x3~0|nor_conv_1x1~1|+|skip_connect~0|nor_conv_1x1~1|avg_pool_3x3~2|",
}
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
WIDE = {"channels": 12, "cells_per_stage": 2, "num_classes": 4}


def make_case(cell, variant="zero-cost", channels=12, init="default", seed=3):
    network = load_space("nb201").build(
        CELLS.get(cell, cell), seed=1, variant=variant, init=init, **{**WIDE, "channels": channels}
    )
    images = torch.randn(2, 3, 24, 24, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return NetworkCase(network.double(), images, torch.arange(2), seed=seed)


def lambda_min(image):
    """numpy's correlations and a solver for general matrices, non-finite entries 0."""
    rows = image.reshape(len(image), -1).numpy()
    with np.errstate(invalid="ignore", divide="ignore"):
        correlations = np.corrcoef(rows)
    return np.linalg.eigvals(np.nan_to_num(np.atleast_2d(correlations), nan=0, posinf=0, neginf=0)).real.min()


def counted_maps(network, image):
    """Yield every map of a NAS-Bench-201 network and how often it counts, in the order of the computation."""
    conv, norm = network.stem
    x = conv(image)
    yield x, 1
    x = norm(x)
    yield x, 3
    layers = list(network.cells)
    for number, layer in enumerate(layers):
        ends_stage = number + 1 == len(layers) or isinstance(layers[number + 1], Reduction)
        x = yield from (_reduction if isinstance(layer, Reduction) else _cell)(layer, x)
        yield x, 2 if isinstance(layer, InferCell) and ends_stage else 1
    norm, relu = network.lastact
    x = norm(x)
    yield x, 1
    yield relu(x), 2


def _branch(layer, x):
    relu, conv, norm = layer
    for module, number in ((relu, 1), (conv, 1), (norm, 3)):
        x = module(x)
        yield x, number
    return x


def _cell(cell, x):
    nodes = [[x], [], [], []]
    for edge, (source, target) in zip(cell.edges, EDGES, strict=True):
        given = sum(nodes[source])
        if isinstance(edge, nn.Sequential):
            made = yield from _branch(edge, given)
        else:
            made = edge(given)
            yield made, 2 if isinstance(edge, nn.AvgPool2d) else 1
        nodes[target].append(made)
    return sum(nodes[3])


def _reduction(block, x):
    pool, conv = block.downsample
    pooled = pool(x)
    yield pooled, 1
    yield conv(pooled), 2
    first = yield from _branch(block.conv_a, x)
    second = yield from _branch(block.conv_b, first)
    return second + conv(pooled)


def _by_hand(case):
    with torch.no_grad():
        return [(image[0], number) for image, number in counted_maps(case.copy(), case.images[:1])]


@pytest.mark.parametrize("variant", ["zero-cost", "official"])
@pytest.mark.parametrize("cell", list(CELLS))
def test_a_map_of_nas_bench_201_counts_as_often_as_published(cell, variant):
    case = make_case(cell, variant)
    expected = sum(number * lambda_min(image) for image, number in _by_hand(case))
    assert expected > 1
    assert measure("meco", case).value == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("cell", list(CELLS))
def test_eight_channels_are_drawn_for_each_module(cell):
    case, expected = make_case(cell), 0.0
    generator = torch.Generator().manual_seed(case.seed)
    for image, number in _by_hand(case):
        for _ in range(number):
            drawn = torch.randperm(len(image), generator=generator)[:MECO_CHANNELS]
            expected += len(image) / 8 * lambda_min(image[drawn])
    assert measure("meco_opt", case).value == pytest.approx(expected, rel=1e-9)
    assert measure("meco_opt", replace(case, seed=4)).value != pytest.approx(expected, rel=1e-3)


def test_where_there_are_no_more_than_eight_channels_all_are_taken():
    case = make_case("convolutions", channels=2)
    assert {len(image) for image, _ in _by_hand(case)} == {2, 4, 8}
    expected = sum(number * lambda_min(image) for image, number in _by_hand(case))
    assert measure("meco_opt", case).value == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("cell", list(CELLS))
def test_convolutions_count_once_each(cell):
    case, outputs = make_case(cell), []
    network = case.copy()

    def keep(layer, given):
        outputs.append(F.conv2d(given[0], layer.weight, layer.bias, layer.stride, layer.padding))

    for layer in _layers(network):
        layer.register_forward_pre_hook(keep)
    with torch.no_grad():
        network(case.images[:1])
    expected = sum(lambda_min(output[0]) for output in outputs)
    assert measure("meco_layers", case).value == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("space", "cell"), [("nb101", 12), ("nats-sss", "8:16:64:24:40")])
def test_networks_of_other_spaces_count_what_their_modules_return(space, cell):
    network = load_space(space).build(cell, seed=1, channels=12, cells_per_stage=1, num_classes=4).double()
    images = torch.randn(1, 3, 24, 24, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    case, total = NetworkCase(network, images, torch.zeros(1)), []

    def look(module, _, output):
        if output.dim() == 4:
            total.append(lambda_min(output[0]))

    copied = case.copy()
    for module in copied.modules():
        module.register_forward_hook(look)
    with torch.no_grad():
        copied(images)
    assert measure("meco", case).value == pytest.approx(sum(total), rel=1e-9)


def test_how_a_layer_is_parametrised_is_no_module_more():
    scaled, plain = make_case("convolutions", init="ntk"), make_case("convolutions")
    layers = [(m, n) for m, n in zip(_layers(scaled.network), _layers(plain.network), strict=True)]
    for ours, theirs in layers:
        theirs.weight.data = ours.weight.data * (2 / ours.weight[0].numel()) ** 0.5
        if theirs.bias is not None:
            theirs.bias.data = ours.bias.data
    for name in ("meco", "meco_opt", "meco_layers"):
        assert measure(name, scaled).value == pytest.approx(measure(name, plain).value, rel=1e-9)


def _layers(network):
    return [module for module in network.modules() if isinstance(module, nn.Conv2d)]


def test_orthogonal_channels_have_one_and_repeated_ones_nothing():
    signs = torch.tensor([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]], dtype=torch.float64)
    assert smallest_eigenvalue(signs[1:].view(3, 2, 2)) == pytest.approx(1)
    assert smallest_eigenvalue(3 * signs[1:] + 5) == pytest.approx(1)
    rows = torch.randn(5, 40, dtype=torch.float64)
    assert smallest_eigenvalue(rows) > 0.01
    assert smallest_eigenvalue(torch.cat([rows, -2 * rows[:1] + 1])) == pytest.approx(0, abs=1e-12)


def test_what_rank_says_is_exact():
    square, constant = torch.randn(16, 4, 4), torch.randn(3, 4, 4)
    constant[1] = 0.1
    dead = torch.zeros(3, 4, 4)
    for image in (square, constant, dead):
        assert smallest_eigenvalue(image) == 0.0
        assert lambda_min(image) == pytest.approx(0, abs=1e-6)
    assert smallest_eigenvalue(torch.randn(5, 1, 1)) == 0.0  # one position has no correlation


def test_a_map_that_is_not_finite_is_no_score():
    for number in (float("nan"), float("inf")):
        image = torch.randn(3, 4, 4)
        image[1, 2, 2] = number
        with pytest.raises(NoValueError) as raised:
            smallest_eigenvalue(image)
        assert raised.value.status is Status.NON_FINITE


def test_vectors_are_no_maps():
    network = nn.Sequential(nn.Flatten(), nn.Linear(48, 3))
    case = NetworkCase(network, torch.randn(2, 3, 4, 4), torch.zeros(2))
    for name in ("meco", "meco_opt", "meco_layers"):
        assert measure(name, case).status is Status.UNDEFINED


def test_a_module_that_works_in_place_does_not_change_the_map_before_it():
    layers = [nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.Conv2d(4, 4, 3)]
    case = NetworkCase(nn.Sequential(*layers).double(), torch.randn(1, 3, 9, 9).double(), torch.zeros(1))
    with torch.no_grad():
        first = layers[0](case.images)
        maps = [first, first.clamp(min=0), layers[2](first.clamp(min=0))]
    expected = sum(number * lambda_min(image[0]) for image, number in zip(maps, (1, 1, 2), strict=True))
    assert measure("meco", case).value == pytest.approx(expected, rel=1e-9)


def test_only_the_first_image_counts():
    case = make_case("convolutions")
    one = replace(case, images=case.images[:1], labels=case.labels[:1])
    for name in ("meco", "meco_opt", "meco_layers"):
        assert measure(name, case).value == measure(name, one).value
