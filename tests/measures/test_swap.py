"""SWAP against Python's sets of patterns, unit by unit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from ntknas import load_space, measure
from ntknas.core.cases import NetworkCase
from ntknas.core.score import Status
from ntknas.correlation.derived import combine
from ntknas.measures import all_derived
from ntknas.measures.swap import SWAP_REPEATS, count_distinct, regularised
from tests.measures.test_az_nas import CASES, frame


def make_case(space, cell, number=20):
    network = load_space(space).build(cell, seed=1, channels=4, cells_per_stage=1, num_classes=4).double()
    images = torch.randn(number, 3, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return NetworkCase(network, images, torch.zeros(number), seed=3)


@pytest.fixture(params=list(CASES))
def case(request):
    return make_case(*CASES[request.param])


def _patterns(network, images):
    """The patterns of all units of ReLU maps, from what the ReLUs are given."""
    patterns = set()

    def look(module, given):
        if given[0].dim() == 4:
            signs = (given[0] > 0).flatten(1)
            patterns.update(tuple(column) for column in zip(*signs.tolist(), strict=True))

    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_pre_hook(look)
    with torch.no_grad():
        network(images)
    return patterns


def _swap(case):
    generator, numbers = torch.Generator().manual_seed(case.seed), []
    for _ in range(SWAP_REPEATS):
        network = case.copy()
        for name, value in network.state_dict().items():
            layer = network.get_submodule(name.rpartition(".")[0])
            if isinstance(layer, nn.Conv2d | nn.Linear):
                is_weight = name.endswith("weight")
                value.copy_(torch.randn(value.shape, generator=generator) if is_weight else torch.zeros(value.shape))
        numbers.append(len(_patterns(network, case.images)))
    return np.mean(numbers)


def test_the_number_of_distinct_patterns(case):
    before = [parameter.clone() for parameter in case.network.parameters()]
    assert measure("swap", case).value == _swap(case)
    for one, other in zip(before, case.network.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(("images", "units"), [(1, 10), (5, 100), (16, 900), (64, 60), (65, 300), (130, 200)])
def test_counting(images, units):
    codes = torch.rand(units, images, generator=torch.Generator().manual_seed(images)) > 0.5
    repeated = torch.cat([codes, codes.flip(0)])
    assert count_distinct(repeated) == len({tuple(row) for row in codes.tolist()})
    assert count_distinct(torch.zeros(units, images, dtype=torch.bool)) == 1


def test_patterns_that_differ_in_the_last_word_alone():
    codes = torch.zeros(3, 129, dtype=torch.bool)
    codes[1, 128] = codes[2, 0] = True
    assert count_distinct(codes) == 3


def test_no_more_patterns_than_bits_allow():
    case = make_case(*CASES["nb201"])
    assert measure("swap", replace(case, images=case.images[:1], labels=case.labels[:1])).value <= 2
    assert measure("swap", replace(case, images=case.images[:2], labels=case.labels[:2])).value <= 4


def test_the_order_of_images_says_nothing():
    case = make_case(*CASES["nb101"])
    order = torch.randperm(len(case.images), generator=torch.Generator().manual_seed(5))
    assert measure("swap", replace(case, images=case.images[order])).value == measure("swap", case).value


def test_weights_are_drawn_from_the_seed_and_replace_the_networks_own():
    case = make_case(*CASES["nb201"])
    other = load_space("nb201").build(CASES["nb201"][1], seed=9, channels=4, cells_per_stage=1, num_classes=4).double()
    assert measure("swap", replace(case, network=other)).value == measure("swap", case).value
    assert measure("swap", replace(case, seed=8)).value != measure("swap", case).value


def test_networks_without_relu_maps():
    images = torch.randn(3, 3, 4, 4)
    for layers in ([nn.Conv2d(3, 2, 3)], [nn.Flatten(), nn.Linear(48, 5), nn.ReLU()]):
        score = measure("swap", NetworkCase(nn.Sequential(*layers), images, torch.zeros(3)))
        assert score.status is Status.UNDEFINED


def test_dead_units_are_one_pattern():
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU())
    assert measure("swap", NetworkCase(network, torch.zeros(6, 3, 4, 4), torch.zeros(6))).value == 1


def test_activations_that_overflow_are_no_score():
    layers = [module for _ in range(40) for module in (nn.Conv2d(64, 64, 3, padding=1), nn.ReLU())]
    network = nn.Sequential(nn.Conv2d(3, 64, 1), *layers)
    case = NetworkCase(network, torch.ones(2, 3, 3, 3), torch.zeros(2))
    assert measure("swap", case).status is Status.NON_FINITE


def test_the_factor_of_the_preferred_size():
    patterns, parameters = np.array([5.0, 7.0, 9.0]), np.array([400_000.0, 1_000_000.0, 1_600_000.0])
    np.testing.assert_allclose(
        regularised(patterns, parameters, 1000, 90_000.0), [5 * np.exp(-4), 7, 9 * np.exp(-4)], rtol=1e-12
    )
    values = combine(all_derived()["swap_reg"], [frame(patterns), frame(parameters)])["value"]
    np.testing.assert_allclose(values, [5 * np.exp(-1), 7 * np.exp(-0.25), 9])


def test_cells_of_one_size_keep_their_score():
    values = combine(all_derived()["swap_reg"], [frame([3.0, 4.0]), frame([5000.0, 5000.0])])["value"]
    np.testing.assert_allclose(values, [3, 4])
    nothing = combine(all_derived()["swap_reg"], [frame([np.nan], undefined=[0]), frame([5000.0])])
    assert nothing["status"].tolist() == ["undefined"]
