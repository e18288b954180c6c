"""Finite networks in NTK parametrisation with the layers of an infinitely wide one, whose kernel they approach."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ntknas.core.errors import KernelError, check_known
from ntknas.kernels.analytic.layers import Activation, Convolution, Dense, Flatten, GlobalAveragePool, Layer

PARAMETRISATIONS = {
    "ntk": "weights are standard normal, and factors stand beside them",
    "standard": "weights are normal with deviation W_std/√fan-in, biases with b_std",
}


class NTKDense(nn.Module):
    """y = (W_std/√fan_in) w x + b_std b, with w and b standard normal at initialisation.

    The factors are put on input and output of a plain linear layer, whose parameters are w and b.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        weight_std: float = 1.0,
        bias_std: float = 0.0,
        generator: torch.Generator | None = None,
    ):
        super().__init__()
        self._input_factor, self._output_factor = _factors(weight_std / math.sqrt(inputs), bias_std)
        self.linear = _draw_standard_normal(nn.Linear(inputs, outputs, bias=bias_std > 0), generator)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer."""
        # Factors beside a stock layer: one that scaled its own weight would be left to the row loop.
        y: Tensor = self._output_factor * self.linear(self._input_factor * x)
        return y


def dense(
    inputs: int,
    outputs: int,
    weight_std: float = 1.0,
    bias_std: float = 0.0,
    *,
    generator: torch.Generator | None = None,
    parametrisation: str = "ntk",
) -> nn.Module:
    """Return a dense layer; both parametrisations are one function at initialisation, with other gradients.

    Args:
        inputs: Number of inputs.
        outputs: Number of outputs.
        weight_std: W_std.
        bias_std: b_std; 0 for no bias.
        generator: Generator of the weights; torch's global state without one.
        parametrisation: A key of ``PARAMETRISATIONS``.

    Raises:
        ChoiceError: If the parametrisation is unknown.
    """
    check_known("parametrisation", parametrisation, PARAMETRISATIONS)
    if parametrisation == "ntk":
        return NTKDense(inputs, outputs, weight_std, bias_std, generator)
    layer = _draw_standard_normal(nn.Linear(inputs, outputs, bias=bias_std > 0), generator)
    with torch.no_grad():
        layer.weight.mul_(weight_std / math.sqrt(inputs))
        if bias_std:
            layer.bias.mul_(bias_std)
    return layer


def generator_of(seed: int | None) -> torch.Generator | None:
    """Return a generator of weights, or ``None``, torch's global state, without a seed."""
    return None if seed is None else torch.Generator().manual_seed(seed)


class NTKConvolution(nn.Module):
    """A convolution in NTK parametrisation, as ``NTKDense``; fan-in is channels × window."""

    def __init__(self, inputs: int, outputs: int, layer: Convolution, generator: torch.Generator | None = None):
        super().__init__()
        self._layer = layer
        self._input_factor, self._output_factor = _factors(
            layer.weight_std / math.sqrt(inputs * layer.size**2), layer.bias_std
        )
        plain = nn.Conv2d(inputs, outputs, layer.size, layer.stride, bias=layer.bias_std > 0)
        self.convolution = _draw_standard_normal(plain, generator)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer."""
        rows, columns = (self._layer.margins(side) for side in x.shape[-2:])
        y: Tensor = self._output_factor * self.convolution(F.pad(self._input_factor * x, [*columns, *rows]))
        return y


def _factors(scale: float, bias_std: float) -> tuple[float, float]:
    """Factors of input and output that give the weights the scale ``scale`` and the bias ``bias_std``."""
    return (scale / bias_std, bias_std) if bias_std else (scale, 1.0)


M = TypeVar("M", nn.Linear, nn.Conv2d)


def _draw_standard_normal(layer: M, generator: torch.Generator | None) -> M:
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return layer


class _Erf(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.erf(x)


class _GlobalAveragePool(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean((-2, -1))


_PLAIN = {"relu": nn.ReLU, "erf": _Erf}


def activation_module(name: str) -> nn.Module:
    """Return the module of a nonlinearity, a key of ``ACTIVATIONS``."""
    module: nn.Module = _PLAIN[name]()
    return module


def finite_network(
    layers: Sequence[Layer], inputs: Sequence[int], width: int, outputs: int = 1, seed: int | None = None
) -> nn.Sequential:
    """Build a network of finite width in NTK parametrisation, standard normal at initialisation.

    Args:
        layers: As for ``infinite_kernel``.
        inputs: Shape of one sample: (D,) or (C, H, W).
        width: Units of every hidden dense layer, channels of every convolution.
        outputs: Number of outputs.
        seed: Seed of the weights; torch's global state without one.

    Returns:
        The network.

    Raises:
        KernelError: If the layers do not fit the inputs.

    Example:
        >>> from ntknas.kernels.analytic.infinite import fully_connected
        >>> finite_network(fully_connected(1), (5,), width=7)(torch.zeros(2, 5)).shape
        torch.Size([2, 1])
    """
    generator = generator_of(seed)
    modules: list[nn.Module] = []
    shape = tuple(inputs)
    for index, layer in enumerate(layers):
        last = index == len(layers) - 1
        module, shape = _build_layer(layer, shape, outputs if last else width, generator)
        modules.append(module)
    return nn.Sequential(*modules)


def _build_layer(
    layer: Layer, shape: tuple[int, ...], width: int, generator: torch.Generator | None
) -> tuple[nn.Module, tuple[int, ...]]:
    if isinstance(layer, Dense):
        if len(shape) != 1:
            raise KernelError("A dense layer takes vectors: put Flatten() or GlobalAveragePool() before it.")
        return NTKDense(shape[0], width, layer.weight_std, layer.bias_std, generator), (width,)
    if isinstance(layer, Convolution):
        if len(shape) != 3:
            raise KernelError("A convolution takes images, N×C×H×W.")
        sides = ((side + sum(layer.margins(side)) - layer.size) // layer.stride + 1 for side in shape[1:])
        return NTKConvolution(shape[0], width, layer, generator), (width, *sides)
    if isinstance(layer, Activation):
        return activation_module(layer.name), shape
    if isinstance(layer, Flatten):
        return nn.Flatten(), (math.prod(shape),)
    if isinstance(layer, GlobalAveragePool):
        return _GlobalAveragePool(), shape[:1]
    raise KernelError(f"No finite counterpart of a {type(layer).__name__}.")
