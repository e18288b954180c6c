"""Every strategy, policy, output, set and normalisation against the definition, in float64."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from ntknas import empirical_ntk
from ntknas.core.errors import ChoiceError, KernelError
from tests.kernels import cases, reference

TOLERANCE = 1e-10
_ONE_OUTPUT = cases.with_one_output()
_OF_ANY_SIZE = [triple for triple in _ONE_OUTPUT if triple[0].name != "time first"]  # as many steps as samples


def _close(got, expected):
    scale = expected.norm()
    assert got.shape == expected.shape
    assert (got - expected).norm() <= TOLERANCE * (scale if scale > 0 else 1)


def _decoupled(case, policy):
    coupled = policy == "coupled" or (policy == "as-eval-mode" and not case.tracked)
    return not (case.norms and coupled)


@pytest.mark.parametrize("output", cases.OUTPUTS)
@pytest.mark.parametrize(("case", "policy"), cases.PAIRS, ids=cases.IDS)
def test_every_strategy_equals_the_definition(case, policy, output):
    network = case.network()
    x, labels = cases.batch()
    names = [name for name, _ in network.named_parameters()]
    jacobian = reference.jacobian_under(network, x, names, policy)
    if output == "label":
        labels = labels % jacobian.shape[1]
    expected = reference.kernel(jacobian, jacobian, output, (labels, labels))
    arguments = {"output": output, "batch_norm": policy, "parameters": "all", "labels": labels}
    for strategy in ("row-loop", "auto"):
        _close(empirical_ntk(network, x, strategy=strategy, **arguments).matrix, expected)
    layer_wise = case.layer_wise and _decoupled(case, policy)
    assert empirical_ntk(network, x, **arguments).strategy == ("layer-wise" if layer_wise else "row-loop")


@pytest.mark.parametrize(("case", "policy", "output"), _ONE_OUTPUT, ids=cases.ids(_ONE_OUTPUT))
def test_cross_kernels(case, policy, output):
    network = case.network()
    (x, labels), (x2, labels2) = cases.batch(), cases.batch(4, seed=5)
    names = [name for name, _ in network.named_parameters()]
    left = reference.jacobian_under(network, x, names, policy)
    right = reference.jacobian_under(network, x2, names, policy, frozen_on=x)
    labels, labels2 = labels % left.shape[1], labels2 % left.shape[1]
    expected = reference.kernel(left, right, output, (labels, labels2))
    arguments = {"output": output, "batch_norm": policy, "parameters": "all", "labels": labels, "labels2": labels2}
    if case.name == "time first":  # takes as many steps as samples: joined batches are another network
        arguments["strategy"] = "row-loop"
    for normalisation in ("none", "cosine", "corrcoef"):
        got = empirical_ntk(network, x, x2=x2, normalisation=normalisation, **arguments)
        rows = [reference.rows(j, output, y) for j, y in ((left, labels), (right, labels2))]
        _close_normalised(got.matrix, _normalised(*rows, normalisation) if normalisation != "none" else expected)


@pytest.mark.parametrize(("case", "policy", "output"), _OF_ANY_SIZE, ids=cases.ids(_OF_ANY_SIZE))
def test_chunks_make_the_same_kernel(case, policy, output):
    """Of one batch, which no chunk divides, and between two of different sizes."""
    network = case.network()
    (x, labels), (x2, labels2) = cases.batch(), cases.batch(4, seed=5)
    outputs = network.eval()(x).reshape(len(x), -1).shape[1]
    arguments = {"output": output, "batch_norm": policy, "parameters": "all", "labels": labels % outputs}
    for normalisation in ("none", "corrcoef"):
        for second in ({}, {"x2": x2, "labels2": labels2 % outputs}):
            whole = empirical_ntk(network, x, normalisation=normalisation, **arguments, **second)
            for chunk in (1, 4):
                got = empirical_ntk(network, x, normalisation=normalisation, chunk=chunk, **arguments, **second)
                _close_normalised(got.matrix, whole.matrix)
                assert got.strategy == whole.strategy
                assert (got.samples, got.outputs, got.symmetric) == (whole.samples, whole.outputs, whole.symmetric)


@pytest.mark.parametrize(("case", "policy", "output"), _ONE_OUTPUT, ids=cases.ids(_ONE_OUTPUT))
def test_several_rows_at_once_are_the_same_rows(case, policy, output):
    network = case.network()
    (x, labels), (x2, labels2) = cases.batch(), cases.batch(4, seed=5)
    outputs = network.eval()(x).reshape(len(x), -1).shape[1]
    arguments = {"output": output, "batch_norm": policy, "parameters": "all", "labels": labels % outputs}
    for second in ({}, {"x2": x2, "labels2": labels2 % outputs}):
        expected = empirical_ntk(network, x, strategy="row-loop", **arguments, **second)
        for rows_at_once in (2, 9):
            got = empirical_ntk(network, x, strategy="row-loop", rows_at_once=rows_at_once, **arguments, **second)
            _close(got.matrix, expected.matrix)


@pytest.mark.parametrize("name", ["chunk", "rows_at_once"])
def test_at_least_one_at_a_time(name):
    with pytest.raises(KernelError, match=f"`{name}` must be at least 1, got 0"):
        empirical_ntk(nn.Linear(2, 1), torch.zeros(3, 2), **{name: 0})


def _normalised(left, right, normalisation):
    if normalisation == "corrcoef":
        left, right = (rows - rows.mean(1, keepdim=True) for rows in (left, right))
    return (left / left.norm(dim=1, keepdim=True)) @ (right / right.norm(dim=1, keepdim=True)).T


def _close_normalised(got, expected):
    assert torch.equal(torch.isnan(got), torch.isnan(expected))
    _close(torch.nan_to_num(got), torch.nan_to_num(expected))


@pytest.mark.parametrize("normalisation", ["cosine", "corrcoef"])
@pytest.mark.parametrize("output", cases.OUTPUTS)
def test_normalisations(output, normalisation):
    network = cases._batch_norm().double()
    x, labels = cases.batch()
    jacobian = reference.jacobian_under(network, x, [name for name, _ in network.named_parameters()], "frozen")
    rows = reference.rows(jacobian, output, labels)
    expected = _normalised(rows, rows, normalisation)
    if normalisation == "corrcoef":
        np.testing.assert_allclose(expected, np.corrcoef(rows), rtol=1e-9)
    got = empirical_ntk(network, x, output, "frozen", "all", labels, normalisation=normalisation)
    _close(got.matrix, expected)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("all", ["0.weight", "1.weight", "1.bias", "3.weight", "3.bias", "4.weight", "4.bias", "7.weight", "7.bias"]),
        ("weights", ["0.weight", "1.weight", "3.weight", "4.weight", "7.weight"]),
        ("weights-no-head", ["0.weight", "1.weight", "3.weight", "4.weight"]),
        (["3.bias", "0.weight"], ["3.bias", "0.weight"]),
    ],
)
@pytest.mark.parametrize("strategy", ["row-loop", "layer-wise"])
def test_parameter_sets(parameters, expected, strategy):
    network = cases._batch_norm().double()
    x, labels = cases.batch()
    jacobian = reference.jacobian_under(network, x, expected, "frozen")
    kernel = empirical_ntk(network, x, parameters=parameters, strategy=strategy)
    _close(kernel.matrix, reference.kernel(jacobian, jacobian, "sum", (labels, labels)))


@pytest.mark.parametrize("case", cases.CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("policy", ["coupled", "frozen"])
def test_the_model_is_left_as_it_was(case, policy):
    network = case.network().train()
    frozen = next(network.parameters()).requires_grad_(False)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    rng = torch.get_rng_state()
    empirical_ntk(network, cases.batch()[0], batch_norm=policy, parameters="all")
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(module.training for module in network.modules())
    assert all("forward" not in module.__dict__ for module in network.modules())
    assert not any(module._forward_pre_hooks for name, module in network.named_modules() if not name)
    assert [p.requires_grad for p in network.parameters()] == [p is not frozen for p in network.parameters()]
    assert all(p.grad is None for p in network.parameters())
    assert torch.equal(rng, torch.get_rng_state())


def test_gradients_disabled_outside_do_not_matter():
    network, (x, _) = cases._plain().double(), cases.batch()
    expected = empirical_ntk(network, x).matrix
    with torch.no_grad():
        assert torch.equal(empirical_ntk(network, x).matrix, expected)


@pytest.mark.parametrize("policy", ["frozen", "eval", "as-eval-mode", "per-sample"])
@pytest.mark.parametrize("samples", [2, 3, 4, 9])
def test_mixing_by_hand_is_refused(policy, samples):
    with pytest.raises(KernelError, match=r"gradient.*`batch_norm` to 'coupled'"):
        empirical_ntk(cases.Mixing().double(), cases.batch(samples)[0], batch_norm=policy)


def test_mixing_by_hand_is_computed_when_coupled():
    network, (x, labels) = cases.Mixing().double(), cases.batch()
    names = [name for name, _ in network.named_parameters()]
    jacobian = reference.jacobian(network, x, names)
    kernel = empirical_ntk(network, x, batch_norm="coupled", parameters="all")
    assert kernel.strategy == "row-loop"
    _close(kernel.matrix, reference.kernel(jacobian, jacobian, "sum", (labels, labels)))


class Cumulative(nn.Module):
    """Sample i sees samples before it."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(27, 3)

    def forward(self, x):
        return self.layer(x[:, :, :3, :3].flatten(1)).cumsum(0)


