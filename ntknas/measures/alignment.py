"""How well a kernel agrees with the labels."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from ntknas.core.kernel import Kernel
from ntknas.core.lazy import torch
from ntknas.core.score import NoValueError, Status
from ntknas.measures.definition import Need
from ntknas.measures.registry import register

if TYPE_CHECKING:
    from torch import Tensor

_LABELLED = (Need.KERNEL, Need.LABELS)
_ONE_ROW_A_SAMPLE = ("sum", "traced", "label", "features")


def label_kernel(kernel: Kernel) -> Tensor:
    """Return L with L_ij = +1 if y_i = y_j, else −1; N×N float64."""
    assert kernel.labels is not None
    same = kernel.labels[:, None] == kernel.labels[None, :]
    return same.double() * 2 - 1


def centred(matrix: Tensor) -> Tensor:
    """Return H M H with H = I − 11ᵀ/N: rows and columns centred."""
    return matrix - matrix.mean(0, keepdim=True) - matrix.mean(1, keepdim=True) + matrix.mean()


def cosine(a: Tensor, b: Tensor, uncentred_a: Tensor, uncentred_b: Tensor) -> float:
    """Return the cosine of two matrices.

    Args:
        a: A matrix, perhaps centred.
        b: Another.
        uncentred_a: What a was before it was centred.
        uncentred_b: What b was.

    Raises:
        NoValueError: ``undefined`` where centring left only rounding of either.
    """
    eps = torch.finfo(torch.float64).eps
    for matrix, uncentred in ((a, uncentred_a), (b, uncentred_b)):
        if not matrix.norm() > uncentred.norm() * len(matrix) * eps:
            raise NoValueError(Status.UNDEFINED, "the kernel or the labels are constant")
    return float((a * b).sum() / (a.norm() * b.norm()))


@register(
    "lga",
    formula="Pearson correlation of the entries of K and L, L_ij = +1 if y_i = y_j else −1",
    better="higher",
    source="Mok et al. (CVPR 2022), label-gradient alignment",
    needs=_LABELLED,
    outputs=_ONE_ROW_A_SAMPLE,
)
def label_gradient_alignment(kernel: Kernel) -> float:
    """Return the label-gradient alignment, between −1 and 1. Higher is better.

    Raises:
        NoValueError: ``undefined`` for a constant kernel or constant labels.
    """
    labels = label_kernel(kernel)
    return cosine(kernel.matrix - kernel.matrix.mean(), labels - labels.mean(), kernel.matrix, labels)


@register(
    "cka",
    formula="⟨HKH, HLH⟩ / (‖HKH‖ ‖HLH‖), H = I − 11ᵀ/N",
    better="higher",
    source="Cortes et al. (JMLR 2012), centred kernel alignment",
    needs=_LABELLED,
    outputs=_ONE_ROW_A_SAMPLE,
)
def centred_kernel_alignment(kernel: Kernel) -> float:
    """Return the centred alignment of K with the label kernel, between −1 and 1. Higher is better.

    Raises:
        NoValueError: ``undefined`` if centring leaves nothing of the kernel or of the labels.
    """
    labels = label_kernel(kernel)
    return cosine(centred(kernel.matrix), centred(labels), kernel.matrix, labels)


@register(
    "alignment_numerator",
    formula="Σ_ij (K_ij − K̄)(L_ij − L̄), the numerator of lga",
    better="higher",
    source="numerator of label-gradient alignment, Mok et al. (CVPR 2022)",
    needs=_LABELLED,
    outputs=_ONE_ROW_A_SAMPLE,
    from_forms=attrgetter("alignment_numerator"),
)
def alignment_numerator(kernel: Kernel) -> float:
    """Return the covariance of the entries of K and L, times N². Higher is better.

    Unlike ``lga`` it grows with the scale of K; and it needs C backward passes of the batch where K needs N.
    """
    labels = label_kernel(kernel)
    return float(((kernel.matrix - kernel.matrix.mean()) * (labels - labels.mean())).sum())
