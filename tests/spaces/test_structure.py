"""Counts that need a cell's paths, against published numbers, written-out paths, and gradients in built networks."""

import csv
import gzip
import random
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from ntknas import load_space
from ntknas.spaces import Structured
from ntknas.spaces.nb101 import counts as nb101_counts
from ntknas.spaces.nb101.cells import OPERATIONS, decode_matrix
from ntknas.spaces.nb201.cells import EDGES
from ntknas.spaces.populations import network_of
from ntknas.spaces.structure import COUNTS, EVERY_SPACE, Structure

PATHS = ((0, 3), (0, 1, 3), (0, 2, 3), (0, 1, 2, 3))
CONV3, CONV1, POOL = OPERATIONS


@pytest.fixture(scope="module")
def space():
    return load_space("nb201")


@pytest.fixture(scope="module")
def counted(space):
    """Every count of every cell."""
    table = {name: np.empty(len(space)) for name in COUNTS}
    for cell in space:
        table["parameters"][cell.index] = space.parameters(cell)
        table["flops"][cell.index] = space.flops(cell)
        for name, number in space.structure(cell)._asdict().items():
            table[name][cell.index] = number
    return table


@pytest.fixture(scope="module")
def accuracies(test_data):
    with gzip.open(test_data / "nb201_cifar10.csv.gz", "rt") as stream:
        return np.array([float(row["cifar10_test200"]) for row in csv.DictReader(stream)])


def test_every_count_is_defined_once():
    assert tuple(COUNTS) == (*EVERY_SPACE, *Structure._fields)
    assert all(count.formula and count.unit and count.source and count.higher_is_better for count in COUNTS.values())


def live_by_paths(operations):
    """The edges of the cell on a whole path of operations, each of the four possible paths written out."""
    by_edge = dict(zip(EDGES, operations, strict=True))
    whole = [path for path in PATHS if all(by_edge[edge] != "none" for edge in pairwise(path))]
    return {edge for path in whole for edge in pairwise(path)}, by_edge


def test_all_cells_against_paths_and_the_published_weights_of_an_edge(space, counted):
    weights = {"nor_conv_3x3": (243_040, 35_389_440), "nor_conv_1x1": (28_000, 3_932_160)}
    for cell in space:
        live, by_edge = live_by_paths(cell.operations)
        of_live = [weights[by_edge[edge]] for edge in live if by_edge[edge] in weights]
        convolutions = sum(operation in weights for operation in cell.operations)
        expected = (0, 0, 0)
        if live:
            sums = [sum(column) for column in zip(*of_live, strict=True)] or [0, 0]
            expected = (73_306 + sums[0], 7_783_050 + sums[1], 7 + 15 * len(of_live))
        found = tuple(counted[name][cell.index] for name in Structure._fields)
        assert found == (*expected, 21 + 45 * convolutions), str(cell)


def test_what_holds_of_all_cells(space, counted):
    assert [(counted[name] == 0).sum() for name in Structure._fields] == [341, 341, 341, 0]
    unlike = counted["effective_parameters"] != counted["parameters"]
    assert unlike.sum() == 4317
    assert (counted["effective_parameters"] <= counted["parameters"]).all()
    reachable = ~np.array([space.has_dead_operation(cell) for cell in space])
    assert np.flatnonzero(unlike & reachable).tolist() == [space.index("(1, 1, 1, 1, 1, 1)")]


def test_cells_that_are_one_network_have_one_count(space, counted):
    network = network_of(space)
    first = {}
    for cell in range(0, len(space), 7):
        values = [counted[name][cell] for name in ("effective_parameters", "effective_flops", "live_layers")]
        assert first.setdefault(network(cell), values) == values


LISTED = {
    "parameters": (0.5778, 0.7527),
    "flops": (0.5778, 0.7527),
    "effective_parameters": (0.6571, 0.8227),
    "effective_flops": (0.6571, 0.8227),
    "live_layers": (0.6139, 0.7572),
    "trainable_layers": (0.5801, 0.7226),
}


@pytest.mark.parametrize("name", LISTED)
def test_correlations_of_all_cells_are_those_that_another_program_has(counted, accuracies, name):
    """To the digits in which the definitions print them."""
    tau, rho = (f(counted[name], accuracies).statistic for f in (stats.kendalltau, stats.spearmanr))
    assert (round(tau, 4), round(rho, 4)) == LISTED[name]