class Swap(nn.Module):
    """Every sample is answered with another's output."""

    def __init__(self, order) -> None:
        super().__init__()
        self.layer, self.order = nn.Linear(27, 3), order

    def forward(self, x):
        return self.layer(x[:, :, :3, :3].flatten(1))[self.order]


@pytest.mark.parametrize(
    "network", [Cumulative(), Swap([2, 1, 0, 3]), Swap([1, 0, 2, 3]), Swap([0, 1, 3, 2]), Swap([0, 3, 2, 1])]
)
def test_any_dependence_on_other_samples_is_found(network):
    with pytest.raises(KernelError, match="gradient"):
        empirical_ntk(network.double(), cases.batch(4)[0])


def test_token_inputs():
    network = nn.Sequential(nn.Embedding(7, 4), nn.Flatten(), nn.Linear(12, 3)).double()
    tokens = torch.randint(0, 7, (5, 3))
    names = [name for name, _ in network.named_parameters()]
    jacobian = reference.jacobian(network, tokens, names)
    kernel = empirical_ntk(network, tokens, parameters="all")
    _close(kernel.matrix, reference.kernel(jacobian, jacobian, "sum", (tokens[:, 0], tokens[:, 0])))


def test_float32_rows_are_accumulated_in_float64():
    network, (x, _) = cases._plain(), cases.batch()
    exact = empirical_ntk(network.double(), x).matrix
    for strategy in ("row-loop", "layer-wise"):
        kernel = empirical_ntk(network.float(), x.float(), strategy=strategy)
        assert kernel.matrix.dtype == torch.float64
        assert kernel.choices.precision == "float32"
        assert (kernel.matrix - exact).norm() / exact.norm() < 1e-6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"output": "logits"}, "Unknown output reduction 'logits'"),
        ({"batch_norm": "train"}, "Unknown batch-norm policy"),
        ({"parameters": "weight"}, "Did you mean 'weights'"),
        ({"parameters": ["0.wight"]}, "Unknown parameter '0.wight'"),
        ({"parameters": []}, "is empty"),
        ({"normalisation": "l2"}, "Unknown normalisation"),
        ({"strategy": "fast"}, "Unknown strategy"),
    ],
)
def test_unknown_choices(arguments, message):
    with pytest.raises((ChoiceError, KernelError), match=message):
        empirical_ntk(cases._plain().double(), cases.batch()[0], **arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"output": "label"}, "needs labels of every batch"),
        ({"output": "label", "labels": torch.tensor([0, 1, 2, 3, 0])}, "between 0 and 2"),
        ({"output": "label", "labels": torch.rand(5)}, "whole numbers"),
        ({"labels": torch.arange(4)}, "5 samples and labels of shape"),
    ],
)
def test_labels_that_do_not_fit(arguments, message):
    with pytest.raises(KernelError, match=message):
        empirical_ntk(cases._plain().double(), cases.batch()[0], **arguments)


