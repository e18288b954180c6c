"""Kernels of layers against the Jacobian restricted to each layer's parameters, and inputs against hooks of a plain
module in plain modes, in float64."""

import copy
from itertools import product

import pytest
import torch
from torch import nn

from ntknas import empirical_ntk, perturbed_ntk
from ntknas.core.errors import KernelError
from tests.kernels import cases, reference

TOLERANCE = 1e-9
_ONE_OUTPUT = cases.with_one_output()
WAYS = ({"strategy": "auto"}, {"strategy": "auto", "chunk": 2}, {"strategy": "row-loop", "chunk": 3})


def _by_layer(network, x, labels, policy, output, parameters):
    """K_l of every layer, from the Jacobian by its parameters alone."""
    names: dict[str, list[str]] = {}
    for name in parameters:
        names.setdefault(name.rpartition(".")[0], []).append(name)
    kernels = {}
    for layer, own in names.items():
        jacobian = reference.jacobian_under(network, x, own, policy)
        kernels[layer] = reference.kernel(jacobian, jacobian, output, (labels, labels))
    return kernels


def _agree(found, expected, scale):
    assert float((found - expected).detach().abs().max()) <= TOLERANCE * max(float(scale), 1e-300)


@pytest.mark.parametrize(("case", "policy", "output"), _ONE_OUTPUT, ids=cases.ids(_ONE_OUTPUT))
def test_a_layer_s_kernel_is_that_of_its_own_parameters(case, policy, output):
    network, (x, labels) = case.network(), cases.batch()
    labels = labels % network.eval()(x).reshape(len(x), -1).shape[1]
    expected = _by_layer(network, x, labels, policy, output, dict(network.named_parameters()))
    whole = sum(expected.values())
    for way in WAYS[: 1 if case.name == "time first" else None]:  # which is another network for other batches
        kernel = empirical_ntk(network, x, output, policy, "all", labels, by_layer=True, **way)
        _agree(kernel.matrix, whole, whole.abs().max())
        assert {layer.name: layer.columns for layer in kernel.layers} == {
            name: sum(p.numel() for p in network.get_submodule(name).parameters(recurse=False)) for name in expected
        } or case.name == "tied"  # whose second layer has a bias alone
        for layer in kernel.layers:
            _agree(layer.kernel.matrix, expected[layer.name], whole.abs().max())
            torch.testing.assert_close(layer.kernel.left_norms, layer.kernel.matrix.diagonal())


def test_a_dead_layer_adds_nothing_and_one_that_is_never_called_has_no_inputs():
    network, (x, labels) = cases.DeadBranch().double(), cases.batch()
    kernel = empirical_ntk(network, x, "sum", "frozen", "all", labels, by_layer=True, layer_inputs=True)
    layers = {layer.name: layer for layer in kernel.layers}
    dead = {name for name, layer in layers.items() if not layer.kernel.matrix.any()}
    assert dead == {"lost", "zeroed", "never"}
    assert [name for name, layer in layers.items() if layer.inputs is None] == ["never"]


def _inputs(network, x, policy):
    """Σ over calls of the Gram matrix of each module's inputs, in plain forward passes."""
    model = copy.deepcopy(network).eval()
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and policy in ("coupled", "frozen", "per-sample"):
            module.train()
    calls: dict[str, list[torch.Tensor]] = {}
    for name, module in model.named_modules():
        module.register_forward_pre_hook(lambda _, given, name=name: calls.setdefault(name, []).append(given[0]))
    grams: dict[str, torch.Tensor] = {}
    if policy == "per-sample":
        for image in x.split(1):
            model(image)
        calls = {
            name: [torch.cat(values[i :: len(values) // len(x)]) for i in range(len(values) // len(x))]
            for name, values in calls.items()
        }
    else:
        model(x)
    for name, values in calls.items():
        grams[name] = sum(value.flatten(1) @ value.flatten(1).T for value in values)
    return grams


_SAMPLES_FIRST = [
    (case, policy, output)
    for case, policy, output in _ONE_OUTPUT
    if case.name
    not in {"time first", "steps as samples", "bare parameter", "attention", "lstm", "gru", "reparametrised"}
]


@pytest.mark.parametrize(("case", "policy", "output"), _SAMPLES_FIRST, ids=cases.ids(_SAMPLES_FIRST))
def test_inputs_are_what_layers_are_given(case, policy, output):
    network, (x, labels) = case.network(), cases.batch()
    labels = labels % network.eval()(x).reshape(len(x), -1).shape[1]
    expected = _inputs(network, x, policy)
    for way in WAYS[::2]:
        kernel = empirical_ntk(network, x, output, policy, "all", labels, by_layer=True, layer_inputs=True, **way)
        for layer in kernel.layers:
            if layer.name in expected:
                _agree(layer.inputs, expected[layer.name], expected[layer.name].abs().max())
            else:
                assert layer.inputs is None


@pytest.mark.parametrize(("policy", "output"), list(product(("frozen", "per-sample", "coupled"), ("sum", "full"))))
def test_layers_of_a_kernel_between_two_batches(policy, output):
    network, (x, labels), (x2, labels2) = cases.InPlace().double(), cases.batch(), cases.batch(4, seed=3)
    kernel = empirical_ntk(network, x, output, policy, "all", labels, x2, labels2, by_layer=True)
    names = {name for name, _ in network.named_parameters()}
    for layer in kernel.layers:
        own = [name for name in names if name.rpartition(".")[0] == layer.name]
        left = reference.jacobian_under(network, x, own, policy)
        right = reference.jacobian_under(network, x2, own, policy, frozen_on=x)
        expected = reference.kernel(left, right, output, (labels, labels2))
        _agree(layer.kernel.matrix, expected, kernel.matrix.abs().max())
        _agree(layer.kernel.right_norms, reference.kernel(right, right, output, (labels2, labels2)).diagonal(), 1e3)


def test_layers_of_mixed_rows_add_up():
    network, (x, labels) = cases.InPlace().double(), cases.batch()
    choices = {"perturb": "fgsm:1/255", "kernel_of": "mixed:0.5", "parameters": "all"}
    plain = perturbed_ntk(network, x, labels, **choices)
    kernel = perturbed_ntk(network, x, labels, by_layer=True, **choices)
    _agree(sum(layer.kernel.matrix for layer in kernel.layers), plain.matrix, plain.matrix.abs().max())
    assert {layer.kernel.choices for layer in kernel.layers} == {plain.choices}
    assert plain.layers is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by_layer": True, "normalisation": "cosine"}, "without `normalisation`, got 'cosine'"),
        ({"layer_inputs": True}, "set both"),
        ({"by_layer": True, "layer_inputs": True, "x2": cases.batch()[0]}, "one batch"),
    ],
)
def test_what_layers_are_not_there_for(options, message):
    network, (x, labels) = cases.InPlace().double(), cases.batch()
    with pytest.raises(KernelError, match=message):
        empirical_ntk(network, x, labels=labels, **options)


def test_inputs_that_are_not_by_sample_are_refused():
    network, (x, labels) = cases.StepsAsSamples().double(), cases.batch()
    with pytest.raises(KernelError, match="A Linear is given .* not one row for each of 5 samples"):
        empirical_ntk(network, x, labels=labels, by_layer=True, layer_inputs=True)
