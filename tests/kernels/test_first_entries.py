"""Derivatives by first entries against the columns of the whole Jacobian, however they are computed."""

import pytest
import torch
from torch import nn

import ntknas.kernels.first_entries as kernels_module
from ntknas.core.errors import ChoiceError, KernelError
from ntknas.kernels.first_entries import first_entry_jacobian
from ntknas.kernels.strategies import layer_wise
from ntknas.kernels.strategies.tapping import Tapping
from tests.kernels import cases, reference

DEFINED = [
    pytest.param(case, policy, id=f"{case.name}, {policy}")
    for case in cases.CASES
    for policy in (("eval", "coupled", "per-sample") if case.norms else ("eval",))
    if policy != "eval" or case.tracked
]


def _expected(network, x, names, policy):
    jacobian = reference.jacobian_under(network, x, names, policy)
    sizes = [dict(network.named_parameters())[name].numel() for name in names]
    return torch.stack([columns[..., 0] for columns in jacobian.split(sizes, dim=2)], 2)


@pytest.mark.parametrize(("case", "policy"), DEFINED)
def test_against_the_jacobian(case, policy):
    network, (x, _) = case.network(), cases.batch()
    names = [name for name, _ in network.named_parameters()]
    got = first_entry_jacobian(network, x, names, policy)
    torch.testing.assert_close(got, _expected(network, x, names, policy), rtol=1e-9, atol=1e-11)


def test_some_tensors_in_an_order_of_ones_own():
    network, (x, _) = cases.CASES[3].network(), cases.batch()
    names = [name for name, _ in network.named_parameters()][::-2]
    got = first_entry_jacobian(network, x, names)
    torch.testing.assert_close(got, _expected(network, x, names, "eval"), rtol=1e-9, atol=1e-11)


def test_a_pass_for_each_output_and_the_same_without(monkeypatch):
    network, (x, _) = cases.CASES[3].network(), cases.batch()
    names = [name for name, _ in network.named_parameters()]
    passed = []
    backward = Tapping.backward
    monkeypatch.setattr(Tapping, "backward", lambda *args, **kw: passed.append(len(args[1])) or backward(*args, **kw))
    fast = first_entry_jacobian(network, x, names, verify=False)
    assert passed == [cases.SAMPLES] * cases.CLASSES
    monkeypatch.setattr(layer_wise, "blockers", lambda *_: ["not today"])
    torch.testing.assert_close(fast, first_entry_jacobian(network, x, names, verify=False), rtol=1e-10, atol=1e-12)
    assert passed == [cases.SAMPLES] * cases.CLASSES


def test_taps_that_are_wrong_are_found_out(monkeypatch):
    network, (x, _) = cases.CASES[3].network(), cases.batch()
    names = [name for name, _ in network.named_parameters()]
    right = first_entry_jacobian(network, x, names)
    monkeypatch.setattr(kernels_module, "_first_channel", lambda _, call: (call[0][:, -1:], call[1][:, :1], call[2]))
    assert not torch.allclose(first_entry_jacobian(network, x, names[:1], verify=False), right[..., :1])
    torch.testing.assert_close(first_entry_jacobian(network, x, names), right, rtol=1e-10, atol=1e-12)


def test_what_is_refused():
    x, _ = cases.batch()
    with pytest.raises(ChoiceError, match="Unknown parameter 'head'"):
        first_entry_jacobian(nn.Linear(2, 2), torch.ones(1, 2), ["head"])
    with pytest.raises(KernelError, match="`batch_norm` to 'coupled'"):
        first_entry_jacobian(cases.Mixing().double(), x, ["layer.weight"])
