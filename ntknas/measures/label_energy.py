"""How hard the labels are for a kernel: their energy under its inverse."""

from __future__ import annotations

from ntknas.core.kernel import Kernel
from ntknas.core.lazy import torch
from ntknas.core.score import NoValueError, Status
from ntknas.measures.definition import Need
from ntknas.measures.registry import register
from ntknas.measures.regression import code
from ntknas.measures.spectral import check_invertible


@register(
    "label_energy",
    formula="(1/N) Σ_c ȳ_cᵀ K⁻¹ ȳ_c, ȳ_c the one-hot column of class c less 1/C",
    better="lower",
    source="the quantity of generalisation bounds of kernel regression before λ_min enters them",
    needs=(Need.KERNEL, Need.LABELS),
    outputs=("traced",),
)
def label_energy(kernel: Kernel) -> float:
    """Return the mean squared norm, in the kernel's space, of what interpolates the labels. Lower is better.

    Raises:
        NoValueError: ``singular`` if λ_n is zero at the precision of the rows, or K cannot be inverted.
    """
    check_invertible(kernel)
    labels = kernel.labels
    assert labels is not None
    targets = code(labels, kernel.outputs)
    factor, fault = torch.linalg.cholesky_ex(kernel.matrix)
    if int(fault):
        raise NoValueError(Status.SINGULAR, "the kernel is not positive definite to rounding")
    halves = torch.linalg.solve_triangular(factor, targets, upper=False)  # ‖L⁻¹ȳ‖² = ȳᵀK⁻¹ȳ
    return float(halves.square().sum()) / kernel.samples
