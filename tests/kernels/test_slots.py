"""Rows by slot against each layer's own gradient, sample by sample, and against what their definition says."""

import pytest
import torch
from torch import nn

import ntknas.kernels.slots as slots_module
from ntknas import load_space
from ntknas.core.errors import ChoiceError, KernelError
from ntknas.kernels.slots import slot_kernel
from tests.kernels import cases, reference

LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d)
NAMES = ("plain", "batch norm", "groups strides dilations paddings", "shared modules", "in place", "sequence")
TRIED = [case for case in cases.CASES if case.name in (*NAMES, "dead branches", "one output", "untracked batch norm")]
DEAD = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"


def _batch(network):
    x, labels = cases.batch()
    return x, labels % network(x).reshape(len(x), -1).shape[1]


def _names(network):
    layers = [(name, module) for name, module in network.named_modules() if isinstance(module, LAYERS)]
    return [f"{name}.{kind}" for name, module in layers for kind, _ in module.named_parameters()]


def _flat(gradients, parameters):
    pairs = zip(gradients, parameters, strict=True)
    return torch.cat([(torch.zeros_like(p) if g is None else g).flatten() for g, p in pairs])


def _rows(network, x, labels):
    """Every layer runs again on each sample's own input, and pulls back what reached its output of that sample."""
    network.eval()
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.train()
    calls = []
    handles = [
        module.register_forward_hook(lambda m, given, made: calls.append((m, given[0].detach().clone(), made)))
        for module in network.modules()
        if isinstance(module, LAYERS)
    ]
    chosen = network(x.clone()).reshape(len(x), -1)[torch.arange(len(x)), labels].sum()
    for handle in handles:
        handle.remove()
    parameters = [dict(network.named_parameters())[name] for name in _names(network)]
    reached = torch.autograd.grad(chosen, [made for *_, made in calls], retain_graph=True, allow_unused=True)
    rows = [torch.zeros(sum(p.numel() for p in parameters), dtype=x.dtype) for _ in x]
    for (module, given, _), gradient in zip(calls, reached, strict=True):
        for sample in range(len(x)) if gradient is not None else ():
            some = slice(sample, sample + 1)
            pulled = torch.autograd.grad(module(given[some]), parameters, gradient[some], allow_unused=True)
            rows[sample] = rows[sample] + _flat(pulled, parameters)
    return torch.stack(rows), _flat(torch.autograd.grad(chosen, parameters, allow_unused=True), parameters)


@pytest.mark.parametrize("case", [case for case in TRIED if case.name != "in place"], ids=lambda case: case.name)
def test_against_each_layers_own_gradient(case):
    network = case.network()
    x, labels = _batch(network)
    kernel = slot_kernel(network, x, labels)
    rows, whole = _rows(network, x, labels)
    torch.testing.assert_close(kernel, rows @ rows.T, rtol=1e-9, atol=1e-11)
    torch.testing.assert_close(rows.sum(0), whole, rtol=1e-9, atol=1e-11)
    assert float(kernel.sum()) == pytest.approx(float(whole @ whole), rel=1e-8)


APART = [(each, policy) for each in TRIED for policy in ("eval", "frozen", "per-sample")]


@pytest.mark.parametrize(
    ("case", "policy"),
    [
        pytest.param(case, policy, id=f"{case.name}-{policy}")
        for case, policy in APART
        if case.tracked or policy != "eval"
    ],
)
def test_rows_of_the_own_class_where_samples_are_apart(case, policy):
    network = case.network()
    x, labels = _batch(network)
    rows = reference.rows(reference.jacobian_under(network, x, _names(network), policy), "label", labels)
    torch.testing.assert_close(slot_kernel(network, x, labels, policy), rows @ rows.T, rtol=1e-9, atol=1e-11)


def test_coupled_rows_are_not_those_of_the_own_class():
    network = next(case for case in TRIED if case.name == "batch norm").network()
    x, labels = _batch(network)
    rows = reference.rows(reference.jacobian_under(network, x, _names(network), "coupled"), "label", labels)
    assert not torch.allclose(slot_kernel(network, x, labels), rows @ rows.T, rtol=1e-2)


def test_terms_that_cancel_in_the_gradient_and_not_in_a_row():
    """A convolution with a bias and nothing in: BatchNorm's gradient of its constant is divided by √eps."""
    images = torch.randn(8, 3, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    traces = []
    for cell in (DEAD, DEAD.replace("nor_conv_3x3~2", "none~2")):
        network = load_space("nb201").build(
            cell, seed=2, channels=4, cells_per_stage=1, num_classes=4, variant="zero-cost"
        )
        traces.append(float(slot_kernel(network.double(), images, torch.arange(8) % 4).trace()))
    assert traces[0] > 100 * traces[1]


def test_the_network_is_as_it_was():
    network = next(case for case in TRIED if case.name == "batch norm").network()
    state = {name: value.clone() for name, value in network.state_dict().items()}
    x, labels = _batch(network.train())
    state = {name: value.clone() for name, value in network.state_dict().items()}
    slot_kernel(network, x, labels)
    assert network.training
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in network.parameters())


def test_rows_that_are_wrong_are_found_out(monkeypatch):
    network = next(case for case in TRIED if case.name == "batch norm").network()
    x, labels = _batch(network)
    monkeypatch.setattr(slots_module.layer_wise, "gram", _less_one_row(slots_module.layer_wise.gram))
    with pytest.raises(KernelError, match="do not sum to the gradient"):
        slot_kernel(network, x, labels)
    slot_kernel(network, x, labels, verify=False)


def _less_one_row(gram):
    def wrong(*args):
        accumulator, outputs = gram(*args)
        accumulator.gram[0] = 0
        accumulator.gram[:, 0] = 0
        return accumulator, outputs

    return wrong


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tied", "own their parameters alone, got first.weight \\(tied\\)"),
        ("reparametrised", "own their parameters alone"),
        ("functional use", "layer.weight is used outside its layer"),
        ("steps as samples", "not one row for each of 5 samples"),
    ],
)
def test_networks_of_which_there_are_no_such_rows(name, message):
    network = next(case for case in cases.CASES if case.name == name).network()
    with pytest.raises(KernelError, match=message):
        slot_kernel(network, *_batch(network))


def test_what_is_refused():
    x, labels = torch.ones(2, 3), torch.tensor([0, 1])
    with pytest.raises(KernelError, match="convolutions and linear layers, and Bilinear has none"):
        slot_kernel(nn.Bilinear(3, 3, 2), x, labels)
    with pytest.raises(ChoiceError, match="Unknown batch-norm policy 'none'"):
        slot_kernel(nn.Linear(3, 2), x, labels, "none")
    with pytest.raises(KernelError, match="between 0 and 1 for a network of 2 outputs"):
        slot_kernel(nn.Linear(3, 2), x, labels + 1)
