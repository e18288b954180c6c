"""Measures of the blocks that belong to one class."""

from __future__ import annotations

from ntknas.core.kernel import Kernel
from ntknas.core.lazy import torch
from ntknas.core.score import NoValueError, Status
from ntknas.measures.definition import Need
from ntknas.measures.registry import register


@register(
    "class_lambda_min",
    formula="Σ_c λ_min of the Gram matrix of ∂f_c/∂θ on the images of class c",
    better="higher",
    source="vilhess/NTK (2024)",
    needs=(Need.KERNEL, Need.LABELS),
    outputs=("label",),
)
def class_lambda_min(kernel: Kernel) -> float:
    """Return the sum over the probe's classes of the smallest eigenvalue of the own-class kernel. Higher is better.

    The kernel's rows are ∂f_{y_i}/∂θ, so the block of a class is the Gram matrix of that class's own logit.

    Raises:
        NoValueError: ``undefined`` if a class has fewer than two images.
    """
    assert kernel.labels is not None
    total = 0.0
    for label, count in zip(*(t.tolist() for t in kernel.labels.unique(return_counts=True)), strict=True):
        if count < 2:
            raise NoValueError(Status.UNDEFINED, f"class {label} has fewer than two images")
        members = kernel.labels == label
        total += float(torch.linalg.eigvalsh(kernel.matrix[members][:, members])[0])
    return total
