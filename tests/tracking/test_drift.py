"""Drifts against their definitions written with numpy, and what must hold of them."""

import numpy as np
import pytest
import torch
from torch import nn

from ntknas.core.errors import ChoiceError, KernelError
from ntknas.core.score import Status
from ntknas.kernels import empirical_ntk
from ntknas.tracking import DRIFTS, drift
from tests.measures.test_measures import make_kernel, random_kernel


def _centred(matrix):
    h = np.eye(len(matrix)) - 1 / len(matrix)
    return h @ matrix @ h


REFERENCES = {
    "kernel_correlation": lambda a, b: np.corrcoef(a.ravel(), b.ravel())[0, 1],
    "kernel_cosine": lambda a, b: np.trace(a.T @ b) / np.sqrt(np.trace(a.T @ a) * np.trace(b.T @ b)),
    "relative_difference": lambda a, b: np.sqrt(((b - a) ** 2).sum() / (a**2).sum()),
    "relative_difference_sq": lambda a, b: ((b - a) ** 2).sum() / (a**2).sum(),
    "relative_difference_entrywise": lambda a, b: np.sqrt(((np.abs(a - b) / (np.abs(a) + 1e-4)) ** 2).sum()),
    "kernel_cka": lambda a, b: (
        (_centred(a) * _centred(b)).sum() / (np.linalg.norm(_centred(a)) * np.linalg.norm(_centred(b)))
    ),
}


def test_there_is_a_reference_for_every_drift():
    assert set(REFERENCES) == set(DRIFTS)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", DRIFTS)
def test_a_drift_equals_its_definition(name, seed):
    first, now = random_kernel(seed), random_kernel(seed + 100)
    expected = REFERENCES[name](first.matrix.numpy(), now.matrix.numpy())
    assert drift(name, first, now).value == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", DRIFTS)
def test_an_unchanged_kernel_and_another_scale(name):
    first, now = random_kernel(0), random_kernel(1)
    assert drift(name, first, first).value == pytest.approx(DRIFTS[name].unchanged, abs=1e-12)
    scaled = drift(name, make_kernel(first.matrix.numpy() * 7), make_kernel(now.matrix.numpy() * 7)).value
    same = scaled == pytest.approx(
        drift(name, make_kernel(first.matrix.numpy()), make_kernel(now.matrix.numpy())).value
    )
    assert same == DRIFTS[name].scale_free


@pytest.mark.parametrize("name", sorted(set(DRIFTS) - {"relative_difference_entrywise"}))
def test_no_value_has_a_status(name):
    zero = make_kernel(np.zeros((3, 3)))
    assert drift(name, zero, make_kernel(np.eye(3))).status is Status.UNDEFINED
    broken = make_kernel(np.full((3, 3), np.nan))
    assert drift(name, make_kernel(np.eye(3)), broken).status is Status.NON_FINITE


def test_bad_input():
    first = empirical_ntk(nn.Linear(3, 1), torch.eye(3))
    with pytest.raises(KernelError, match="same kind and size"):
        drift("kernel_cka", first, empirical_ntk(nn.Linear(3, 1), torch.eye(3)[:2]))
    with pytest.raises(KernelError, match="same kind and size"):
        drift("kernel_cka", first, empirical_ntk(nn.Linear(3, 1), torch.eye(3), parameters="all"))
    with pytest.raises(ChoiceError, match="Unknown drift"):
        drift("kernel_corelation", first, first)
