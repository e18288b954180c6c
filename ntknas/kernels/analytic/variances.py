"""Checks of standard deviations of weights."""

from __future__ import annotations

import math

from ntknas.core.errors import KernelError


def check_deviations(network: object, *names: str) -> None:
    """Check that standard deviations are finite and not negative.

    Args:
        network: A description of a network.
        names: Names of its attributes that are deviations.

    Raises:
        KernelError: If a deviation is infinite, negative or no number.
    """
    for name in names:
        value = getattr(network, name)
        if not math.isfinite(value) or value < 0:
            raise KernelError(f"{name} must be a number of at least 0, got {value}.")
