"""The energy of labels against the least-norm fit of them, and what it is of kernels that are known."""

import numpy as np
import pytest
import torch

from ntknas import empirical_ntk, measure
from ntknas.core.errors import KernelError
from ntknas.core.score import Status
from ntknas.measures import expand, get_measure
from tests.measures.test_measures import make_kernel

CLASSES = 3


def _kernel(matrix, labels, output="traced"):
    return make_kernel(matrix, labels=labels, output=output)


def _targets(labels):
    return np.eye(CLASSES)[labels] - 1 / CLASSES


@pytest.mark.parametrize("seed", range(4))
def test_against_the_least_norm_fit(seed):
    """K = J Jᵀ: of the vectors w with J w = ȳ the smallest, by a singular value decomposition of J."""
    rng = np.random.default_rng(seed)
    jacobian, labels = rng.normal(size=(9, 40)), rng.integers(CLASSES, size=9)
    fits = np.linalg.lstsq(jacobian, _targets(labels), rcond=None)[0]
    kernel = _kernel(jacobian @ jacobian.T, labels)
    assert measure("label_energy", kernel).value == pytest.approx((fits**2).sum() / 9, rel=1e-9)


def test_of_the_identity_and_of_its_multiples():
    labels = [0, 1, 2, 0, 1, 1]
    value = measure("label_energy", _kernel(np.eye(6), labels)).value
    assert value == pytest.approx(1 - 1 / CLASSES, rel=1e-12)  # (1 − 1/C)² + (C − 1)/C² for each image
    assert measure("label_energy", _kernel(4 * np.eye(6), labels)).value == pytest.approx(value / 4, rel=1e-12)


def test_labels_that_the_kernel_knows_cost_less():
    labels = np.array([0, 0, 1, 1, 2, 2])
    targets = _targets(labels)
    known = _kernel(targets @ targets.T + 0.01 * np.eye(6), labels)
    other = _kernel(known.matrix.numpy(), labels[[0, 2, 4, 1, 3, 5]])
    assert measure("label_energy", known).value < 0.1 * measure("label_energy", other).value


def test_of_a_network():
    x = torch.randn(6, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(5, 8), torch.nn.Tanh(), torch.nn.Linear(8, CLASSES)).double()
    labels = torch.arange(6) % CLASSES
    kernel = empirical_ntk(network, x, output="traced", parameters="all", labels=labels)
    expected = np.trace(_targets(labels.numpy()).T @ np.linalg.inv(kernel.matrix.numpy()) @ _targets(labels.numpy()))
    assert measure("label_energy", kernel).value == pytest.approx(expected / 6, rel=1e-8)


@pytest.mark.parametrize("smallest", [0.0, 1e-16, -1e-3])
def test_a_singular_kernel_has_none(smallest):
    kernel = _kernel(np.diag([1.0, 1.0, smallest]), [0, 1, 2])
    assert measure("label_energy", kernel).status is Status.SINGULAR


def test_of_the_trace_over_outputs_alone():
    for output in ("sum", "label"):
        with pytest.raises(KernelError, match="is defined for output 'traced'"):
            measure("label_energy", _kernel(np.eye(3), [0, 1, 2], output))
    assert not get_measure("label_energy").higher_is_better


def test_it_is_in_no_group_but_all():
    """Its kernel costs a backward pass for each output, and the group of kernels is what is scored by default."""
    assert "label_energy" in expand(["all"])
    assert "label_energy" not in expand(["kernel", "regression", "baselines", "training"])
