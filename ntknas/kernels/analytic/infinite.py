"""Kernels of infinitely wide networks: NNGP and NTK in closed form, layer by layer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ntknas.core.errors import KernelError
from ntknas.kernels.analytic.covariance import Covariance, input_covariance
from ntknas.kernels.analytic.layers import (
    Activation,
    Convolution,
    Dense,
    Flatten,
    GlobalAveragePool,
    Layer,
    with_variances,
)
from ntknas.kernels.memory import check_fits

_MAX_BLOCK_BYTES = 2**28


@dataclass(frozen=True)
class InfiniteKernel:
    """The limit of a network as its width grows, for one output; a network of C outputs has C independent copies.

    Attributes:
        nngp: E[f(x)f(x')] at initialisation, N×M, float64.
        ntk: ⟨∂f(x)/∂θ, ∂f(x')/∂θ⟩, N×M, float64: the same at initialisation and all through training.
    """

    nngp: Tensor
    ntk: Tensor


def infinite_kernel(layers: Sequence[Layer], x: Tensor, x2: Tensor | None = None) -> InfiniteKernel:
    """Compute NNGP and NTK of a network with these layers in NTK parametrisation.

    With global average pooling the cost in time and memory grows with the square of the number of positions; samples
    are taken in blocks, so that memory stays bounded.

    Args:
        layers: The network from input to output; its last layer is ``Dense``, which reads the outputs.
        x: N×D vectors or N×C×H×W images.
        x2: A second batch; x itself without one.

    Returns:
        Both kernels.

    Raises:
        KernelError: If the layers do not fit one another or the inputs, or a pair of samples does not fit into memory.

    Example:
        >>> layers = fully_connected(1, "relu", weight_std=2**0.5)
        >>> infinite_kernel(layers, torch.tensor([[1.0, 0.0], [0.0, 1.0]])).nngp.round(decimals=4).tolist()
        [[1.0, 0.3183], [0.3183, 1.0]]
    """
    _check_inputs(layers, x, x2)
    first = x.double()
    second = first if x2 is None else x2.double()
    crossed = any(isinstance(layer, GlobalAveragePool) for layer in layers)
    size = _block_size(first, second, crossed=crossed)
    nngp, ntk = (torch.zeros(len(first), len(second), dtype=first.dtype, device=first.device) for _ in range(2))
    for row, samples in zip(range(0, len(first), size), first.split(size), strict=True):
        for column, samples2 in zip(range(0, len(second), size), second.split(size), strict=True):
            if x2 is None and column < row:
                continue  # the mirror image of a block above the diagonal
            block = _propagate(layers, samples, samples2, crossed=crossed)
            nngp[row : row + size, column : column + size] = block.nngp
            ntk[row : row + size, column : column + size] = block.ntk
    return InfiniteKernel(nngp, ntk) if x2 is not None else InfiniteKernel(_mirror(nngp), _mirror(ntk))


def _mirror(kernel: Tensor) -> Tensor:
    """Return the symmetric matrix with the upper triangle of ``kernel``."""
    return kernel.triu() + kernel.triu(1).T


def estimated_seconds(layers: Sequence[Layer], x: Tensor) -> float:
    """Estimate how long the kernel of a batch takes on this machine, from a measurement with two samples.

    With global average pooling the time grows with the square of the positions: worth a look before a long run.

    Returns:
        Seconds.

    Raises:
        KernelError: As ``infinite_kernel`` does.
    """
    infinite_kernel(layers, x[:1])  # the first call also loads libraries
    start = time.perf_counter()
    infinite_kernel(layers, x[:2])
    return (time.perf_counter() - start) / 4 * len(x) ** 2


def _check_inputs(layers: Sequence[Layer], x: Tensor, x2: Tensor | None) -> None:
    if not layers or not isinstance(layers[-1], Dense):
        raise KernelError("The last layer of an infinitely wide network must be Dense, which reads the outputs.")
    for name, batch in (("x", x), ("x2", x2)):
        if batch is not None and (batch.dim() not in (2, 4) or not len(batch)):
            raise KernelError(f"{name} must be N×D vectors or N×C×H×W images, got shape {tuple(batch.shape)}.")
    if x2 is not None and x2.shape[1:] != x.shape[1:]:
        raise KernelError(f"Both batches must have samples of one shape, got {tuple(x.shape)} and {tuple(x2.shape)}.")


def _block_size(x: Tensor, x2: Tensor, *, crossed: bool) -> int:
    """Return the samples per block with which the covariances of a block of pairs stay within bounds."""
    positions = x[0, 0].numel() if x.dim() == 4 else 1
    pair_bytes = 8 * positions ** (2 if crossed else 1)
    remedy = "smaller images, or Flatten() in place of GlobalAveragePool()"
    check_fits(8 * pair_bytes, f"Covariances of one pair of samples at {positions} positions", remedy)
    return max(1, min(max(len(x), len(x2)), int((_MAX_BLOCK_BYTES / pair_bytes) ** 0.5)))


def _propagate(layers: Sequence[Layer], x: Tensor, x2: Tensor, *, crossed: bool) -> Covariance:
    state = input_covariance(x, x2, crossed=crossed)
    pooled = [_pooled_variances(layers, batch) for batch in (x, x2)] if crossed else None
    for index, layer in enumerate(layers):
        state = layer.propagate(state)
        if pooled is not None and isinstance(layer, GlobalAveragePool):
            state = with_variances(state, *(variances[index] for variances in pooled))
    return state


def _pooled_variances(layers: Sequence[Layer], x: Tensor) -> dict[int, Tensor]:
    """Variances after global average pooling by index of the layer; they need all pairs of a sample's positions."""
    variances: dict[int, list[Tensor]] = {}
    for sample in x.split(1):
        state = input_covariance(sample, sample, crossed=True)
        for index, layer in enumerate(layers):
            state = layer.propagate(state)
            if isinstance(layer, GlobalAveragePool):
                variances.setdefault(index, []).append(state.nngp.diagonal())
                break
    return {index: torch.cat(samples) for index, samples in variances.items()}


def fully_connected(
    depth: int, activation: str = "relu", weight_std: float = 1.0, bias_std: float = 0.0
) -> list[Layer]:
    """Return the layers of a fully connected network.

    Args:
        depth: Number of hidden layers.
        activation: The nonlinearity after each.
        weight_std: W_std of every layer.
        bias_std: b_std of every layer.
    """
    hidden: list[Layer] = [Flatten()]
    for _ in range(depth):
        hidden += [Dense(weight_std, bias_std), Activation(activation)]
    return [*hidden, Dense(weight_std, bias_std)]


def convolutional(
    depth: int,
    activation: str = "relu",
    weight_std: float = 1.0,
    bias_std: float = 0.0,
    *,
    size: int = 3,
    stride: int = 1,
    padding: str = "SAME",
    pooling: bool = False,
) -> list[Layer]:
    """Return the layers of a convolutional network.

    Args:
        depth: Number of convolutions, each with the nonlinearity after it.
        activation: The nonlinearity.
        weight_std: W_std of every layer.
        bias_std: b_std of every layer.
        size: Window of every convolution.
        stride: Stride of every convolution.
        padding: Padding of every convolution.
        pooling: Whether global average pooling comes before the last layer, in place of flattening.
    """
    layers: list[Layer] = []
    for _ in range(depth):
        layers += [Convolution(size, stride, padding, weight_std, bias_std), Activation(activation)]
    return [*layers, GlobalAveragePool() if pooling else Flatten(), Dense(weight_std, bias_std)]
