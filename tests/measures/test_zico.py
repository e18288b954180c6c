"""ZiCo against a literal reading, weight by weight, and what its definition says of special cases."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call, grad

from ntknas import load_space, measure
from ntknas.core.cases import NetworkCase
from ntknas.core.score import NoValueError, Status
from ntknas.measures import get_measure
from ntknas.measures.zico import _score

CELLS = {
    "nb201": ("nb201", 8216),
    "dead branches": ("nb201", "|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|nor_conv_1x1~0|none~1|none~2|"),
    "nb101": ("nb101", 12),
    "nats-sss": ("nats-sss", "8:16:64:24:40"),
    "nb-macro": ("nb-macro", "10020012"),
}


@pytest.fixture(params=list(CELLS))
def case(request):
    return _case(request.param)


def _case(which, images=9):
    name, cell = CELLS[which]
    network = load_space(name).build(cell, seed=1, channels=4, cells_per_stage=1, num_classes=3).double()
    x = torch.randn(images, 3, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return NetworkCase(network, x, torch.arange(images) % 3, seed=3)


def _by_layer(case, cut):
    """Of every convolution and linear layer the gradients of both mini-batches, as arrays."""
    network = case.network.train()
    parameters = {name: p.detach() for name, p in network.named_parameters()}

    def loss(parameters, x, y):
        buffers = {name: b.clone() for name, b in network.named_buffers()}
        return F.cross_entropy(functional_call(network, {**parameters, **buffers}, (x,)), y)

    pieces = [(case.images[:cut], case.labels[:cut]), (case.images[cut:], case.labels[cut:])]
    gradients = [grad(loss)(parameters, *piece) for piece in pieces]
    layers = [name for name, module in network.named_modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    return [[g[f"{name}.weight"].flatten().numpy() for g in gradients] for name in layers]


def _score_by_weights(layers, of):
    """Weight by weight; a layer of which nothing is left is skipped."""
    total = 0.0
    for first, second in layers:
        kept = 0.0
        for a, b in zip(first.tolist(), second.tolist(), strict=True):
            spread = np.std([of(a), of(b)])
            if spread > 0:
                kept += (abs(a) + abs(b)) / 2 / spread
        if kept:
            total += math.log(kept)
    return total


@pytest.mark.parametrize(("name", "of"), [("zico", float), ("zico_abs", abs)])
def test_against_a_literal_reading(case, name, of):
    before = [p.clone() for p in case.network.parameters()]
    got = measure(name, case)
    assert got.status is Status.OK, got
    # Gradients that are zero but for rounding, as behind BatchNorm, decide no more than they weigh.
    assert got.value == pytest.approx(_score_by_weights(_by_layer(case, 5), of), rel=1e-6)
    assert all(torch.equal(one, other) for one, other in zip(before, case.network.parameters(), strict=True))


def test_gradients_by_differences_of_the_loss():
    """Of the classifier, whose few weights are moved one by one."""
    case = _case("nats-sss", images=8)
    network, weight = case.copy(), case.network.classifier.weight.detach()
    gradients = []
    for x, y in zip(case.images.split(4), case.labels.split(4), strict=True):
        moved = []
        for entry in range(weight.numel()):
            losses = []
            for step in (1e-5, -1e-5):
                network.classifier.weight.data.copy_(weight).flatten()[entry] += step
                with torch.no_grad():
                    losses.append(float(F.cross_entropy(network(x), y)))
            moved.append((losses[0] - losses[1]) / 2e-5)
        gradients.append(np.array(moved))
    for first, second in zip(_by_layer(case, 4)[-1], gradients, strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-5, atol=1e-8)


def test_equal_mini_batches_leave_no_weight():
    case = _case("nb201", images=4)
    twice = replace(case, images=case.images.repeat(2, 1, 1, 1), labels=case.labels.repeat(2))
    for name in ("zico", "zico_abs"):
        assert measure(name, twice).status is Status.UNDEFINED
        assert measure(name, case).status is Status.OK


def test_opposite_gradients_count_weights():
    """With g² = −g¹ every summand is one; by magnitude nothing differs."""
    generator = torch.Generator().manual_seed(0)
    layers = [torch.randn(size, generator=generator, dtype=torch.float64) for size in (7, 30, 1)]
    gradients = [torch.stack([g, -g]) for g in layers]
    assert _score(gradients, gradients) == pytest.approx(math.log(7) + math.log(30), rel=1e-12)
    with pytest.raises(NoValueError, match="no weight"):
        _score(gradients, [g.abs() for g in gradients])


def test_a_layer_of_equal_gradients_is_skipped_and_a_weight_in_it():
    g = torch.tensor([[1.0, 2.0, 5.0], [1.0, 4.0, 5.0]], dtype=torch.float64)
    equal = torch.full((2, 4), 0.1, dtype=torch.float64)
    assert _score([g, equal], [g, equal]) == pytest.approx(math.log(3.0), rel=1e-12)  # mean 3, deviation 1


def test_the_summand_of_two_mini_batches():
    a, b = 0.3, 0.5
    g = torch.tensor([[a], [b]], dtype=torch.float64)
    assert _score([g], [g]) == pytest.approx(math.log((a + b) / abs(a - b)), rel=1e-12)
    assert _score([g, -g], [g, -g]) == pytest.approx(2 * math.log((a + b) / abs(a - b)), rel=1e-12)


def test_too_few_images_and_what_is_not_finite():
    case = _case("nb201", images=3)
    assert measure("zico", case).status is Status.UNDEFINED
    case = _case("nb201", images=4)
    case.network.classifier.weight.data[0, 0] = math.inf
    assert measure("zico", case).status is Status.NON_FINITE


@pytest.mark.parametrize("name", ["zico", "zico_abs"])
def test_direction_and_source(name):
    assert get_measure(name).higher_is_better
    assert "Li et al." in get_measure(name).source
