"""Gradients summed over the entries of every parameter tensor, against the whole Jacobian and against forward mode."""

import pytest
import torch
from torch import nn

import ntknas.kernels.summed_gradients as kernels_module
from ntknas.core.errors import ChoiceError, KernelError
from ntknas.kernels.strategies import layer_wise
from ntknas.kernels.strategies.tapping import Tapping
from ntknas.kernels.summed_gradients import summed_gradient_kernel, summed_gradients
from tests.kernels import cases, reference

POLICIES = ("coupled", "frozen", "eval", "per-sample")


def _tensors(network, names):
    return [dict(network.named_parameters())[name].numel() for name in names]


def _expected(case, policy, output):
    """Of the full Jacobian, cut at the tensors."""
    network, (x, labels) = case.network(), cases.batch()
    names = [name for name, _ in network.named_parameters()]
    jacobian = reference.jacobian_under(network, x, names, policy)
    rows = reference.rows(jacobian, output, labels % jacobian.shape[1])
    return torch.stack([part.sum(1) for part in rows.split(_tensors(network, names), dim=1)], dim=1)


DEFINED = [
    pytest.param(case, policy, id=f"{case.name}, {policy}")
    for case in cases.CASES
    for policy in (POLICIES if case.norms else ("frozen",))
    if policy != "eval" or case.tracked
]


@pytest.mark.parametrize(("case", "policy"), DEFINED)
def test_against_the_jacobian(case, policy):
    x, labels = cases.batch()
    outputs = case.network()(x).reshape(len(x), -1).shape[1]
    got = summed_gradients(case.network(), x, "label", policy, labels=labels % outputs)
    torch.testing.assert_close(got, _expected(case, policy, "label"), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("chunk", [None, 2])
@pytest.mark.parametrize("policy", POLICIES)
def test_against_forward_mode(policy, chunk):
    """The sum over a tensor's entries is the derivative along its all-ones vector."""
    case = next(case for case in cases.CASES if case.name == "groups strides dilations paddings")
    network, (x, _) = case.network(), cases.batch()
    kernel = summed_gradient_kernel(network, x, batch_norm=policy, chunk=chunk)
    network.eval()
    if policy == "frozen":
        reference._set_running_statistics(network, [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)], x)
    elif policy != "eval":
        network.train()
    parameters = {name: p.detach() for name, p in network.named_parameters()}
    expected = torch.zeros(len(x), len(x), dtype=torch.float64)
    for name in parameters:
        along = {each: torch.full_like(p, float(each == name)) for each, p in parameters.items()}
        sums = torch.cat([_derivative(network, parameters, along, some) for some in _seen_together(x, policy)])
        expected += torch.outer(sums, sums)
    torch.testing.assert_close(kernel, expected, rtol=1e-9, atol=1e-11)


def _seen_together(x, policy):
    return x.split(1) if policy == "per-sample" else [x]


def _derivative(network, parameters, along, x):
    def output(values):
        buffers = {name: b.clone() for name, b in network.named_buffers()}
        return torch.func.functional_call(network, {**values, **buffers}, (x,)).sum(1)

    return torch.func.jvp(output, (parameters,), (along,))[1]


def test_one_pass_where_samples_are_apart_and_the_same_without(monkeypatch):
    network, (x, _) = cases.CASES[3].network(), cases.batch()
    passed = []
    backward = Tapping.backward
    monkeypatch.setattr(Tapping, "backward", lambda *args, **kw: passed.append(len(args[1])) or backward(*args, **kw))
    fast = summed_gradients(network, x, batch_norm="per-sample", chunk=3, verify=False)
    assert passed == [3, 2]
    monkeypatch.setattr(layer_wise, "blockers", lambda *_: ["not today"])
    slow = summed_gradients(network, x, batch_norm="per-sample", verify=False)
    torch.testing.assert_close(fast, slow, rtol=1e-10, atol=1e-12)
    assert passed == [3, 2]


def test_taps_that_are_wrong_are_found_out(monkeypatch):
    network, (x, _) = cases.CASES[2].network(), cases.batch()
    right = summed_gradients(network, x)
    sums = kernels_module._weight_sums
    monkeypatch.setattr(kernels_module, "_weight_sums", lambda *args: 1.1 * sums(*args))
    torch.testing.assert_close(summed_gradients(network, x), right, rtol=1e-10, atol=1e-12)


def test_rank_one_for_one_tensor_and_float32():
    x = torch.randn(7, 4, generator=torch.Generator().manual_seed(0))
    kernel = summed_gradient_kernel(nn.Linear(4, 1, bias=False), x)
    assert kernel.dtype == torch.float64
    torch.testing.assert_close(kernel, torch.outer(x.sum(1), x.sum(1)).double(), rtol=1e-5, atol=1e-6)
    assert int(torch.linalg.matrix_rank(kernel, tol=1e-6)) == 1


@pytest.mark.parametrize(
    ("options", "message", "error"),
    [
        ({"output": "full"}, "'sum' or 'label', got 'full'", ChoiceError),
        ({"output": "label"}, "needs labels of every batch", KernelError),
        ({"batch_norm": "none"}, "Unknown batch-norm policy 'none'", ChoiceError),
        ({"parameters": "biases"}, "Unknown parameter set 'biases'", ChoiceError),
        ({"chunk": 0}, "`chunk` must be at least 1", KernelError),
    ],
)
def test_what_is_refused(options, message, error):
    with pytest.raises(error, match=message):
        summed_gradients(nn.Linear(2, 3), torch.ones(2, 2), **options)


def test_samples_that_see_one_another_are_refused():
    x, _ = cases.batch()
    with pytest.raises(KernelError, match="`batch_norm` to 'coupled'"):
        summed_gradients(cases.Mixing().double(), x, batch_norm="per-sample")
