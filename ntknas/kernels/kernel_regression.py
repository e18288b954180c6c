"""What a kernel predicts: ridge regression in closed form, and gradient flow at any time.

The one home of kernel ridge regression, f(x) = k (K + α I)⁻¹ y. Which solver is used where is a choice:

- ``KernelRegression`` takes one eigendecomposition, after which every ridge and every time of gradient flow costs a
  product with a vector; a singular kernel has the fit of the smallest norm. For a whole path (the study of regression).
- ``ridge_prediction`` takes one Cholesky factorisation per ridge, a fraction of an eigendecomposition; a kernel that
  its ridge does not make positive definite is refused, where a score must say so (``krr_acc``, ``krr_mse``).
- ``ridge_estimator`` is the same by scikit-learn, for its cross-validation over machines (the study of performance).

They agree to rounding and not to the bit, so exchanging one for another changes recorded scores in their last digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ntknas.core.errors import KernelError
from ntknas.core.lazy import torch

if TYPE_CHECKING:
    from sklearn.kernel_ridge import KernelRidge
    from torch import Tensor

_SINGULAR = 1e-12
"""Eigenvalues below this share of the largest count as zero."""


@dataclass(frozen=True)
class KernelRegression:
    """Regression with one kernel for every output.

    Attributes:
        kernel: K of the training samples, N×N, symmetric, float64.
        cross: k between test and training samples, M×N.
    """

    kernel: Tensor
    cross: Tensor

    def __post_init__(self) -> None:
        """Check the shapes.

        Raises:
            KernelError: If they do not fit, or an entry is no number.
        """
        samples = len(self.kernel)
        if self.kernel.shape != (samples, samples) or self.cross.shape[1:] != (samples,):
            raise KernelError(
                f"Regression needs an N×N kernel and an M×N cross-kernel, got {tuple(self.kernel.shape)} and "
                f"{tuple(self.cross.shape)}."
            )
        if not (torch.isfinite(self.kernel).all() and torch.isfinite(self.cross).all()):
            raise KernelError("Regression needs kernels without NaN and infinity.")

    @cached_property
    def _spectrum(self) -> tuple[Tensor, Tensor]:
        values, vectors = torch.linalg.eigh((self.kernel + self.kernel.T) / 2)
        return values.clamp(min=0), vectors

    @property
    def is_singular(self) -> bool:
        """Whether an eigenvalue is zero to rounding, so that a fit without ridge is one of many."""
        values = self._spectrum[0]
        return bool(values[0] <= _SINGULAR * values[-1])

    def ridge(
        self, targets: Tensor, ridge: float, start: Tensor | None = None, start_test: Tensor | None = None
    ) -> Tensor:
        """Return f_0(x) + k (K + ridge · λ̄ I)⁻¹ (y − f_0(X)), M×C, with λ̄ the mean eigenvalue.

        Where the kernel is singular and the ridge zero, the fit of the smallest norm.

        Args:
            targets: y, N×C.
            ridge: The ridge in units of the mean eigenvalue, at least 0.
            start: f_0 on the training samples, N×C; zero without it.
            start_test: f_0 on the test samples, M×C.
        """
        values, _ = self._spectrum
        shifted = values + ridge * values.mean()
        inverse = torch.where(shifted > _SINGULAR * values[-1], 1 / shifted, torch.zeros_like(shifted))
        return self._predicted(inverse, targets, start, start_test)

    def flow(
        self, targets: Tensor, time: float, start: Tensor | None = None, start_test: Tensor | None = None
    ) -> Tensor:
        """Return f_t(x) of gradient flow on (1/N) Σ ‖f − y‖² with a constant kernel.

        f_t(x) = f_0(x) + k K⁻¹ (I − exp(−2Kt/N)) (y − f_0(X)), M×C; see ``ridge`` for the arguments.

        Args:
            targets: y, N×C.
            time: t.
            start: f_0 on the training samples.
            start_test: f_0 on the test samples.
        """
        values, _ = self._spectrum
        rate = 2 * time / len(values)
        grown = -torch.expm1(-rate * values)  # 1 - exp would cancel for small eigenvalues
        # At λ = 0 the limit 2t/N, not 0 as for a ridge: the flow does not stop there.
        inverse = torch.where(values > _SINGULAR * values[-1], grown / values, torch.full_like(values, rate))
        return self._predicted(inverse, targets, start, start_test)

    def _predicted(self, inverse: Tensor, targets: Tensor, start: Tensor | None, start_test: Tensor | None) -> Tensor:
        vectors = self._spectrum[1]
        residual = targets if start is None else targets - start
        fitted = self.cross @ (vectors @ (inverse[:, None] * (vectors.T @ residual)))
        return fitted if start_test is None else start_test + fitted

    def best_ridge(self, targets: Tensor, validation: Tensor, ridges: tuple[float, ...]) -> float:
        """Return the ridge with the smallest squared error on some training samples, fitted on the others.

        Args:
            targets: y, N×C.
            validation: Which samples are kept for validation, N, boolean.
            ridges: What to choose from.
        """
        fit = ~validation
        fitted = KernelRegression(self.kernel[fit][:, fit], self.kernel[validation][:, fit])
        errors = [float((fitted.ridge(targets[fit], ridge) - targets[validation]).square().mean()) for ridge in ridges]
        return ridges[errors.index(min(errors))]


def ridge_prediction(kernel: Tensor, cross: Tensor, targets: Tensor, ridge: float) -> Tensor:
    """Return k (K + ridge · λ̄ I)⁻¹ y, M×C, with λ̄ the mean eigenvalue, by Cholesky.

    Args:
        kernel: K of the training samples, N×N, symmetric, float64.
        cross: k between test and training samples, M×N.
        targets: y, N×C.
        ridge: The ridge in units of the mean eigenvalue, at least 0.

    Raises:
        KernelError: If the kernel with its ridge is not positive definite.
    """
    scale = float(kernel.trace()) / len(kernel)
    factor, failed = torch.linalg.cholesky_ex(kernel + ridge * scale * torch.eye(len(kernel), dtype=kernel.dtype))
    if int(failed) or scale <= 0:
        raise KernelError("The kernel with its ridge is not positive definite.")
    return cross @ torch.cholesky_solve(targets, factor)


def ridge_estimator() -> KernelRidge:
    """Return scikit-learn's kernel ridge of kernels as they stand; its ``alpha`` is the ridge itself, not times λ̄."""
    from sklearn.kernel_ridge import KernelRidge  # here: measures import this module and need no scikit-learn

    return KernelRidge(kernel="precomputed")
