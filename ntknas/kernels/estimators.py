"""Randomised estimates of what a kernel's spectrum adds up to, with intervals, from a few products.

Test vectors z with independent signs have E zᵀKz = tr K and E ‖Kz‖² = ‖K‖_F², and a relative error near √(2/m) for m
of them where one eigenvalue dominates. So the dominant part is taken out first: Q spans K times some random vectors,
K on Q is computed exactly, and the test vectors see (I − QQᵀ) alone (Hutch++ of Meyer et al., SOSA 2021).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh
from torch import Tensor

from ntknas.core.errors import KernelError
from ntknas.kernels.operator import KernelOperator

LEVEL = 0.95


@dataclass(frozen=True)
class Estimated:
    """An estimate and its interval.

    Attributes:
        value: The estimate.
        low: Lower end.
        high: Upper end.
    """

    value: float
    low: float
    high: float


def trace(kernel: KernelOperator, vectors: int = 8, deflated: int = 4, seed: int = 0) -> Estimated:
    """Estimate tr K.

    Args:
        kernel: The kernel.
        vectors: Number m of random test vectors, at least two.
        deflated: Dimension of the space on which K is computed exactly; 0 for plain Hutchinson.
        seed: Seed of the vectors.

    Returns:
        The estimate with a 95 % interval from Student's t over the vectors; exact, with no width, where they see
        nothing.

    Raises:
        KernelError: If there are fewer than two vectors.
    """
    basis, signs = _draws(kernel, vectors, deflated, seed)
    exact = sum(kernel.form(column) for column in basis.T)
    return _interval(exact, [kernel.form(z - basis @ (basis.T @ z)) for z in signs])


def frobenius(kernel: KernelOperator, vectors: int = 8, deflated: int = 4, seed: int = 0) -> Estimated:
    """Estimate ‖K‖_F, from ‖KQ‖_F² + E ‖K(I − QQᵀ)z‖²; arguments and errors as for ``trace``."""
    basis, signs = _draws(kernel, vectors, deflated, seed)
    exact = sum(float(kernel.product(column).square().sum()) for column in basis.T)
    beside = [float(kernel.product(z - basis @ (basis.T @ z)).square().sum()) for z in signs]
    squared = _interval(exact, beside)
    return Estimated(*(math.sqrt(max(0.0, value)) for value in (squared.value, squared.low, squared.high)))


def largest_eigenvalue(kernel: KernelOperator, tolerance: float = 1e-3, seed: int = 0) -> Estimated:
    """Estimate λ_1 by Lanczos steps (ARPACK, through scipy).

    Args:
        kernel: The kernel.
        tolerance: Relative accuracy at which to stop.
        seed: Seed of the first vector.

    Returns:
        θ = vᵀKv of a unit vector v, which λ_1 is never below, up to θ + ‖Kv − θv‖, within which K has an eigenvalue.

    Raises:
        KernelError: If the steps do not converge.
    """
    if kernel.size == 1:
        value = kernel.form(torch.ones(1))
        return Estimated(value, value, value)
    # Without it eigsh starts from random numbers of its own, and the estimate differs from call to call.
    start = np.random.default_rng(seed).standard_normal(kernel.size)
    operator = LinearOperator((kernel.size,) * 2, matvec=lambda v: _product(kernel, v), dtype=np.float64)
    try:
        _, vectors = eigsh(operator, k=1, which="LA", v0=start, tol=tolerance)
    except ArpackNoConvergence as error:
        raise KernelError(f"λ_1 did not converge: {error}. Use a larger tolerance.") from error
    vector = vectors[:, 0] / np.linalg.norm(vectors[:, 0])
    image = _product(kernel, vector)
    value = float(vector @ image)
    return Estimated(value, value, value + float(np.linalg.norm(image - value * vector)))


def _product(kernel: KernelOperator, vector: NDArray[np.float64]) -> NDArray[np.float64]:
    # A copy: ARPACK hands over a part of its workspace, which it goes on writing to.
    return kernel.product(torch.from_numpy(vector.ravel().copy())).numpy()


def _draws(kernel: KernelOperator, vectors: int, deflated: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return an orthonormal basis of the dominant directions, n×k, and vectors of random signs, m×n."""
    if vectors < 2:
        raise KernelError(f"An interval needs at least two `vectors`, got {vectors}.")
    generator = torch.Generator().manual_seed(seed)
    k = min(deflated, kernel.size)
    images = [kernel.product(_signs(kernel.size, generator)) for _ in range(k)]
    basis = torch.linalg.qr(torch.stack(images, 1)).Q if k else torch.zeros(kernel.size, 0, dtype=torch.float64)
    return basis, torch.stack([_signs(kernel.size, generator) for _ in range(vectors)])


def _signs(size: int, generator: torch.Generator) -> Tensor:
    return torch.randint(0, 2, (size,), generator=generator).double() * 2 - 1


def _interval(exact: float, values: list[float]) -> Estimated:
    mean, deviation = float(np.mean(values)), float(np.std(values, ddof=1))
    half = float(stats.t.ppf((1 + LEVEL) / 2, len(values) - 1)) * deviation / math.sqrt(len(values))
    # What is estimated is a sum of squares: the exact part is a lower bound whatever the vectors say.
    return Estimated(exact + mean, exact + max(0.0, mean - half), exact + mean + half)
