"""The output reduction ``features``: the sum over outputs of a network that ends where its classifier begins."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ntknas import empirical_ntk, load_space, perturbed_ntk
from ntknas.core.errors import KernelError
from ntknas.kernels import kernel_operator
from tests.kernels import reference

POLICIES = ("coupled", "frozen", "eval", "per-sample")
SPACES = {"nb201": 8216, "nb101": 12, "nats-sss": "8:16:64:24:40"}


class Trunk(nn.Module):
    """The spaces' networks up to their pooled features."""

    def __init__(self, network):
        super().__init__()
        self.inner = copy.deepcopy(network)
        self.inner.classifier = nn.Identity()

    def forward(self, x):
        return self.inner.features(x).mean((2, 3))


class TwoHeads(nn.Module):
    """A linear layer in the middle, one at the end, and a functional step between."""

    def __init__(self):
        super().__init__()
        self.first, self.head = nn.Linear(12, 6), nn.Linear(6, 4)

    def forward(self, x):
        return self.head(F.softplus(self.first(x.flatten(1))))


def network_of(name):
    return load_space(name).build(load_space(name).cell(SPACES[name]), channels=4, cells_per_stage=1, seed=1).double()


def images(count=4, side=8):
    return torch.randn(count, 3, side, side, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", list(SPACES))
def test_it_is_the_sum_over_outputs_of_the_network_without_its_classifier(name, policy):
    network, x = network_of(name), images()
    trunk = Trunk(network)
    kernel = empirical_ntk(network, x, "features", policy)
    torch.testing.assert_close(kernel.matrix, empirical_ntk(trunk, x, "sum", policy).matrix, rtol=1e-8, atol=0)
    weights = [name for name, _ in trunk.named_parameters() if "weight" in name]
    jacobian = reference.jacobian_under(trunk, x, weights, policy)
    torch.testing.assert_close(
        kernel.matrix, reference.kernel(jacobian, jacobian, "sum", (None, None)), rtol=1e-7, atol=0
    )
    assert (kernel.outputs, kernel.choices.output) == (jacobian.shape[1], "features")
    assert network.classifier(torch.ones(1, kernel.outputs, dtype=torch.float64)).shape == (1, 10)  # left as it was


@pytest.mark.parametrize("normalisation", ["none", "cosine", "corrcoef"])
@pytest.mark.parametrize("parameters", ["all", "weights", "weights-no-head"])
def test_the_classifiers_parameters_are_out_of_every_set(parameters, normalisation):
    network, x = network_of("nb201"), images()
    trunk, without = Trunk(network), parameters.removesuffix("-no-head")
    for strategy in ("layer-wise", "row-loop"):
        kernel = empirical_ntk(
            network, x, "features", "frozen", parameters, normalisation=normalisation, strategy=strategy
        )
        expected = empirical_ntk(trunk, x, "sum", "frozen", without, normalisation=normalisation)
        torch.testing.assert_close(kernel.matrix, expected.matrix, rtol=1e-8, atol=1e-10)
        assert kernel.strategy == strategy


def test_between_two_batches_in_chunks_by_name_and_as_an_operator():
    model, x = TwoHeads().double(), torch.randn(5, 3, 2, 2, dtype=torch.float64)
    body = nn.Sequential(nn.Flatten(), model.first, nn.Softplus())
    expected = empirical_ntk(body, x, "sum").matrix
    torch.testing.assert_close(empirical_ntk(model, x[:2], "features", x2=x).matrix, expected[:2])
    torch.testing.assert_close(empirical_ntk(model, x, "features", chunk=2).matrix, expected)
    by_name = empirical_ntk(model, x, "features", parameters=["head.weight", "first.weight"])
    torch.testing.assert_close(by_name.matrix, expected)
    with kernel_operator(model, x, "features") as operator:
        u = torch.randn(5, dtype=torch.float64)
        torch.testing.assert_close(operator.product(u), expected @ u)


def test_kernels_under_attack_have_features_too():
    model, x, labels = TwoHeads().double(), torch.rand(3, 3, 2, 2, dtype=torch.float64), torch.tensor([0, 1, 3])
    body = nn.Sequential(nn.Flatten(), model.first, nn.Softplus())
    kernel = perturbed_ntk(model, x, labels, "fgsm:0.1", output="features")
    x = x.requires_grad_()
    (gradient,) = torch.autograd.grad(F.cross_entropy(model(x), labels), x)
    attacked = (x + 0.1 * gradient.sign()).clamp(0, 1).detach()
    torch.testing.assert_close(kernel.matrix, empirical_ntk(body, attacked, "sum").matrix)


class Twice(TwoHeads):
    def forward(self, x):
        return super().forward(x) + super().forward(2 * x)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (nn.Sequential(nn.Conv2d(3, 2, 1), nn.Flatten()), "this module has none"),
        (nn.Sequential(nn.Flatten(), nn.Linear(12, 3)), "no parameter is left"),
        (Twice(), "calls it 2 times"),
    ],
)
def test_networks_without_such_features(model, message):
    with pytest.raises(KernelError, match=message):
        empirical_ntk(model, torch.randn(3, 3, 2, 2), "features")
