"""Kernel ridge regression against scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.kernel_ridge import KernelRidge

from ntknas import measure
from ntknas.core.cases import RegressionCase
from ntknas.core.score import Status
from ntknas.measures.regression import RIDGES, best_ridge, code, validation_part
from tests.measures.test_measures import make_kernel

CLASSES = 3


def make_case(seed, train=24, test=15, features=40, output="traced"):
    source = np.random.default_rng(seed)
    centres = source.standard_normal((CLASSES, features))
    labels, others = np.arange(train) % CLASSES, np.arange(test) % CLASSES
    x = 0.8 * centres[labels] + source.standard_normal((train, features))
    z = 0.8 * centres[others] + source.standard_normal((test, features))
    kernel = make_kernel(x @ x.T, labels, output)
    cross = make_kernel(x @ z.T, labels, output, symmetric=False)
    return RegressionCase(kernel, cross, torch.as_tensor(others))


def _by_sklearn(case):
    matrix, labels = case.kernel.matrix.numpy(), case.kernel.labels.numpy()
    targets = np.eye(CLASSES)[labels] - 1 / CLASSES
    held = np.zeros(len(labels), bool)
    for c in range(CLASSES):
        held[np.flatnonzero(labels == c)[3::4]] = True

    def fitted(rows, ridge):
        block = matrix[np.ix_(rows, rows)]
        return KernelRidge(alpha=ridge * np.trace(block) / len(block), kernel="precomputed").fit(block, targets[rows])

    everything, kept = np.arange(len(labels)), np.flatnonzero(~held)
    errors = [
        np.mean((fitted(kept, r).predict(matrix[np.ix_(np.flatnonzero(held), kept)]) - targets[held]) ** 2)
        for r in RIDGES
    ]
    ridge = RIDGES[int(np.argmin(errors))]
    predicted = fitted(everything, ridge).predict(case.cross.matrix.numpy().T)
    truth = case.held_out_labels.numpy()
    coded = np.eye(CLASSES)[truth] - 1 / CLASSES
    return np.mean(predicted.argmax(1) == truth), np.mean((predicted - coded) ** 2)


@pytest.mark.parametrize("seed", range(6))
def test_against_scikit_learn(seed):
    case = make_case(seed)
    accuracy, error = _by_sklearn(case)
    assert measure("krr_acc", case).value == accuracy
    assert measure("krr_mse", case).value == pytest.approx(error, rel=1e-9)


def test_every_fourth_image_of_a_class_is_held_back():
    labels = torch.tensor([0, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0])
    assert validation_part(labels).nonzero().flatten().tolist() == [5, 8, 11]


def test_of_equal_errors_the_larger_ridge():
    labels = torch.arange(8) % 2
    assert best_ridge(torch.eye(8, dtype=torch.float64), labels, code(labels, 2)) == RIDGES[-1]


def test_what_has_no_value():
    small = make_case(0, train=6)
    assert measure("krr_acc", small).status is Status.UNDEFINED
    case = make_case(0)
    zero = make_kernel(np.zeros((24, 24)), case.kernel.labels.numpy(), "traced")
    assert measure("krr_mse", RegressionCase(zero, case.cross, case.held_out_labels)).status is Status.SINGULAR
