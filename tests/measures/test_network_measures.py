"""Baselines against independent computations, on small networks of every space in float64."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call, grad, jvp

from ntknas import load_space, measure
from ntknas.core.cases import NetworkCase
from ntknas.core.errors import KernelError
from ntknas.core.score import Status
from ntknas.measures import Need, activations, expand, get_measure, gradients
from ntknas.measures.activations import (
    JACOB_COV_OFFSET,
    LINEAR_REGION_SAMPLES,
    ZEN_BATCH,
    ZEN_MIX,
    ZEN_REPEATS,
    _crops,
)
from ntknas.spaces.nb201.network import Zero
from tests.measures.test_measures import make_kernel

SMALL = {"channels": 6, "cells_per_stage": 1, "num_classes": 4}
DEAD = "|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|nor_conv_1x1~0|none~1|none~2|"  # two convolutions lead nowhere
CASES = {
    "nb201": ("nb201", 8216),
    "dead branches": ("nb201", DEAD),
    "nb101": ("nb101", 12),
    "nats-sss": ("nats-sss", "8:16:64:24:40"),
    "nb-macro": ("nb-macro", "10020012"),
}


@pytest.fixture(params=list(CASES))
def case(request):
    name, cell = CASES[request.param]
    network = load_space(name).build(cell, seed=1, **SMALL).double()
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(9, 3, 8, 8, dtype=torch.float64, generator=generator)
    return NetworkCase(network, images, torch.arange(9) % 4, seed=3)


def _with_images(case, number):
    images = torch.randn(number, 3, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    return replace(case, images=images, labels=torch.arange(number) % 4)


def _weights(network):
    return {
        f"{name}.weight": module.weight.detach()
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear)
    }


def _loss_of(case):
    network = case.network.train()
    rest = {name: p.detach() for name, p in network.named_parameters()}
    buffers = dict(network.named_buffers())

    def loss(weights):
        state = {**rest, **{name: b.clone() for name, b in buffers.items()}, **weights}
        return F.cross_entropy(functional_call(network, state, case.images), case.labels)

    return loss, _weights(network)


def _grad_norm(case):
    loss, weights = _loss_of(case)
    return sum(float(g.norm()) for g in grad(loss)(weights).values())


def _snip(case):
    """The derivative by a mask of ones."""
    loss, weights = _loss_of(case)
    masks = {name: torch.ones_like(w) for name, w in weights.items()}
    by_mask = grad(lambda m: loss({name: m[name] * w for name, w in weights.items()}))(masks)
    return sum(float(g.abs().sum()) for g in by_mask.values())


def _grasp(case):
    """Hg by forward differentiation of the gradient along itself."""
    loss, weights = _loss_of(case)
    _, product = jvp(grad(loss), (weights,), (grad(loss)(weights),))
    return -sum(float((w * product[name]).sum()) for name, w in weights.items())


def _fisher(case):
    """The derivative by a mask of every channel of every image."""
    network = case.copy()
    total = []

    def masked(layer, inputs, output):
        mask = torch.ones(output.shape[:2], dtype=output.dtype, requires_grad=True)
        total.append((layer, mask))
        return output * (mask[:, :, None, None] if output.dim() == 4 else mask)

    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(masked)
    F.cross_entropy(network(case.images), case.labels).backward()
    return sum(
        layer.weight[0].numel() * float((mask.grad**2).mean(0).sum() / 2)
        for layer, mask in total
        if mask.grad is not None
    )


def _synflow(case):
    """Σ_l of the derivative of R by a factor on layer l, by central differences."""
    network = _without_norms(case, kept=())
    ones = torch.ones(1, 3, 8, 8, dtype=torch.float64)

    def flow(layer, factor):
        kept = layer.weight.data.clone()
        layer.weight.data *= factor
        with torch.no_grad():
            result = float(network(ones).sum())
        layer.weight.data.copy_(kept)
        return result

    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    return math.log(sum((flow(layer, 1 + 1e-6) - flow(layer, 1 - 1e-6)) / 2e-6 for layer in layers))


def _without_norms(case, kept):
    """The network with parameters by their magnitude, and no BatchNorm but in the layers of these names."""
    network = case.copy()
    for parameter in network.parameters():
        parameter.data.abs_()
    for name, module in list(network.named_modules()):
        if isinstance(module, nn.BatchNorm2d) and not any(part in name for part in kept):
            parent = network.get_submodule(name.rpartition(".")[0])
            setattr(parent, name.rpartition(".")[2], nn.Identity())
    return network


def _synflow_code(case):
    """Σ over weights of the magnitude of the derivative by a factor on each."""
    network = _without_norms(case, kept=("conv_a", "conv_b"))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.track_running_stats = False
    weights, rest = _weights(network), dict(network.named_parameters())
    ones = torch.ones(1, 3, 8, 8, dtype=torch.float64)

    def flow(some):
        return functional_call(network, {**rest, **some}, ones).sum()

    factors = {name: torch.ones_like(w) for name, w in weights.items()}
    by_factor = grad(lambda f: flow({name: f[name] * w for name, w in weights.items()}))(factors)
    return math.log(sum(float(g.abs().sum()) for g in by_factor.values()))


def _jacob_cov(case):
    network = case.copy()
    rows = torch.autograd.functional.jacobian(lambda x: network(x).sum(), case.images).flatten(1).numpy()
    eigenvalues = np.linalg.eigvals(np.corrcoef(rows)).real
    return -np.sum(np.log(eigenvalues + JACOB_COV_OFFSET) + 1 / (eigenvalues + JACOB_COV_OFFSET))


def _codes(network, images):
    codes = []
    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_pre_hook(lambda m, x: codes.append((x[0] > 0).flatten(1).numpy()))
    with torch.no_grad():
        network(images)
    return np.concatenate(codes, axis=1)


def _naswot(case):
    """Units less Hamming distances."""
    codes = _codes(case.copy(), case.images)
    kernel = np.array([[codes.shape[1] - np.sum(a != b) for b in codes] for a in codes], dtype=float)
    return np.linalg.slogdet(kernel)[1]


def _zen(case):
    generator = torch.Generator().manual_seed(case.seed)
    values = []
    for _ in range(ZEN_REPEATS):
        network, variances = case.copy(), []
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                module.weight.data = torch.randn(module.weight.shape, generator=generator).double()
                if module.bias is not None:
                    module.bias.data.zero_()
            if isinstance(module, nn.BatchNorm2d):
                variances.append(module)
        x, noise = (torch.randn(ZEN_BATCH, 3, 8, 8, generator=generator).double() for _ in range(2))
        with torch.no_grad():
            pooled = [network.features(x), network.features(x + ZEN_MIX * noise)]
        change = sum(float((a - b).abs().sum()) for a, b in zip(*pooled, strict=True)) / ZEN_BATCH
        values.append(math.log(change) + sum(math.log(math.sqrt(float(m.running_var.mean()))) for m in variances))
    return np.mean(values)


def _linear_regions(case):
    codes = _codes(case.copy(), _crops(case))
    return len({row.tobytes() for row in codes})


def _knas_code(case):
    """Entry by entry, as the code of KNAS loops over its network, whose edges ``none`` multiply by zero."""
    network, kept = case.copy(), {}
    for module in network.modules():
        if isinstance(module, Zero):
            module.forward = lambda x: x * 0.0
    for images, labels in zip(case.images.tensor_split(50), case.labels.tensor_split(50), strict=True):
        names = [name for name, p in network.named_parameters() if p.requires_grad]
        gradients = torch.autograd.grad(
            F.cross_entropy(network(images), labels), list(network.parameters()), allow_unused=True
        )
        number = 0
        for name, gradient in zip(names, gradients, strict=True):
            if gradient is None or gradient.numel() < 50:
                continue
            if number == 11:
                break
            number += 1
            kept.setdefault(name, []).append(gradient.flatten()[:50])
    total = 0.0
    for rows in kept.values():
        for entry in range(50):
            first = np.array([float(rows[k][entry]) for k in range(25)])
            second = np.array([float(rows[k][entry]) for k in range(25, 50)])
            total += np.dot(first - first.mean(), second - second.mean()) / 2500
    return total


REFERENCES = {
    "grad_norm": (_grad_norm, 1e-10),
    "snip": (_snip, 1e-10),
    "grasp": (_grasp, 1e-9),
    "fisher": (_fisher, 1e-10),
    "synflow": (_synflow, 1e-6),
    "synflow_code": (_synflow_code, 1e-9),
    "knas_code": (_knas_code, 1e-9),
    "jacob_cov": (_jacob_cov, 1e-8),
    "naswot": (_naswot, 1e-10),
    "zen": (_zen, 1e-10),
    "linear_regions": (_linear_regions, 0),
}


def test_there_is_a_reference_for_every_measure_of_these_files():
    """Those of other files have references in tests of their own."""
    homes = {gradients.__name__, activations.__name__}
    assert set(REFERENCES) == {name for name in expand(["baselines"]) if get_measure(name).compute.__module__ in homes}


@pytest.mark.parametrize("name", list(REFERENCES))
def test_against_an_independent_computation(case, name):
    reference, tolerance = REFERENCES[name]
    if name == "knas_code":
        case = _with_images(case, 103)
    before = [parameter.clone() for parameter in case.network.parameters()]
    got = measure(name, case)
    assert got.status is Status.OK, got
    assert got.value == pytest.approx(reference(case), rel=max(tolerance, 1e-14))
    for one, other in zip(before, case.network.parameters(), strict=True):
        assert torch.equal(one, other)


NOTHING_IN = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|{}~2|"


@pytest.mark.parametrize(("variant", "factor"), [("zero-cost", 100.0), ("official", None)])
def test_fisher_of_one_function_written_in_two_ways(variant, factor):
    """A convolution with a bias and nothing in has a constant output, which BatchNorm's gradient weighs by 1/√eps."""
    images = torch.randn(16, 3, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    scores, logits = [], []
    for operation in ("none", "nor_conv_3x3"):
        network = load_space("nb201").build(NOTHING_IN.format(operation), seed=2, variant=variant, **SMALL).double()
        scores.append(measure("fisher", NetworkCase(network, images, torch.arange(16) % 4)).value)
        logits.append(network.train()(images))
    torch.testing.assert_close(*logits, rtol=1e-9, atol=1e-12)
    if factor:
        assert scores[1] > factor * scores[0]
    else:
        assert scores[1] == pytest.approx(scores[0], rel=1e-9)


def test_the_constant_is_weighed_by_the_epsilon_of_batch_norm():
    """∂/∂a of BatchNorm of a constant is 1/√eps times the gradient less its mean: fisher grows as 1/eps."""
    images = torch.randn(16, 3, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    values = []
    for eps in (1e-5, 1e-9):
        cell = NOTHING_IN.format("nor_conv_3x3")
        network = load_space("nb201").build(cell, seed=2, variant="zero-cost", **SMALL).double()
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d) and not module.affine:
                module.eps = eps
        values.append(measure("fisher", NetworkCase(network, images, torch.arange(16) % 4)).value)
    assert values[1] / values[0] == pytest.approx(1e4, rel=0.02)


def test_a_tensor_on_which_nothing_depends_is_one_of_the_eleven():
    images, labels = torch.randn(100, 3, 8, 8, dtype=torch.float64), torch.arange(100) % 4
    network = load_space("nb201").build(DEAD, seed=1, **SMALL).double()
    case = NetworkCase(network, images, labels)
    assert measure("knas_code", case).value == pytest.approx(_knas_code(case), rel=1e-9)
    dead = [name for name, p in network.named_parameters() if p.numel() >= 50][:11]
    assert any("edges" in name for name in dead)


@pytest.mark.parametrize("name", [n for n in expand(["baselines"]) if Need.LABELS in get_measure(n).needs])
def test_labels_that_are_no_classes_are_refused(name):
    network, images = nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), torch.randn(4, 3, 2, 2)
    for labels, message in (([0.0, 1.0, float("nan"), 0.0], "whole numbers"), ([0, 1], "one for each of 4 samples")):
        with pytest.raises(KernelError, match=message):
            measure(name, NetworkCase(network, images, torch.tensor(labels)))


