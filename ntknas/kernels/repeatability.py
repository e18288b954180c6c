"""Whether a network is one fixed function: two forward passes on the same inputs give the same outputs."""

from __future__ import annotations

import random

import numpy as np
import torch
from torch import Tensor

from ntknas.core.errors import KernelError
from ntknas.kernels.memory import is_out_of_memory
from ntknas.kernels.network import NetworkUnderPolicy

SAMPLES = 4
_ROUNDINGS = 1e3
"""Differences of so many roundings of the largest output are no differences: sums on a GPU have no fixed order."""


def check(network: NetworkUnderPolicy, x: Tensor) -> None:
    """Pass some samples twice and compare.

    Args:
        network: The network; statistics that its policy records of the few samples serve the check alone.
        x: The batch.

    Raises:
        KernelError: If the outputs differ, or the passes draw random numbers anew.
    """
    network.policy.record()
    try:
        first, second, draws = _twice(network, x[:SAMPLES])
    except Exception as error:
        # a network may insist on its batch size, by any error of its own; a true fault comes up again
        if is_out_of_memory(error):
            raise
        first, second, draws = _twice(network, x)
    # NaN is no difference to itself here; that both have it in the same places is compared beside.
    scale = torch.nan_to_num(first).abs().max()
    difference = torch.nan_to_num(first - second).abs().max() / (scale if scale > 0 else 1)
    differs = bool(difference > _ROUNDINGS * torch.finfo(first.dtype).eps) or _other_numbers(first, second)
    if differs or draws:
        fault = f"differ by {float(difference):.2g}, relative to the largest" if differs else "draw random numbers"
        raise KernelError(
            f"The network is not one fixed function in evaluation mode: two forward passes on the same inputs {fault}. "
            "Its kernel would be another at every call. Switch the random part off in evaluation mode "
            "(F.dropout(h, p, training=self.training)), or let forward seed it; and let forward change nothing that it "
            "reads."
        )


def _twice(network: NetworkUnderPolicy, x: Tensor) -> tuple[Tensor, Tensor, bool]:
    """Return the outputs of two passes, and whether the second drew random numbers that no seed of its own makes."""
    first = network.output(x).detach()
    states = _generators(x)  # after a pass: a network that seeds itself leaves the same state each time
    second = network.output(x).detach()
    return first, second, states != _generators(x)


def _generators(x: Tensor) -> list[object]:
    """Return the states of the random number generators that a network may draw from."""
    of_numpy = np.random.get_state(legacy=False)  # noqa: NPY002 - the one that networks draw from
    assert isinstance(of_numpy, dict)  # a tuple with legacy=True
    numbers = of_numpy["state"]
    states = [random.getstate(), numbers["key"].tobytes(), numbers["pos"], _state(torch.get_rng_state())]
    return [*states, _state(torch.cuda.get_rng_state(x.device))] if x.is_cuda else states


def _state(state: Tensor) -> bytes:
    return state.numpy().tobytes()


def _other_numbers(first: Tensor, second: Tensor) -> bool:
    return not torch.equal(torch.isfinite(first), torch.isfinite(second))
