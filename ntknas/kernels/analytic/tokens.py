"""Covariances of networks whose samples are sets of tokens: nodes of a graph, steps of a sequence.

Samples have different numbers of tokens: they are padded to the longest, and a mask tells tokens from padding. Values
of padding never count: mixing matrices and readouts have zeros there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ntknas.core.errors import KernelError
from ntknas.kernels.analytic.layers import ACTIVATIONS

Dual = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class TokenCovariance:
    """Two batches of samples of tokens at one layer; values at different channels are independent.

    Attributes:
        nngp: E[f(x)_t f(x')_u], N×M×T×U.
        ntk: ⟨∂f(x)_t/∂θ, ∂f(x')_u/∂θ⟩ of all parameters so far, N×M×T×U.
        auto: Autocovariance E[f(x)_t f(x)_s] within each sample of the first batch, N×T×T, which activations and
            attention need.
        auto2: The same of the second batch, M×U×U.
    """

    nngp: Tensor
    ntk: Tensor
    auto: Tensor
    auto2: Tensor

    @property
    def variances(self) -> tuple[Tensor, Tensor]:
        """E[f(x)_t²] in shapes that broadcast against ``nngp``."""
        return _diagonal(self.auto)[:, None, :, None], _diagonal(self.auto2)[None, :, None, :]

    def affine(self, weight_std: float, bias_std: float) -> TokenCovariance:
        """Return the covariances after a dense layer of every token: Σ' = W_std² Σ + b_std², Θ' = Σ' + W_std² Θ."""
        square, constant = weight_std**2, bias_std**2
        nngp = square * self.nngp + constant
        auto, auto2 = (square * covariance + constant for covariance in (self.auto, self.auto2))
        return TokenCovariance(nngp, nngp + square * self.ntk, auto, auto2)

    def activated(self, name: str) -> TokenCovariance:
        """Return the covariances after a nonlinearity: Σ' = E[φ(u)φ(v)], Θ' = Θ · E[φ'(u)φ'(v)]."""
        dual = ACTIVATIONS[name]
        nngp, derivative = dual(*self.variances, self.nngp)
        auto, auto2 = (_activated(dual, covariance) for covariance in (self.auto, self.auto2))
        return TokenCovariance(nngp, derivative * self.ntk, auto, auto2)

    def mixed(self, matrices: Tensor, matrices2: Tensor) -> TokenCovariance:
        """Return A Σ A'ᵀ and A Θ A'ᵀ: tokens of a sample are mixed by a matrix A without weights.

        Args:
            matrices: A of each sample of the first batch, N×T×T.
            matrices2: Those of the second batch, M×U×U.
        """
        nngp, ntk = (matrices[:, None] @ kernel @ matrices2.mT[None] for kernel in (self.nngp, self.ntk))
        auto = matrices @ self.auto @ matrices.mT
        auto2 = matrices2 @ self.auto2 @ matrices2.mT
        return TokenCovariance(nngp, ntk, auto, auto2)

    def normalised(self, epsilon: float) -> TokenCovariance:
        """Return Σ' = Σ / √((v_t + ε)(v_u + ε)), Θ' likewise: layer normalisation without scale and shift.

        In the limit channels have mean 0 and variance v, and the two directions of infinitely many that
        normalisation removes from the gradient do not count.
        """
        first, second = self.variances
        factor = ((first + epsilon) * (second + epsilon)).rsqrt()
        auto, auto2 = (_normalised(covariance, epsilon) for covariance in (self.auto, self.auto2))
        return TokenCovariance(self.nngp * factor, self.ntk * factor, auto, auto2)

    def __add__(self, branch: TokenCovariance) -> TokenCovariance:
        """Return the sum of two branches with independent last weights of mean zero, as in a residual connection."""
        return TokenCovariance(
            self.nngp + branch.nngp, self.ntk + branch.ntk, self.auto + branch.auto, self.auto2 + branch.auto2
        )

    def pooled(self, readout: Tensor, readout2: Tensor) -> tuple[Tensor, Tensor]:
        """Return NNGP and NTK, N×M, of Σ_t r_t f(x)_t.

        Args:
            readout: r of each sample of the first batch, N×T.
            readout2: Those of the second batch, M×U.
        """
        nngp, ntk = (torch.einsum("nt,nmtu,mu->nm", readout, kernel, readout2) for kernel in (self.nngp, self.ntk))
        return nngp, ntk


def read_out(pooled: tuple[Tensor, Tensor], weight_std: float, bias_std: float) -> tuple[Tensor, Tensor]:
    """Return NNGP and NTK, N×M, of outputs read from pooled values by a dense layer."""
    nngp, ntk = (weight_std**2 * kernel for kernel in pooled)
    nngp = nngp + bias_std**2
    return nngp, nngp + ntk


def token_covariance(x: Tensor, x2: Tensor) -> TokenCovariance:
    """Return the covariance of inputs, ⟨x_t, x'_u⟩ / D.

    Args:
        x: N×T×D, float64.
        x2: M×U×D.

    Raises:
        KernelError: If tokens of the two batches differ in size.
    """
    if x.shape[2] != x2.shape[2]:
        raise KernelError(f"Both batches must have features of one size, got {x.shape[2]} and {x2.shape[2]}.")
    features = x.shape[2]
    nngp = torch.einsum("ntd,mud->nmtu", x, x2) / features
    return TokenCovariance(nngp, torch.zeros_like(nngp), x @ x.mT / features, x2 @ x2.mT / features)


def _diagonal(auto: Tensor) -> Tensor:
    return auto.diagonal(dim1=1, dim2=2)


def _activated(dual: Dual, auto: Tensor) -> Tensor:
    variance = _diagonal(auto)
    return dual(variance[:, :, None], variance[:, None, :], auto)[0]


def _normalised(auto: Tensor, epsilon: float) -> Tensor:
    factor = (_diagonal(auto) + epsilon).rsqrt()
    return auto * factor[:, :, None] * factor[:, None, :]
