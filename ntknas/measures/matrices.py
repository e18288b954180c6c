"""What several measures take of symmetric positive semidefinite matrices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ntknas.core.lazy import torch
from ntknas.measures.alignment import centred

if TYPE_CHECKING:
    from torch import Tensor


def entropy(values: Tensor) -> Tensor:
    """Return −Σ p log p of shares p = v/Σv, in nats; numbers below zero by rounding count as zero."""
    clamped = values.clamp_min(0)  # of a number below zero entr is −∞
    total: Tensor = torch.special.entr(clamped / clamped.sum()).sum()
    return total


def mean(values: Sequence[float]) -> float:
    """Return the mean, of at least one value."""
    return sum(values) / len(values)


def unit_diagonal(matrix: Tensor) -> Tensor:
    """Return D^-½ M D^-½; rows of zeros stay zeros."""
    scale = matrix.diagonal().clamp_min(0).sqrt()
    product = scale[:, None] * scale[None, :]
    return torch.where(product > 0, matrix / product, torch.zeros_like(matrix))


def log_determinants(matrices: Iterable[Tensor], offset: float) -> list[float]:
    """Return log det(k + C) of each matrix, C with a diagonal of ones and k the offset."""
    normalised = torch.stack([unit_diagonal(matrix) for matrix in matrices])
    identity = torch.eye(normalised.shape[1], dtype=normalised.dtype)
    values: list[float] = torch.linalg.slogdet(normalised + offset * identity).logabsdet.tolist()
    return values


def agreements(matrices: Tensor) -> Tensor:
    """Return the centred kernel alignment (CKA) of every matrix with every other: ⟨HAH, HBH⟩ / ‖HAH‖ ‖HBH‖.

    Args:
        matrices: L×n×n.

    Returns:
        L×L; zeros for a matrix that is zero once it is centred.
    """
    flat = torch.stack([centred(matrix).flatten() for matrix in matrices])
    return unit_diagonal(flat @ flat.T)
