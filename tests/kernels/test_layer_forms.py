"""Shares of layers against the Jacobian restricted to each layer's parameters, in float64."""

import pytest
import torch
from torch import nn

from ntknas.core.choices import Choices
from ntknas.core.errors import KernelError
from ntknas.kernels import Batch, compute_kernel
from ntknas.kernels.layer_forms import layer_forms
from ntknas.kernels.method import Method
from tests.kernels import cases, reference

TOLERANCE = 1e-9
_ONE_OUTPUT = cases.with_one_output()


def _expected(network, x, labels, policy, output, vectors):
    """By layer: tr J_l J_lᵀ and vᵀJ_l J_lᵀv, from the Jacobian by these parameters alone."""
    layers: dict[str, list[str]] = {}
    for name, _ in network.named_parameters():
        layers.setdefault(name.rpartition(".")[0], []).append(name)
    expected = {}
    for layer, names in layers.items():
        jacobian = reference.jacobian_under(network, x, names, policy)
        kernel = reference.kernel(jacobian, jacobian, output, (labels, labels))
        expected[layer] = (kernel.trace(), (vectors.T @ kernel @ vectors).diagonal())
    return expected


@pytest.mark.parametrize(("case", "policy", "output"), _ONE_OUTPUT, ids=cases.ids(_ONE_OUTPUT))
def test_layers_add_what_their_own_parameters_do(case, policy, output):
    network = case.network()
    x, labels = cases.batch()
    labels = labels % network.eval()(x).reshape(len(x), -1).shape[1]
    batch, choices = Batch(x, labels), Choices.of(output, policy, "all", "none")
    for strategy in ("auto", "row-loop"):
        kernel = compute_kernel(network, [batch], choices, Method(strategy))
        vectors = torch.linalg.eigh(kernel.matrix).eigenvectors[:, [0, -1]]
        expected = _expected(network, x, labels, policy, output, vectors)
        found = {part.layer.name: part for part in layer_forms(network, batch, kernel, vectors)}
        assert found.keys() == expected.keys()
        scale = float(kernel.matrix.trace()) or 1.0
        for name, (trace, forms) in expected.items():
            assert found[name].trace == pytest.approx(float(trace), abs=TOLERANCE * scale)
            assert found[name].forms.tolist() == pytest.approx(forms.tolist(), abs=TOLERANCE * scale)


def test_forms_add_up_to_eigenvalues_in_float32():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(288, 4))
    batch = Batch(torch.randn(9, 3, 8, 8))
    kernel = compute_kernel(network, [batch], Choices.of("sum", "frozen", "all", "none"))
    values, vectors = torch.linalg.eigh(kernel.matrix)
    parts = layer_forms(network, batch, kernel, vectors)
    assert torch.stack([part.forms for part in parts]).sum(0).tolist() == pytest.approx(values.tolist(), rel=1e-9)
    assert sum(part.layer.columns for part in parts) == sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"normalisation": "cosine"}, "without `normalisation`"),
        ({"rows": 4}, "Vectors must be 5 long"),
        ({"other": True}, "another network"),
    ],
)
def test_what_is_no_kernel_of_this_network_is_refused(change, message):
    x, labels = cases.batch()
    network, batch = next(case for case, _ in cases.PAIRS).network(), Batch(x, labels)
    kernel = compute_kernel(network, [batch], Choices.of("sum", "frozen", "all", change.get("normalisation", "none")))
    batch = Batch(3 * x, labels) if "other" in change else batch
    with pytest.raises(KernelError, match=message):
        layer_forms(network, batch, kernel, torch.ones(change.get("rows", 5), 1, dtype=torch.float64))
