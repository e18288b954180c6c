"""Products with a kernel that is never formed, and estimates from them, against the kernel itself."""

import numpy as np
import pytest
import torch
from torch import nn

from ntknas.core.errors import KernelError
from ntknas.kernels import empirical_ntk, estimators, kernel_operator
from ntknas.measures import measure
from ntknas.measures.alignment import label_kernel
from tests.kernels import cases

_ONE_OUTPUT = cases.with_one_output()
_WITH_FORMS = cases.with_one_output(("sum", "label"))


def _both(case, policy, output):
    network = case.network()
    x, labels = cases.batch()
    outputs_count = network.eval()(x).reshape(len(x), -1).shape[1]
    choices = {"output": output, "batch_norm": policy, "parameters": "all", "labels": labels % outputs_count}
    expected = empirical_ntk(network, x, strategy="row-loop", **choices)
    return expected, kernel_operator(network, x, **choices)


@pytest.mark.parametrize(("case", "policy", "output"), _ONE_OUTPUT, ids=cases.ids(_ONE_OUTPUT))
def test_products_and_forms(case, policy, output):
    expected, context = _both(case, policy, output)
    scale = float(expected.matrix.norm()) or 1.0
    with context as kernel:
        assert kernel.size == expected.size
        for seed in range(2):
            vector = torch.randn(kernel.size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
            image = expected.matrix @ vector
            assert (kernel.product(vector) - image).norm() <= 1e-9 * scale
            assert abs(kernel.form(vector) - float(vector @ image)) <= 1e-9 * scale * float(vector @ vector)


@pytest.mark.parametrize(("case", "policy", "output"), _WITH_FORMS, ids=cases.ids(_WITH_FORMS))
def test_class_forms(case, policy, output):
    expected, context = _both(case, policy, output)
    with context as kernel:
        found = kernel.class_forms()
    labels = label_kernel(expected)
    numerator = ((expected.matrix - expected.matrix.mean()) * (labels - labels.mean())).sum()
    scale = float(expected.matrix.norm() * labels.norm()) or 1.0
    assert abs(found.alignment_numerator - float(numerator)) <= 1e-9 * scale
    assert abs(found.mean - float(expected.matrix.mean())) <= 1e-9 * scale
    for name in ("mean", "alignment_numerator"):
        assert measure(name, found).value == pytest.approx(measure(name, expected).value, abs=1e-9 * scale)
    assert found.samples == len(labels)


def _wide(samples=24):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 40), nn.BatchNorm1d(40), nn.ReLU(), nn.Linear(40, 4)).double()
    x = torch.randn(samples, 3, 2, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    choices = {"batch_norm": "coupled", "parameters": "all"}
    return empirical_ntk(network, x, **choices).matrix, kernel_operator(network, x, **choices)


@pytest.mark.parametrize("deflated", [0, 4])
def test_estimates_hold_what_they_promise(deflated):
    """Over 60 draws; 95 % are promised, 80 % let a few unlucky draws and few probes pass."""
    matrix, context = _wide()
    truths = {estimators.trace: float(matrix.trace()), estimators.frobenius: float(matrix.norm())}
    with context as kernel:
        for estimate, truth in truths.items():
            found = [estimate(kernel, vectors=8, deflated=deflated, seed=seed) for seed in range(60)]
            assert np.mean([each.low <= truth <= each.high for each in found]) >= 0.8
            assert all(each.low <= each.value <= each.high for each in found)
            assert np.mean([each.value for each in found]) == pytest.approx(truth, rel=0.1)


def test_deflation_narrows_the_interval():
    _, context = _wide()
    with context as kernel:
        for estimate in (estimators.trace, estimators.frobenius):
            plain, deflated = (
                np.mean([e.high - e.low for e in (estimate(kernel, deflated=k, seed=s) for s in range(10))])
                for k in (0, 4)
            )
            assert deflated < 0.7 * plain


def test_deflating_everything_is_exact():
    matrix, context = _wide(6)
    with context as kernel:
        found = estimators.trace(kernel, vectors=2, deflated=6)
    assert found.value == pytest.approx(float(matrix.trace()), rel=1e-9)
    assert found.high - found.low <= 1e-6 * found.value


@pytest.mark.parametrize("samples", [1, 2, 3, 24])
def test_largest_eigenvalue(samples):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 2)).double()
    x = torch.randn(samples, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    truth = float(torch.linalg.eigvalsh(empirical_ntk(network, x).matrix)[-1])
    with kernel_operator(network, x) as kernel:
        found = estimators.largest_eigenvalue(kernel, tolerance=1e-6)
    assert found.low * (1 - 1e-9) <= truth <= found.high * (1 + 1e-9)
    assert found.value == pytest.approx(truth, rel=1e-6)


def test_a_model_is_left_as_it_was():
    network, (x, labels) = cases._batch_norm().double().train(), cases.batch()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    with kernel_operator(network, x, batch_norm="coupled", labels=labels) as kernel:
        kernel.class_forms()
        assert kernel.backward_passes == len(labels.unique())
    assert network.training
    assert all(parameter.grad is None for parameter in network.parameters())
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_bad_input():
    network, x = nn.Linear(3, 2), torch.eye(3)
    with pytest.raises(KernelError, match="need labels"), kernel_operator(network, x) as kernel:
        kernel.class_forms()
    with pytest.raises(KernelError, match="length 3 is needed, got"), kernel_operator(network, x) as kernel:
        kernel.form(torch.ones(2))
    with pytest.raises(KernelError, match="at least two `vectors`, got 1"), kernel_operator(network, x) as kernel:
        estimators.trace(kernel, vectors=1)
