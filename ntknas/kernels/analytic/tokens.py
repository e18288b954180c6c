"""Covariances of networks whose samples are sets of tokens: nodes of a graph, places of a sequence.

Samples have different numbers of tokens: they are padded to the longest, and a mask says which tokens there are. What
padding holds is never read: mixing matrices and readouts have zeros there.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ntknas.core.errors import KernelError
from ntknas.kernels.analytic.layers import ACTIVATIONS


@dataclass(frozen=True)
class TokenCovariance:
    """Two batches of samples of tokens at one layer; values at different channels are independent.

    Attributes:
        nngp: E[f(x)_t f(x')_u], N×M×T×U.
        ntk: ⟨∂f(x)_t/∂θ, ∂f(x')_u/∂θ⟩ of all parameters so far, N×M×T×U.
        own: E[f(x)_t f(x)_s] within each sample of the first batch, N×T×T: activations and attention need it.
        own2: The same of the second batch, M×U×U.
    """

    nngp: Tensor
    ntk: Tensor
    own: Tensor
    own2: Tensor

    @property
    def variances(self) -> tuple[Tensor, Tensor]:
        """E[f(x)_t²] in shapes that meet ``nngp``."""
        return _diagonal(self.own)[:, None, :, None], _diagonal(self.own2)[None, :, None, :]

    def affine(self, weight_std: float, bias_std: float) -> TokenCovariance:
        """After a dense layer of every token: Σ' = W_std² Σ + b_std², Θ' = Σ' + W_std² Θ."""
        square, constant = weight_std**2, bias_std**2
        nngp = square * self.nngp + constant
        own, own2 = (square * values + constant for values in (self.own, self.own2))
        return TokenCovariance(nngp, nngp + square * self.ntk, own, own2)

    def activated(self, name: str) -> TokenCovariance:
        """After a nonlinearity: Σ' = E[φ(u)φ(v)], Θ' = Θ · E[φ'(u)φ'(v)]."""
        dual = ACTIVATIONS[name]
        nngp, derivative = dual(*self.variances, self.nngp)
        own, own2 = (
            dual(_diagonal(values)[:, :, None], _diagonal(values)[:, None, :], values)[0]
            for values in (self.own, self.own2)
        )
        return TokenCovariance(nngp, derivative * self.ntk, own, own2)

    def mixed(self, by: Tensor, by2: Tensor) -> TokenCovariance:
        """Return A Σ A'ᵀ and A Θ A'ᵀ: tokens of a sample are mixed by a matrix A without weights.

        Args:
            by: A of each sample of the first batch, N×T×T.
            by2: Those of the second batch, M×U×U.
        """
        nngp, ntk = (by[:, None] @ values @ by2.mT[None] for values in (self.nngp, self.ntk))
        return TokenCovariance(nngp, ntk, by @ self.own @ by.mT, by2 @ self.own2 @ by2.mT)

    def normalised(self, epsilon: float) -> TokenCovariance:
        """Return Σ' = Σ / √((v_t + ε)(v_u + ε)), Θ' likewise: layer normalisation without scale and shift.

        The mean over channels is 0 and their variance v in the limit, and what the gradient loses along two of
        infinitely many directions is nothing.
        """
        first, second = self.variances
        both = ((first + epsilon) * (second + epsilon)).rsqrt()
        own, own2 = (_scaled(values, (_diagonal(values) + epsilon).rsqrt()) for values in (self.own, self.own2))
        return TokenCovariance(self.nngp * both, self.ntk * both, own, own2)

    def __add__(self, other: TokenCovariance) -> TokenCovariance:
        """Sum of two branches that end in independent weights of mean zero, such as a residual connection's."""
        return TokenCovariance(
            self.nngp + other.nngp, self.ntk + other.ntk, self.own + other.own, self.own2 + other.own2
        )

    def pooled(self, readout: Tensor, readout2: Tensor) -> tuple[Tensor, Tensor]:
        """Return NNGP and NTK, N×M, of Σ_t r_t f(x)_t.

        Args:
            readout: r of each sample of the first batch, N×T.
            readout2: Those of the second batch, M×U.
        """
        nngp, ntk = (torch.einsum("nt,nmtu,mu->nm", readout, values, readout2) for values in (self.nngp, self.ntk))
        return nngp, ntk


def read_out(pooled: tuple[Tensor, Tensor], weight_std: float, bias_std: float) -> tuple[Tensor, Tensor]:
    """Return NNGP and NTK, N×M, of outputs read from pooled values by a dense layer."""
    nngp, ntk = (weight_std**2 * values for values in pooled)
    nngp = nngp + bias_std**2
    return nngp, nngp + ntk


def of_tokens(x: Tensor, x2: Tensor) -> TokenCovariance:
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


def _diagonal(own: Tensor) -> Tensor:
    return own.diagonal(dim1=1, dim2=2)


def _scaled(own: Tensor, by: Tensor) -> Tensor:
    return own * by[:, :, None] * by[:, None, :]