def test_impossible_networks_are_refused_with_the_remedy():
    x, _ = cases.batch()
    with pytest.raises(KernelError, match="share one of float32 and float64"):
        empirical_ntk(cases._plain(), x)
    with pytest.raises(KernelError, match="share one of"):
        empirical_ntk(cases._plain().half(), x.half())
    with pytest.raises(KernelError, match="one row per sample"):
        empirical_ntk(nn.Sequential(nn.Flatten(0), nn.Linear(len(x) * 192, 2)).double(), x)
    with pytest.raises(KernelError, match="tensor output"):
        empirical_ntk(cases.Recurrent().rnn.double(), x.flatten(2)[:, :, :6])
    with pytest.raises(KernelError, match="at least one sample"):
        empirical_ntk(cases._plain().double(), x[:0])
    with pytest.raises(KernelError, match="lazy parameters"):
        empirical_ntk(nn.LazyLinear(3), x.float())
    with pytest.raises(KernelError, match="none: choose 'weights'"):
        empirical_ntk(cases.ZeroKernel().double(), x, parameters="weights-no-head")


def test_batch_norm_that_a_policy_cannot_mean():
    class OwnNorm(nn.BatchNorm2d):
        def forward(self, x):
            return self.weight[:, None, None] * (x - self.running_mean[:, None, None]) + self.bias[:, None, None]

    x, _ = cases.batch()
    own = nn.Sequential(OwnNorm(3), nn.Flatten(), nn.Linear(192, 2)).double()
    for policy in ("frozen", "coupled", "per-sample"):
        with pytest.raises(KernelError, match=r"forward of its own.*`batch_norm` to 'eval'"):
            empirical_ntk(own, x, batch_norm=policy)
    jacobian = reference.jacobian_under(own, x, ["0.weight", "2.weight"], "eval")
    for policy in ("eval", "as-eval-mode"):
        _close(empirical_ntk(own, x, batch_norm=policy).matrix, reference.kernel(jacobian, jacobian, "sum", None))
    with pytest.raises(KernelError, match="keeps none"):
        empirical_ntk(cases._untracked().double(), x, batch_norm="eval")
    flat = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(192), nn.Linear(192, 2)).double()
    with pytest.raises(KernelError, match="two values per channel"):
        empirical_ntk(flat, x, batch_norm="per-sample")


@pytest.mark.parametrize("case", [case for case in cases.CASES if not case.layer_wise], ids=lambda case: case.name)
def test_asking_for_a_strategy_that_is_not_exact_is_refused(case):
    with pytest.raises(KernelError, match="row-loop"):
        empirical_ntk(case.network(), cases.batch()[0], parameters="all", strategy="layer-wise")


def test_a_network_that_insists_on_its_batch_size():
    class Insisting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(192, 3)

        def forward(self, x):
            return self.layer(x.view(9, 192))

    network, (x, _) = Insisting().double(), cases.batch(9)
    _close(empirical_ntk(network, x).matrix, empirical_ntk(network, x, strategy="row-loop").matrix)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize("policy", ["coupled", "frozen"])
def test_a_gpu_gives_the_same_kernel(policy):
    for case, output in itertools.product(cases.CASES, cases.OUTPUTS):
        network, (x, labels) = case.network(), cases.batch()
        labels = labels % 1 if case.name == "one output" else labels
        expected = empirical_ntk(network.cpu(), x, output, policy, "all", labels)
        got = empirical_ntk(network.cuda(), x.cuda(), output, policy, "all", labels.cuda())
        assert got.strategy == expected.strategy
        _close(got.matrix, expected.matrix)