def test_directions_and_sources():
    baselines = {name: get_measure(name) for name in expand(["baselines"])}
    assert [name for name, chosen in baselines.items() if not chosen.higher_is_better] == ["hnas_cond"]
    for chosen in baselines.values():
        assert chosen.source
        assert ("Higher" if chosen.higher_is_better else "Lower") in chosen.compute.__doc__


def test_crops_are_of_the_probe():
    images = torch.arange(2 * 3 * 25, dtype=torch.float32).reshape(2, 3, 5, 5)
    crops = _crops(NetworkCase(nn.Identity(), images, torch.zeros(2), seed=0))
    assert crops.shape == (LINEAR_REGION_SAMPLES, 3, 3, 3)
    possible = {
        tuple(images[n, :, y : y + 3, x : x + 3].flatten().tolist())
        for n in range(2)
        for y in range(3)
        for x in range(3)
    }
    assert {tuple(crop.flatten().tolist()) for crop in crops} == possible


def test_a_network_that_says_the_same_of_all_images():
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 3), nn.ReLU(), nn.Linear(3, 2)).double()
    network[1].weight.data.zero_()
    network[1].bias.data.fill_(-1)
    case = NetworkCase(network, torch.randn(4, 3, 2, 2, dtype=torch.float64), torch.tensor([0, 1, 0, 1]))
    statuses = {name: measure(name, case).status for name in ("jacob_cov", "naswot", "synflow")}
    assert statuses == {"jacob_cov": Status.UNDEFINED, "naswot": Status.SINGULAR, "synflow": Status.OK}
    network[3].weight.data.zero_()
    network[3].bias.data.zero_()
    assert measure("synflow", case).status is Status.UNDEFINED


def test_too_few_images_for_the_code_of_knas(case):
    assert measure("knas_code", case).status is Status.UNDEFINED


def test_the_wrong_subject_is_refused(case):
    with pytest.raises(KernelError, match="'cond' is one of a Kernel, got a NetworkCase"):
        measure("cond", case)
    with pytest.raises(KernelError, match="'snip' is one of a NetworkCase, got a Kernel"):
        measure("snip", make_kernel(np.eye(3)))
