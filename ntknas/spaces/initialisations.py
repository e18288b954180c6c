"""What each initialisation draws, by name; how is in ``networks.initialisation``."""

from __future__ import annotations

SEEDING_VERSION = 1
"""Raised whenever the same seed would give other weights; part of every stored score's identity."""

INITIALISATIONS = {
    "default": "the framework's: weights U(±1/√fan_in), biases U(±1/√fan_in)",
    "kaiming-fan-in": "weights N(0, 2/fan_in), biases 0",
    "kaiming-fan-out": "weights N(0, 2/fan_out), biases 0",
    "xavier": "weights N(0, 2/(fan_in+fan_out)), biases 0",
    "normal-fan-in": "weights N(0, 1/fan_in), biases 0",
    "ntk": "NTK parametrisation: weights N(0, 1), multiplied by √(2/fan_in) in the forward pass, biases 0",
}
"""What each scheme draws for convolutions and linear layers; BatchNorm starts at scale 1, shift 0 under all."""
