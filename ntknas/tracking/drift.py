"""Drifts: how far a kernel K_t is from K_0, both of one network on one fixed probe."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from ntknas.core.errors import KernelError, check_known
from ntknas.core.kernel import Kernel
from ntknas.core.score import NoValueError, Score, Status
from ntknas.measures.alignment import centred, cosine

ENTRYWISE_OFFSET = 1e-4
"""What Mok et al.'s code adds to |K_0| entry by entry: in the units of K, so that the result depends on its scale."""


@dataclass(frozen=True)
class Drift:
    """A function of two kernels.

    Attributes:
        name: Identifier.
        compute: Takes the matrices K_0 and K_t, float64, of one shape; raises ``NoValueError`` where it is undefined.
        formula: Definition in symbols.
        unchanged: Its value for K_t = K_0: 1 for similarities, 0 for differences.
        scale_free: Whether it is the same for cK_0 and cK_t.
        source: Where the definition comes from.
    """

    name: str
    compute: Callable[[Tensor, Tensor], float]
    formula: str
    unchanged: float
    scale_free: bool
    source: str


def kernel_correlation(first: Tensor, current: Tensor) -> float:
    """Pearson correlation of the entries of K_0 and K_t; ``undefined`` if those of either are constant."""
    return cosine(first - first.mean(), current - current.mean(), first, current)


def kernel_cosine(first: Tensor, current: Tensor) -> float:
    """⟨K_0, K_t⟩ / (‖K_0‖_F ‖K_t‖_F); between −1 and 1, ``undefined`` if either is zero."""
    return cosine(first, current, first, current)


def relative_difference(first: Tensor, current: Tensor) -> float:
    """‖K_t − K_0‖_F / ‖K_0‖_F, at least 0; ``undefined`` if K_0 is zero."""
    if not first.norm() > 0:
        raise NoValueError(Status.UNDEFINED, "the first kernel is zero")
    return float((current - first).norm() / first.norm())


def relative_difference_sq(first: Tensor, current: Tensor) -> float:
    """(‖K_t − K_0‖_F / ‖K_0‖_F)²; raises as ``relative_difference``."""
    return relative_difference(first, current) ** 2


def relative_difference_entrywise(first: Tensor, current: Tensor) -> float:
    """‖ |K_0 − K_t| / (|K_0| + 10⁻⁴) ‖_F, entry by entry; depends on the scale of K and grows with its size."""
    return float(((first - current).abs() / (first.abs() + ENTRYWISE_OFFSET)).norm())


def kernel_cka(first: Tensor, current: Tensor) -> float:
    """⟨HK_0H, HK_tH⟩ / (‖HK_0H‖_F ‖HK_tH‖_F), H = I − 11ᵀ/n; ``undefined`` if centring leaves nothing of either."""
    return cosine(centred(first), centred(current), first, current)


_MOK = "Mok et al. (CVPR 2022)"
DRIFTS = {
    definition.name: definition
    for definition in (
        Drift("kernel_correlation", kernel_correlation, "Pearson correlation of the entries", 1.0, True, _MOK),
        Drift("kernel_cosine", kernel_cosine, "⟨K_0,K_t⟩ / (‖K_0‖‖K_t‖)", 1.0, True, "printed by the code of " + _MOK),
        Drift("relative_difference", relative_difference, "‖K_t − K_0‖_F / ‖K_0‖_F", 0.0, True, "the scale-free form"),
        Drift("relative_difference_sq", relative_difference_sq, "its square", 0.0, True, "vilhess, as constancy"),
        Drift(
            "relative_difference_entrywise",
            relative_difference_entrywise,
            "‖ |K_0−K_t| / (|K_0| + 1e-4) ‖_F",
            0.0,
            False,
            "the code of " + _MOK,
        ),
        Drift("kernel_cka", kernel_cka, "centred alignment of K_0 and K_t", 1.0, True, "Cortes et al. (JMLR 2012)"),
    )
}


def drift(name: str, first: Kernel, current: Kernel) -> Score:
    """Compute a drift.

    Args:
        name: Identifier, a key of ``DRIFTS``.
        first: K_0.
        current: K_t, computed by the same choices on the same batch.

    Returns:
        The value, or the status and reason why there is none.

    Raises:
        ChoiceError: If there is no such drift.
        KernelError: If the kernels are not of one kind and size.

    Example:
        >>> import torch
        >>> from ntknas.kernels import empirical_ntk
        >>> K = empirical_ntk(torch.nn.Linear(2, 1), torch.eye(2))
        >>> drift("relative_difference", K, K).value
        0.0
    """
    check_known("drift", name, DRIFTS)
    if first.matrix.shape != current.matrix.shape or first.choices != current.choices:
        raise KernelError(
            f"A drift is one of two kernels of the same kind and size, got {tuple(first.matrix.shape)} by "
            f"{first.choices} and {tuple(current.matrix.shape)} by {current.choices}: use one probe and the "
            "same choices."
        )
    if not (first.is_finite and current.is_finite):
        return Score(name, None, Status.NON_FINITE, "a kernel holds NaN or infinity")
    try:
        value = DRIFTS[name].compute(first.matrix, current.matrix)
    except NoValueError as error:
        return Score(name, None, error.status, str(error))
    if not math.isfinite(value):
        return Score(name, None, Status.NON_FINITE, "the drift is larger than float64 can say")
    return Score(name, value)
