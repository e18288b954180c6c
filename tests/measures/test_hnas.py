"""The measures of HNAS on rows that a linear layer shows on paper, and on kernels of the library's other kinds."""

import math

import pytest
import torch
from torch import nn

from ntknas import empirical_ntk, load_space, measure
from ntknas.core.cases import NetworkCase
from ntknas.core.score import Status
from ntknas.measures import Aggregate, get_measure
from tests.kernels import cases
from tests.kernels.reference import jacobian_under, rows


def _linear(labels=(0, 1, 1)):
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 2)).double()
    images = torch.randn(3, 3, 2, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return NetworkCase(network, images, torch.tensor(labels))


def test_of_a_linear_layer():
    """The row of x is (x, 1) at its class, whatever the weights: images of one class meet, others do not."""
    case = _linear()
    x = case.images.flatten(1).numpy()
    kernel = [[(x[i] @ x[j] + 1) * (case.labels[i] == case.labels[j]).item() for j in range(3)] for i in range(3)]
    assert measure("hnas_trace", case).value == pytest.approx(math.sqrt(sum(kernel[i][i] for i in range(3)) / 3))
    a, b, c = kernel[1][1], kernel[1][2], kernel[2][2]  # eigenvalues of a block of two by two
    middle, half = (a + c) / 2, math.sqrt(((a - c) / 2) ** 2 + b**2)
    eigenvalues = sorted([kernel[0][0], middle - half, middle + half])
    assert measure("hnas_cond", case).value == pytest.approx(eigenvalues[-1] / eigenvalues[0], rel=1e-10)


@pytest.mark.parametrize("space", [("nb101", 12), ("nats-sss", "8:16:64:24:40")])
def test_of_a_network_without_coupling(space):
    """With BatchNorm taken out the rows are those of the own class, and the measures those of that kernel."""
    name, cell = space
    network = load_space(name).build(cell, seed=1, channels=4, cells_per_stage=1, num_classes=3).double()
    for key, module in list(network.named_modules()):
        if isinstance(module, nn.BatchNorm2d):
            parent, _, own = key.rpartition(".")
            setattr(network.get_submodule(parent), own, nn.Identity())
    images = torch.randn(5, 3, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(5) % 3
    kernel = empirical_ntk(network, images, output="label", parameters="all", labels=labels)
    case = NetworkCase(network, images, labels)
    assert measure("hnas_trace", case).value == pytest.approx(math.sqrt(measure("trace", kernel).value / 5), rel=1e-9)
    assert measure("hnas_cond", case).value == pytest.approx(measure("cond", kernel).value, rel=1e-6)


def test_biases_and_the_classifier_are_in_and_batch_norm_is_out():
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)
    ).double()
    images = torch.randn(4, 3, 6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    case = NetworkCase(network.eval(), images, torch.tensor([0, 1, 0, 1]))
    value = measure("hnas_trace", case).value
    with torch.no_grad():
        features = nn.Sequential(*list(network.train())[:-1])(images)
    own = features.square().sum(1) + 1  # the classifier's part of each row
    assert value**2 > float(own.mean())
    names = ["0.weight", "0.bias", "5.weight", "5.bias"]
    fixed = rows(jacobian_under(network, images, names, "frozen"), "label", case.labels)
    assert value**2 != pytest.approx(float(fixed.square().sum()) / 4, rel=1e-3)  # the gradient of the statistics is in


def test_a_singular_kernel_and_one_that_is_not_finite():
    case = _linear((1, 1, 1))
    twice = NetworkCase(case.network, case.images[[0, 0, 1]], case.labels)
    assert measure("hnas_cond", twice).status is Status.SINGULAR
    assert measure("hnas_trace", twice).status is Status.OK
    case.network[1].weight.data[0, 0] = math.inf
    broken = NetworkCase(nn.Sequential(case.network, nn.Tanh(), nn.Linear(2, 2).double()), case.images, case.labels)
    broken.network[2].weight.data[0, 0] = math.nan
    assert {measure(name, broken).status for name in ("hnas_trace", "hnas_cond")} == {Status.NON_FINITE}


def test_layers_without_rows_by_slot():
    """Two layers share a weight; one sees every column of every image as a sample."""
    for name in ("tied", "steps as samples"):
        network = next(each for each in cases.CASES if each.name == name).network()
        x, labels = cases.batch()
        score = measure("hnas_cond", NetworkCase(network, x, labels))
        assert score.status is Status.UNDEFINED
        assert "layer" in score.reason or "Linear" in score.reason


def test_directions_and_aggregates():
    assert get_measure("hnas_trace").higher_is_better
    assert not get_measure("hnas_cond").higher_is_better
    assert {get_measure(name).aggregate for name in ("hnas_trace", "hnas_cond")} == {Aggregate.GEOMETRIC}
