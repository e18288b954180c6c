"""Drifts: how far a kernel K_t is from K_0, both of one network on one fixed probe."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from ntknas.core.errors import KernelError, unknown
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


def kernel_correlation(first: Tensor, now: Tensor) -> float:
    """Pearson correlation of the entries of K_0 and K_t; between −1 and 1.

    Raises:
        NoValueError: ``undefined`` if the entries of either are constant.
    """
    return cosine(first - first.mean(), now - now.mean(), first, now)


def kernel_cosine(first: Tensor, now: Tensor) -> float:
    """⟨K_0, K_t⟩ / (‖K_0‖_F ‖K_t‖_F); between −1 and 1.

    Raises:
        NoValueError: ``undefined`` if either is zero.
    """
    return cosine(first, now, first, now)


def relative_difference(first: Tensor, now: Tensor) -> float:
    """‖K_t − K_0‖_F / ‖K_0‖_F, at least 0.

    Raises:
        NoValueError: ``undefined`` if K_0 is zero.
    """
    if not first.norm() > 0:
        raise NoValueError(Status.UNDEFINED, "the first kernel is zero")
    return float((now - first).norm() / first.norm())


def relative_difference_sq(first: Tensor, now: Tensor) -> float:
    """(‖K_t − K_0‖_F / ‖K_0‖_F)²; raises as ``relative_difference``."""
    return relative_difference(first, now) ** 2


def relative_difference_entrywise(first: Tensor, now: Tensor) -> float:
    """‖ |K_0 − K_t| / (|K_0| + 10⁻⁴) ‖_F, entry by entry; depends on the scale of K and grows with its size."""
    return float(((first - now).abs() / (first.abs() + ENTRYWISE_OFFSET)).norm())


def kernel_cka(first: Tensor, now: Tensor) -> float:
    """⟨HK_0H, HK_tH⟩ / (‖HK_0H‖_F ‖HK_tH‖_F), H = I − 11ᵀ/n; between −1 and 1.

    Raises:
        NoValueError: ``undefined`` if centring leaves nothing of either.
    """
    return cosine(centred(first), centred(now), first, now)


_MOK = "Mok et al. (CVPR 2022)"
DRIFTS = {
    each.name: each
    for each in (
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


def drift(name: str, first: Kernel, now: Kernel) -> Score:
    """Compute a drift.

    Args:
        name: Identifier, a key of ``DRIFTS``.
        first: K_0.
        now: K_t, computed by the same choices on the same batch.

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
    if name not in DRIFTS:
        raise unknown("drift", name, DRIFTS)
    if first.matrix.shape != now.matrix.shape or first.choices != now.choices:
        raise KernelError(
            f"A drift is one of two kernels of the same kind and size, got {tuple(first.matrix.shape)} by "
            f"{first.choices} and {tuple(now.matrix.shape)} by {now.choices}: use one probe and the same choices."
        )
    if not (first.is_finite and now.is_finite):
        return Score(name, None, Status.NON_FINITE, "a kernel holds NaN or infinity")
    try:
        value = DRIFTS[name].compute(first.matrix, now.matrix)
    except NoValueError as error:
        return Score(name, None, error.status, str(error))
    if not math.isfinite(value):
        return Score(name, None, Status.NON_FINITE, "the drift is larger than float64 can say")
    return Score(name, value)