def test_correlations_of_other_readings_and_parts(space, counted, accuracies):
    effective, plain = counted["effective_parameters"], counted["parameters"]
    connected = effective > 0
    reachable = ~np.array([space.has_dead_operation(cell) for cell in space])

    def tau(values, cells=slice(None)):
        return stats.kendalltau(values[cells], accuracies[cells]).statistic

    assert round(tau(np.maximum(effective, 73_306)), 4) == 0.6540
    assert round(tau(plain * connected), 4) == 0.6003
    assert round(tau(np.maximum(counted["live_layers"], 7)), 4) == 0.6105
    assert [round(tau(values, connected), 4) for values in (effective, plain)] == [0.6411, 0.5817]
    assert [round(tau(values, reachable), 4) for values in (effective, plain)] == [0.6231, 0.6231]
    for share, expected in ((0.10, [0.093, 0.079]), (0.25, [0.368, 0.334])):
        top = accuracies >= np.sort(accuracies)[-int(np.ceil(share * len(accuracies)))]
        assert [round(tau(values, top), 3) for values in (effective, plain)] == expected


def reached(network, image_size):
    """Layers with something at their input and a gradient at their output; parameters and multiply-adds of these."""
    inputs, live = {}, []

    def note(module, arguments, output):
        inputs[module] = bool(arguments[0].abs().sum() > 0)
        if output.requires_grad:
            output.register_hook(lambda gradient: live.append((module, output, gradient.abs().sum().item())))

    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.BatchNorm2d | nn.Linear):
            module.register_forward_hook(note)
    generator = torch.Generator().manual_seed(1)
    outputs = network.train()(torch.randn(4, 3, image_size, image_size, generator=generator))
    (outputs * torch.randn(outputs.shape, generator=generator)).sum().backward()
    kept = {module: output for module, output, gradient in live if gradient > 0 and inputs[module]}
    flops = 0
    for module, output in kept.items():
        if not isinstance(module, nn.BatchNorm2d):
            bias = module.out_features if isinstance(module, nn.Linear) else 0
            flops += module.weight[0].numel() * output[0].numel() + bias
    parameters = sum(p.numel() for module in kept for p in module.parameters())
    return parameters, flops, sum(isinstance(module, nn.Conv2d) for module in kept)


SIZES = {"nb201": (4, 2, 12), "nb101": (8, 1, 8), "nats-sss": (16, 2, 12)}
CELLS = {
    "nb201": [1, 13, 284, *random.Random(3).sample(range(15_625), 12)],
    "nb101": [0, 5, 77_777],
    "nats-sss": [0, 284, 12_345],
}


@pytest.mark.parametrize("name", list(SIZES))
def test_counts_are_those_of_the_network_without_its_dead_branches(name):
    """What no input reaches, or what no gradient comes back to, is pruned from the network, the rest counted."""
    space = load_space(name)
    channels, depth, image_size = SIZES[name]
    size = {"channels": channels, "cells_per_stage": depth}
    assert isinstance(space, Structured)
    changed = 0
    for index in CELLS[name]:
        network = space.build(space[index], num_classes=7, seed=0, **size)
        found = space.structure(space[index], num_classes=7, image_size=image_size, **size)
        assert found.trainable_layers == sum(1 for _ in network.parameters())
        changed += found.effective_parameters < space.parameters(index, num_classes=7, **size)
        if space.is_disconnected(space[index]):
            assert found[:3] == (0, 0, 0)
        else:
            assert found[:3] == reached(network, image_size)
    assert (changed > 3) == (name == "nb201")


def test_nb101_has_no_dead_vertex_and_projections_count_as_layers(test_data):
    """Every published parameter count exactly, on a sample; layers by the rule as it is written down."""
    table = np.load(test_data / "nb101_cifar10.npz")
    names = {name: table[name] for name in table.files}
    sample = random.Random(0).sample(range(423_624), 1500)
    official = {"num_classes": 10, "channels": 128, "cells_per_stage": 3, "image_size": 32}
    for row in sample:
        vertices = int(names["vertices"][row])
        matrix = decode_matrix(int(names["adj_bits"][row]), vertices)
        code = int(names["ops_base3"][row])
        operations = tuple(OPERATIONS[code // 3**place % 3] for place in range(vertices - 2))
        found = nb101_counts.count_structure(matrix, operations, **official)
        assert found.effective_parameters == names["params"][row]
        convolutions = sum(operation != POOL for operation in operations)
        assert found.live_layers == 1 + 9 * (convolutions + sum(matrix[0]))
