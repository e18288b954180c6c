"""Networks made to look as if the layer-wise strategy applied: the answer must be the row loop's all the same."""

import copy
import warnings

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ntknas import empirical_ntk
from ntknas.core.errors import KernelError


class Deceptive(nn.Module):
    """Two linear layers and a forward that is given."""

    def __init__(self, run):
        super().__init__()
        torch.manual_seed(3)
        self.a, self.h, self.run = nn.Linear(6, 6), nn.Linear(6, 3), run

    def forward(self, x):
        return self.run(self, x)


def _inner_gradient(net, x):
    x = x.detach().requires_grad_()
    return torch.autograd.grad(torch.tanh(net.a(x)).pow(2).sum(), x, create_graph=True)[0]


def _replaced_weight(net, x):
    return net.h(torch.tanh(torch.func.functional_call(net.a, {"weight": net.a.weight * 2}, (x,))))


def _reversed(net, x):
    return net.h(torch.tanh(net.a(x.flip(0)).flip(0)))


def _reversed_relu(net, x):
    return net.h(F.relu(F.relu(net.a(x.flip(0))).flip(0)))


def _sorted(net, x):
    order = x.sum(1).argsort()
    return net.h(torch.tanh(net.a(x[order])[order.argsort()]))


def _rolled(net, x):
    return net.h(torch.tanh(net.a(x.roll(4, 0)).roll(-4, 0)))


def _by_batch_size(net, x):
    return net.h(torch.tanh(net.a(x))) / len(x)


def _sample_by_sample(net, x):
    return torch.stack([net.h(torch.tanh(net.a(z))) for z in x])


def _checks_its_size(net, x):
    assert len(x) == 5
    return net.h(torch.tanh(net.a(x)))


def _indexes(net, x):
    return net.h(torch.tanh(net.a(x))) * (1 + 0 * x[4].sum().detach())


DECEPTIONS = [
    _inner_gradient,
    _replaced_weight,
    _reversed,
    _reversed_relu,
    _sorted,
    _rolled,
    _by_batch_size,
    _sample_by_sample,
    _checks_its_size,
    _indexes,
]


def _batch(samples, dark=False):
    x = torch.randn(samples, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    if dark:
        x[:4] = 0
    return x[x.sum(1).argsort()] if not dark else x


def _same(network, x, **choices):
    oracle = empirical_ntk(network, x, strategy="row-loop", **choices).matrix
    got = empirical_ntk(network, x, **choices).matrix
    assert (got - oracle).norm() <= 1e-10 * oracle.norm()


@pytest.mark.parametrize("run", DECEPTIONS)
@pytest.mark.parametrize("output", ["sum", "traced", "full"])
@pytest.mark.parametrize("dark", [False, True])
def test_no_deception_changes_the_kernel(run, output, dark):
    _same(Deceptive(run).double(), _batch(5, dark), output=output, parameters="all")


@pytest.mark.parametrize("run", [run for run in DECEPTIONS if run not in (_checks_its_size, _indexes)])
@pytest.mark.parametrize(("samples", "others"), [(1, 5), (5, 3), (9, 9)])
def test_nor_a_cross_kernel(run, samples, others):
    _same(Deceptive(run).double(), _batch(samples), x2=_batch(others), parameters="all", batch_norm="coupled")


def test_a_weight_that_is_computed():
    network = Deceptive(lambda net, x: net.h(torch.tanh(net.a(x)))).double()
    weight = network.a.weight
    del network.h.bias

    class Computes(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = network

        def forward(self, x):
            self.inner.h.bias = torch.tanh(weight.sum())[None].expand(3)
            return self.inner(x)

    _same(Computes(), _batch(5))


def test_a_convolution_with_another_inside():
    network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Tanh(), nn.Flatten(), nn.Linear(3 * 36, 2)).double()
    network[0]._conv_forward = lambda x, w, b: F.conv2d(F.pad(x, (1,) * 4, mode="circular"), w, b)
    _same(network, _batch(5)[:, None, None, :].expand(5, 1, 6, 6).clone())


@pytest.mark.parametrize("output", ["sum", "full"])
def test_frozen_statistics_do_not_come_from_a_pass_that_was_wrong(output):
    layers = [nn.Conv2d(1, 3, 3, padding=1), nn.BatchNorm2d(3), nn.Tanh(), nn.Flatten(), nn.Linear(3 * 36, 2)]
    network = nn.Sequential(*layers).double()
    network[0]._conv_forward = lambda x, w, b: F.conv2d(F.pad(x, (1,) * 4, mode="circular"), w, b)
    _same(network, _batch(5)[:, None, None, :].expand(5, 1, 6, 6).clone(), output=output, batch_norm="frozen")


@pytest.mark.parametrize("missing", ["weight", "bias"])
def test_batch_norm_with_half_its_parameters(missing):
    network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(3 * 16, 2)).double()
    setattr(network[1], missing, None)
    _same(network, _batch(5)[:, None, None, :].expand(5, 1, 6, 6).clone(), parameters="all")


def test_a_second_batch_of_another_image_size():
    network = nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.Tanh(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2)
    ).double()
    x, x2 = torch.randn(4, 1, 6, 6).double(), torch.randn(3, 1, 8, 8).double()
    _same(network, x, x2=x2)


def test_a_network_that_calls_itself_counts_its_shared_batch_norm_once_a_pass():
    class Recursive(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.layer = nn.BatchNorm1d(6), nn.Linear(6, 6)

        def forward(self, x, depth=3):
            return self(torch.tanh(self.layer(self.norm(x))), depth - 1) if depth else x

    network, x = Recursive().double(), _batch(5)
    traced = empirical_ntk(network, x, "traced", parameters="all").matrix
    full = empirical_ntk(network, x, "full", parameters="all").matrix
    assert torch.allclose(traced.trace(), full.trace())


def test_arguments_of_the_wrong_kind():
    network, x = Deceptive(lambda net, x: net.h(net.a(x))).double(), _batch(5)
    with pytest.raises(KernelError, match="torch tensor, got ndarray"):
        empirical_ntk(network, x.numpy())
    with pytest.raises(KernelError, match="Labels must be a torch tensor, got list"):
        empirical_ntk(network, x, labels=[0] * 5)
    with pytest.raises(KernelError, match="pass `x2` too"):
        empirical_ntk(network, x, labels2=torch.zeros(5, dtype=torch.long))
    hook = network.a.weight.register_hook(lambda gradient: 2 * gradient)
    with pytest.raises(KernelError, match=r"hook changes the gradient of a\.weight"):
        empirical_ntk(network, x)
    hook.remove()
    assert empirical_ntk(network, x).is_finite
    with pytest.raises(KernelError, match="must be a torch.nn.Module, got function"):
        empirical_ntk(lambda x: x, x)
    with torch.inference_mode(), pytest.raises(KernelError, match="inference_mode"):
        empirical_ntk(copy.deepcopy(network), x)
    with warnings.catch_warnings(action="ignore"):
        traced = torch.jit.trace(network, x)
    with pytest.raises(KernelError, match="scripted or traced"):
        empirical_ntk(traced, x)
