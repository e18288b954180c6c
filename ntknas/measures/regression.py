"""Kernel ridge regression on a held-out probe.

Targets are one-hot less their mean over classes, 1/C. The ridge is r·tr(K)/n with r among 10⁻⁸ … 10², the one with the
smallest squared error on a validation part of the training probe (every fourth image of each class; the rest is
fitted; of equal errors the larger ridge). With it the whole training probe is fitted: f(x) = K(x, X) (K + ridge·1)⁻¹ Y,
all in float64, by Cholesky (``kernels/kernel_regression.py`` says why not by an eigendecomposition, once for all r).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ntknas.core.cases import RegressionCase
from ntknas.core.errors import KernelError
from ntknas.core.lazy import F, torch
from ntknas.core.score import NoValueError, Status
from ntknas.kernels.kernel_regression import ridge_prediction
from ntknas.measures.definition import Need
from ntknas.measures.registry import register

if TYPE_CHECKING:
    from torch import Tensor

RIDGES = tuple(10.0**power for power in range(-8, 3))
_VALIDATION_EVERY = 4
_OUTPUTS = ("traced", "sum")
_NEEDS = (Need.KERNEL, Need.LABELS, Need.CROSS_KERNEL)


@register(
    "krr_acc",
    formula="accuracy of kernel ridge regression on a held-out probe",
    better="higher",
    source="standard",
    needs=_NEEDS,
    outputs=_OUTPUTS,
)
def krr_accuracy(case: RegressionCase) -> float:
    """Share of held-out images whose largest prediction is their class. Higher is better."""
    return float((predict(case).argmax(1) == case.held_out_labels).double().mean())


@register(
    "krr_mse",
    formula="mean over images and classes of the squared error of kernel ridge regression on a held-out probe",
    better="lower",
    source="standard",
    needs=_NEEDS,
    outputs=_OUTPUTS,
)
def krr_error(case: RegressionCase) -> float:
    """Mean squared error against the coded held-out labels. Lower is better."""
    return float((predict(case) - code(case.held_out_labels, case.kernel.outputs)).square().mean())


def code(labels: Tensor, classes: int) -> Tensor:
    """Return one-hot labels less 1/C, N×C."""
    return F.one_hot(labels, classes).double() - 1 / classes


@lru_cache(maxsize=1)  # both measures of one case ask for the same
def predict(case: RegressionCase) -> Tensor:
    """Return the predictions on the held-out probe, M×C."""
    labels = case.kernel.labels
    assert labels is not None
    targets = code(labels, case.kernel.outputs)
    ridge = best_ridge(case.kernel.matrix, labels, targets)
    return _predict_with(ridge, case.kernel.matrix, case.cross.matrix.T, targets)


def _predict_with(ridge: float, kernel: Tensor, cross: Tensor, targets: Tensor) -> Tensor:
    """Return K(x, X) (K + ridge·tr(K)/n)⁻¹ Y.

    Raises:
        NoValueError: ``singular`` if the ridge does not make K invertible.
    """
    try:
        return ridge_prediction(kernel, cross, targets, ridge)
    except KernelError as error:
        raise NoValueError(Status.SINGULAR, "the kernel with its ridge cannot be inverted") from error


def best_ridge(matrix: Tensor, labels: Tensor, targets: Tensor) -> float:
    """Return the ridge with the smallest squared error on the validation part.

    Raises:
        NoValueError: ``undefined`` if the probe has too few images to hold any back; ``singular`` if no ridge makes K
            invertible.
    """
    held_back = validation_part(labels)
    if not bool(held_back.any()):
        raise NoValueError(Status.UNDEFINED, "no class has four images: nothing can be held back to choose the ridge")
    fitted = matrix[~held_back][:, ~held_back]
    cross = matrix[held_back][:, ~held_back]
    errors = {}
    for ridge in RIDGES:
        try:
            predicted = _predict_with(ridge, fitted, cross, targets[~held_back])
        except NoValueError:
            continue  # too small a ridge for this kernel; larger ones may do
        errors[ridge] = float((predicted - targets[held_back]).square().mean())
    if not errors:
        raise NoValueError(Status.SINGULAR, "the kernel with its ridge cannot be inverted")
    return min(errors, key=lambda ridge: (errors[ridge], -ridge))


def validation_part(labels: Tensor) -> Tensor:
    """Return which images are held back: every fourth of each class, in the order of the probe."""
    held_back = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique():
        held_back[torch.nonzero(labels == label).flatten()[_VALIDATION_EVERY - 1 :: _VALIDATION_EVERY]] = True
    return held_back
