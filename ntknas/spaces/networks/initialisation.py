"""Initialisations, each parameter drawn from a generator of its own.

The generator of an operation is seeded by (seed, name of the operation), so an operation that two networks share by
name starts the same in both, whatever else they hold, and the global random state is never touched.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn

from ntknas.core.errors import check_known
from ntknas.spaces.initialisations import INITIALISATIONS, SEEDING_VERSION


class ScaledInput(nn.Module):
    """A layer in NTK parametrisation: y = W (s·x) + b with s = √(2/fan_in) and W ~ N(0, 1)."""

    def __init__(self, layer: nn.Module, scale: float):
        super().__init__()
        self.layer = layer
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer to the scaled input."""
        return self.layer(self.scale * x)


def fan_in(layer: nn.Conv2d | nn.Linear) -> int:
    """Number of inputs that one output of the layer sums over."""
    return layer.weight[0].numel()


def generator(seed: int, name: str) -> Generator:
    """Return a generator that depends on the seed and the operation's name alone."""
    digest = hashlib.sha256(f"{SEEDING_VERSION}/{seed}/{name}".encode()).digest()
    return Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)


def initialise(module: nn.Module, scheme: str, seed: int, name: str) -> None:
    """Start every layer inside one operation.

    Args:
        module: The operation; its convolutions, linear and BatchNorm layers are started in order.
        scheme: A key of ``INITIALISATIONS``.
        seed: Seed of the network.
        name: Name of the operation, the same for operations that shall start the same.

    Raises:
        ChoiceError: If the scheme is unknown.
    """
    check_known("initialisation", scheme, INITIALISATIONS)
    source = generator(seed, name)
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            _WEIGHTS[scheme](layer, source)
            if layer.bias is not None and scheme != "default":
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm2d):
            layer.reset_parameters()


def _default(layer: nn.Conv2d | nn.Linear, source: Generator) -> None:
    bound = 1 / math.sqrt(fan_in(layer))
    nn.init.uniform_(layer.weight, -bound, bound, generator=source)
    if layer.bias is not None:
        nn.init.uniform_(layer.bias, -bound, bound, generator=source)


def _kaiming(mode: str) -> Callable[[nn.Conv2d | nn.Linear, Generator], None]:
    def draw(layer: nn.Conv2d | nn.Linear, source: Generator) -> None:
        nn.init.kaiming_normal_(layer.weight, mode=mode, nonlinearity="relu", generator=source)  # type: ignore[arg-type]

    return draw


def _xavier(layer: nn.Conv2d | nn.Linear, source: Generator) -> None:
    nn.init.xavier_normal_(layer.weight, generator=source)


def _normal_fan_in(layer: nn.Conv2d | nn.Linear, source: Generator) -> None:
    nn.init.normal_(layer.weight, 0.0, 1 / math.sqrt(fan_in(layer)), generator=source)


def _standard_normal(layer: nn.Conv2d | nn.Linear, source: Generator) -> None:
    nn.init.normal_(layer.weight, generator=source)


_WEIGHTS: dict[str, Callable[[nn.Conv2d | nn.Linear, Generator], None]] = {
    "default": _default,
    "kaiming-fan-in": _kaiming("fan_in"),
    "kaiming-fan-out": _kaiming("fan_out"),
    "xavier": _xavier,
    "normal-fan-in": _normal_fan_in,
    "ntk": _standard_normal,
}


def parametrised(layer: nn.Conv2d | nn.Linear, ntk: bool) -> nn.Module:
    """Return the layer, or in NTK parametrisation one whose forward pass scales by √(2/fan_in)."""
    return ScaledInput(layer, math.sqrt(2 / fan_in(layer))) if ntk else layer


def materialise(network: nn.Module) -> None:
    """Give a network that was built without memory its storage, on the CPU."""
    network.to_empty(device=torch.device("cpu"))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
