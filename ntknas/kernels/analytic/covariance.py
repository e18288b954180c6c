"""The state propagated through an infinitely wide network: covariances of values, and the kernel so far."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Covariance:
    """Two batches at one layer; values at different channels are independent, so that one channel represents all.

    Vectors: ``nngp`` and ``ntk`` are N×M, the variances N and M. Images, with positions p of the first and q of the
    second batch: N×M×H×W at p = q where ``crossed`` is false, else N×M×H×H×W×W, with (p_row, q_row, p_column,
    q_column); the variances are N×H×W and M×H×W.

    Attributes:
        nngp: E[f(x)f(x')].
        ntk: ⟨∂f(x)/∂θ, ∂f(x')/∂θ⟩ of all parameters so far.
        variance: E[f(x)²] of the first batch.
        variance2: E[f(x')²] of the second batch.
        crossed: Whether different positions are kept, as global average pooling needs.
    """

    nngp: Tensor
    ntk: Tensor
    variance: Tensor
    variance2: Tensor
    crossed: bool = False

    @property
    def is_image(self) -> bool:
        """Whether there are positions."""
        return self.variance.dim() == 3

    def products(self) -> tuple[Tensor, Tensor]:
        """Return the variances in shapes that broadcast against ``nngp``."""
        first, second = self.variance, self.variance2
        if not self.is_image:
            return first[:, None], second[None, :]
        if not self.crossed:
            return first[:, None], second[None, :]
        return first[:, None, :, None, :, None], second[None, :, None, :, None, :]


def input_covariance(x: Tensor, x2: Tensor, *, crossed: bool) -> Covariance:
    """Return the covariance of inputs: ⟨x, x'⟩ / C, at each position of images.

    Args:
        x: N×C vectors or N×C×H×W images, float64.
        x2: The second batch.
        crossed: Whether different positions of images are kept.
    """
    channels = x.shape[1]
    variance, variance2 = (batch.square().mean(1) for batch in (x, x2))
    if x.dim() == 2:
        nngp = x @ x2.T / channels
    elif crossed:
        nngp = torch.einsum("nchw,mcij->nmhiwj", x, x2) / channels
    else:
        nngp = torch.einsum("nchw,mchw->nmhw", x, x2) / channels
    return Covariance(nngp, torch.zeros_like(nngp), variance, variance2, crossed and x.dim() == 4)
