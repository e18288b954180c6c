"""Layers of infinitely wide networks in NTK parametrisation, and how each propagates covariances.

Weights are standard normal and divided by √fan-in: y = (W_std/√fan_in) w x + b_std b. Source of the closed forms: Jacot
et al. (2018), Arora et al. (2019, convolutional), Cho & Saul (2009, ReLU), Williams (1997, erf).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from ntknas.core.errors import KernelError, check_known
from ntknas.kernels.analytic.covariance import Covariance

PADDINGS = ("SAME", "VALID")


@dataclass(frozen=True)
class Dense:
    """A fully connected layer: Σ' = W_std² Σ + b_std², Θ' = Σ' + W_std² Θ.

    Attributes:
        weight_std: W_std.
        bias_std: b_std; 0 for no bias.
    """

    weight_std: float = 1.0
    bias_std: float = 0.0

    def propagate(self, covariance: Covariance) -> Covariance:
        """Return the covariances after the layer.

        Raises:
            KernelError: On images: flatten or pool them first.
        """
        if covariance.is_image:
            raise KernelError("A dense layer takes vectors: put Flatten() or GlobalAveragePool() before it.")
        return affine(covariance, self.weight_std, self.bias_std)


def affine(covariance: Covariance, weight_std: float, bias_std: float) -> Covariance:
    """Return covariances after weights and bias at each position."""
    square, constant = weight_std**2, bias_std**2
    nngp = square * covariance.nngp + constant
    variance, variance2 = (square * value + constant for value in (covariance.variance, covariance.variance2))
    return Covariance(nngp, nngp + square * covariance.ntk, variance, variance2, covariance.crossed)


@dataclass(frozen=True)
class Convolution:
    """A square 2-D convolution: the mean of the covariance over the window at both positions, then as ``Dense``.

    Attributes:
        size: Height and width of the window.
        stride: Step between windows.
        padding: ``SAME`` (zeros so that the output has ⌈H/stride⌉ rows, an odd one at the end) or ``VALID``.
        weight_std: W_std.
        bias_std: b_std; 0 for no bias.
    """

    size: int = 3
    stride: int = 1
    padding: str = "SAME"
    weight_std: float = 1.0
    bias_std: float = 0.0

    def __post_init__(self) -> None:
        """Check the padding."""
        check_known("padding", self.padding, PADDINGS)

    def margins(self, length: int) -> tuple[int, int]:
        """Return how many zeros pad a side before and after."""
        if self.padding == "VALID":
            return 0, 0
        total = max((-(-length // self.stride) - 1) * self.stride + self.size - length, 0)
        return total // 2, total - total // 2

    def propagate(self, covariance: Covariance) -> Covariance:
        """Return the covariances after the layer.

        Raises:
            KernelError: On vectors, and where the window is larger than the image.
        """
        if not covariance.is_image:
            raise KernelError("A convolution takes images, N×C×H×W.")
        if self.padding == "VALID" and min(covariance.variance.shape[1:]) < self.size:
            raise KernelError(
                f"A window of {self.size} is larger than images of {tuple(covariance.variance.shape[1:])}."
            )
        windowed = Covariance(
            self._mean(covariance.nngp, crossed=covariance.crossed),
            self._mean(covariance.ntk, crossed=covariance.crossed),
            self._mean(covariance.variance, crossed=False),
            self._mean(covariance.variance2, crossed=False),
            covariance.crossed,
        )
        return affine(windowed, self.weight_std, self.bias_std)

    def _mean(self, values: Tensor, *, crossed: bool) -> Tensor:
        """Mean over the window; where different positions are kept, of both at once."""
        sides = 2 if crossed else 1  # axes from the end: (p_column, q_column), (p_row, q_row)
        for axes in (range(1, 1 + sides), range(1 + sides, 1 + 2 * sides)):
            values = self._mean_along(values, [-axis for axis in axes])
        return values

    def _mean_along(self, values: Tensor, axes: list[int]) -> Tensor:
        length = values.shape[axes[0]]
        leading, trailing = self.margins(length)
        padding = [0, 0] * max(-axis for axis in axes)
        for axis in axes:
            padding[2 * (-axis - 1) : 2 * (-axis - 1) + 2] = [leading, trailing]
        values = F.pad(values, padding)
        steps = (length + leading + trailing - self.size) // self.stride + 1
        total = torch.zeros(())
        for offset in range(self.size):
            window = values
            for axis in axes:
                positions = torch.arange(steps, device=values.device) * self.stride + offset
                window = window.index_select(values.dim() + axis, positions)
            total = total + window
        return total / self.size


@dataclass(frozen=True)
class Activation:
    """A nonlinearity φ: Σ' = E[φ(u)φ(v)], Θ' = Θ · E[φ'(u)φ'(v)], (u, v) normal with covariance Σ.

    Attributes:
        name: A key of ``ACTIVATIONS``.
    """

    name: str = "relu"

    def __post_init__(self) -> None:
        """Check the name."""
        check_known("activation", self.name, ACTIVATIONS)

    def propagate(self, covariance: Covariance) -> Covariance:
        """Return the covariances after the nonlinearity."""
        dual = ACTIVATIONS[self.name]
        first, second = covariance.products()
        nngp, derivative = dual(first, second, covariance.nngp)
        variance, variance2 = (dual(value, value, value)[0] for value in (covariance.variance, covariance.variance2))
        return Covariance(nngp, derivative * covariance.ntk, variance, variance2, covariance.crossed)


def relu(first: Tensor, second: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor]:
    """Return E[φ(u)φ(v)] and E[φ'(u)φ'(v)] for φ = max(0, ·): the arc-cosine kernels of order 1 and 0.

    √(v_1 v_2) (sin θ + (π − θ) cos θ) / 2π and (π − θ) / 2π, θ the angle with cos θ = k / √(v_1 v_2).
    """
    product = first * second
    opposite = (product - covariance.square()).clamp(min=0).sqrt()
    # Not acos of the quotient, which rounding takes beyond ±1 and a variance of zero to 0/0.
    angle = torch.atan2(opposite, covariance)
    angle = torch.where(product > 0, angle, torch.full_like(angle, math.pi / 2))
    return (opposite + (math.pi - angle) * covariance) / (2 * math.pi), (math.pi - angle) / (2 * math.pi)


def erf(first: Tensor, second: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor]:
    """Return E[φ(u)φ(v)] and E[φ'(u)φ'(v)] for φ = erf.

    (2/π) arcsin(2k / √((1 + 2v_1)(1 + 2v_2))) and (4/π) / √((1 + 2v_1)(1 + 2v_2) − 4k²).
    """
    product = (1 + 2 * first) * (1 + 2 * second)
    value = torch.asin((2 * covariance / product.sqrt()).clamp(-1, 1))
    return 2 / math.pi * value, 4 / math.pi / (product - 4 * covariance.square()).sqrt()


ACTIVATIONS = {"relu": relu, "erf": erf}


@dataclass(frozen=True)
class Flatten:
    """All positions side by side: the mean of the covariance over equal positions."""

    def propagate(self, covariance: Covariance) -> Covariance:
        """Return the covariances after flattening; those of vectors are unchanged."""
        if not covariance.is_image:
            return covariance
        variance, variance2 = (value.mean((-2, -1)) for value in (covariance.variance, covariance.variance2))
        kernels = (covariance.nngp, covariance.ntk)
        diagonals = (_equal_positions(kernel) if covariance.crossed else kernel for kernel in kernels)
        nngp, ntk = (diagonal.mean((-2, -1)) for diagonal in diagonals)
        return Covariance(nngp, ntk, variance, variance2)


def _equal_positions(values: Tensor) -> Tensor:
    """N×M×H×H×W×W at p = q: N×M×H×W."""
    return values.diagonal(dim1=2, dim2=3).diagonal(dim1=2, dim2=3)


@dataclass(frozen=True)
class GlobalAveragePool:
    """The mean over positions: the mean of the covariance over all pairs of positions.

    The variances after it need pairs of positions of each batch with itself: ``infinite_kernel`` carries those along.
    """

    def propagate(self, covariance: Covariance) -> Covariance:
        """Return the covariances after the layer.

        Raises:
            KernelError: If different positions were not kept.
        """
        if not covariance.is_image:
            raise KernelError("Global average pooling takes images.")
        if not covariance.crossed:
            raise KernelError("Global average pooling needs the covariance of different positions.")
        nngp, ntk = (kernel.mean((-4, -3, -2, -1)) for kernel in (covariance.nngp, covariance.ntk))
        # NaN, not 0, so that a layer which reads them unfilled cannot go unseen.
        undefined = torch.full((1,), math.nan, dtype=nngp.dtype, device=nngp.device)
        return Covariance(nngp, ntk, undefined.expand(len(nngp)), undefined.expand(nngp.shape[1]))


Layer = Dense | Convolution | Activation | Flatten | GlobalAveragePool


def with_variances(covariance: Covariance, variance: Tensor, variance2: Tensor) -> Covariance:
    """Return covariances with the variances filled in."""
    return replace(covariance, variance=variance, variance2=variance2)
