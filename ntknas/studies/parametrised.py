"""Networks of any width and parametrisation: standard, NTK, or normal without biases."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from ntknas.core.errors import KernelError, check_known
from ntknas.kernels.analytic.finite import NTKConvolution, NTKDense
from ntknas.kernels.analytic.layers import Convolution
from ntknas.studies.families import PARAMETRISATIONS

_BIAS = 0.1


class Layers:
    """Makes layers in one parametrisation."""

    def __init__(self, parametrisation: str):
        check_known("parametrisation", parametrisation, PARAMETRISATIONS)
        self._ntk = parametrisation == "ntk"
        self._normal = parametrisation == "normal-fan-in"

    def dense(self, inputs: int, outputs: int, gain: float = math.sqrt(2)) -> nn.Module:
        """Return a fully connected layer; ``gain`` is W_std in NTK parametrisation."""
        if self._ntk:
            return NTKDense(inputs, outputs, gain, _BIAS)
        return _normal(nn.Linear(inputs, outputs, bias=False)) if self._normal else nn.Linear(inputs, outputs)

    def convolution(self, inputs: int, outputs: int) -> nn.Module:
        """Return a 3×3 convolution that keeps the size."""
        if self._ntk:
            return NTKConvolution(inputs, outputs, Convolution(3, 1, "SAME", math.sqrt(2), _BIAS))
        layer = nn.Conv2d(inputs, outputs, 3, padding=1, bias=not self._normal)
        return _normal(layer) if self._normal else layer


def _normal(layer: nn.Linear | nn.Conv2d) -> nn.Module:
    """Draw the weights of a layer anew, normal of variance 1/fan-in."""
    nn.init.normal_(layer.weight, std=layer.weight[0].numel() ** -0.5)
    return layer


def _fully_connected(layers: Layers, x: Tensor, width: int, outputs: int) -> nn.Module:
    """One hidden layer of ReLU."""
    inputs = x[0].numel()
    return nn.Sequential(nn.Flatten(), layers.dense(inputs, width), nn.ReLU(), layers.dense(width, outputs, 1.0))


def _convolutional(layers: Layers, x: Tensor, width: int, outputs: int) -> nn.Module:
    """Two 3×3 convolutions of ReLU with average pooling in between, global average pooling."""
    _require(x, 4, "images, N×C×H×W")
    return nn.Sequential(
        layers.convolution(x.shape[1], width),
        nn.ReLU(),
        nn.AvgPool2d(2),
        layers.convolution(width, width),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        layers.dense(width, outputs, 1.0),
    )


def _transformer(layers: Layers, x: Tensor, width: int, outputs: int) -> nn.Module:
    """One encoder layer with one head, feed-forward width 128; the mean over the sequence is read."""
    _require(x, 3, "sequences, N×T×D")
    return _Encoder(layers, x.shape[2], width, outputs, _Encoder.FEED_FORWARD)


def _wide_transformer(layers: Layers, x: Tensor, width: int, outputs: int) -> nn.Module:
    """The same with a feed-forward layer as wide as the rest."""
    _require(x, 3, "sequences, N×T×D")
    return _Encoder(layers, x.shape[2], width, outputs, width)


class _Encoder(nn.Module):
    """Embedding, attention and feed-forward, each with a residual and LayerNorm without parameters, mean, readout."""

    FEED_FORWARD = 128

    def __init__(self, layers: Layers, inputs: int, width: int, outputs: int, feed_forward: int):
        super().__init__()
        self.embedding = layers.dense(inputs, width, 1.0)
        self.query, self.key, self.value, self.projection = (layers.dense(width, width, 1.0) for _ in range(4))
        self.first = layers.dense(width, feed_forward)
        self.second = layers.dense(feed_forward, width, 1.0)
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.readout = layers.dense(width, outputs, 1.0)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the encoder; positions are told apart by sines and cosines."""
        embedded = self.embedding(x)
        embedded = embedded + _positions(embedded)
        query, key, value = self.query(embedded), self.key(embedded), self.value(embedded)
        attention = (query @ key.transpose(1, 2) / math.sqrt(query.shape[-1])).softmax(-1)
        attended = self.norm(embedded + self.projection(attention @ value))
        fed = self.norm(attended + self.second(torch.relu(self.first(attended))))
        return torch.as_tensor(self.readout(fed.mean(1)))


def _positions(like: Tensor) -> Tensor:
    """Sines and cosines of Vaswani et al. (2017), T×D."""
    length, width = like.shape[1:]
    steps = torch.arange(length, dtype=like.dtype, device=like.device)[:, None]
    numbers = torch.arange(width, device=like.device)
    angles = steps / 10000 ** ((numbers - numbers % 2) / width).to(like.dtype)
    return torch.where(numbers % 2 == 0, angles.sin(), angles.cos())


def _require(x: Tensor, dimensions: int, inputs: str) -> None:
    if x.dim() != dimensions:
        raise KernelError(f"This family takes {inputs}, got inputs of shape {tuple(x.shape)}: choose other `data`.")


Builder = Callable[[Layers, Tensor, int, int], nn.Module]
"""Makes a network of layers, a batch, a width and the number of outputs, by torch's global random state."""
NETWORKS: dict[str, Builder] = {
    "mlp-1": _fully_connected,
    "cnn-average": _convolutional,
    "transformer-128": _transformer,
    "transformer-wide": _wide_transformer,
}
"""Keys are those of ``FAMILIES``."""


def build(family: str, parametrisation: str, x: Tensor, width: int, outputs: int, seed: int) -> nn.Module:
    """Build a network in float64 on the device of the batch.

    Args:
        family: A key of ``NETWORKS``.
        parametrisation: A key of ``PARAMETRISATIONS``.
        x: A batch that it will take.
        width: Its width.
        outputs: Its outputs.
        seed: Seed of its weights.

    Returns:
        The network.

    Raises:
        ChoiceError: If a name is unknown.
        KernelError: If the family does not take such inputs.
    """
    check_known("family of networks", family, NETWORKS)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = NETWORKS[family](Layers(parametrisation), x, width, outputs)
    return network.to(x.device, x.dtype)
