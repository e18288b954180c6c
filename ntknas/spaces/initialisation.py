"""Initialisations, each parameter drawn from a generator of its own.

The generator of an operation is seeded by (seed, name of the operation), so an operation that two networks share by
name starts the same in both, whatever else they hold, and the global random state is never touched.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from ntknas.core.errors import check_known
from ntknas.core.lazy import nn, torch

if TYPE_CHECKING:
    from torch import Generator

SEEDING_VERSION = 1
"""Raised whenever the same seed would give other weights; part of every stored score's identity."""

INITIALISATIONS = {
    "default": "the framework's: weights U(±1/√fan_in), biases U(±1/√fan_in)",
    "kaiming-fan-in": "weights N(0, 2/fan_in), biases 0",
    "kaiming-fan-out": "weights N(0, 2/fan_out), biases 0",
    "xavier": "weights N(0, 2/(fan_in+fan_out)), biases 0",
    "normal-fan-in": "weights N(0, 1/fan_in), biases 0",
    "truncated-normal": "linear layers: weights N(0, 0.02²) within ±2, biases 0; convolutions as under default",
    "ntk": "NTK parametrisation: weights N(0, 1), multiplied by √(2/fan_in) in the forward pass, biases 0",
}
"""What each scheme draws for convolutions and linear layers; BatchNorm starts at scale 1, shift 0 under all."""


TRUNCATED_DEVIATION = 0.02
"""Of vision transformers, As-ViT's among them."""


def fan_in(layer: nn.Conv2d | nn.Linear) -> int:
    """Return the number of inputs that one output of the layer sums over."""
    return layer.weight[0].numel()


def generator(seed: int, name: str) -> Generator:
    """Return a generator that depends on the seed and the operation's name alone."""
    # Not hash(), which Python salts in every process. All of this decides the weights behind stored scores.
    digest = hashlib.sha256(f"{SEEDING_VERSION}/{seed}/{name}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)


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
    for layer in module.modules():  # one generator for all of them, so that their order counts
        if isinstance(layer, nn.Conv2d | nn.Linear):
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)  # before: some schemes draw it
            _WEIGHTS[scheme](layer, source)
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


def _truncated_normal(layer: nn.Conv2d | nn.Linear, source: Generator) -> None:
    if isinstance(layer, nn.Linear):
        nn.init.trunc_normal_(layer.weight, std=TRUNCATED_DEVIATION, generator=source)
    else:
        _default(layer, source)


_WEIGHTS: dict[str, Callable[[nn.Conv2d | nn.Linear, Generator], None]] = {
    "default": _default,
    "kaiming-fan-in": _kaiming("fan_in"),
    "kaiming-fan-out": _kaiming("fan_out"),
    "xavier": _xavier,
    "normal-fan-in": _normal_fan_in,
    "truncated-normal": _truncated_normal,
    "ntk": _standard_normal,
}
