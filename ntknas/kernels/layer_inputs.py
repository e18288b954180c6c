"""Gram matrices of what layers are given: the feature (conjugate) kernels of a network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn

from ntknas.core.errors import KernelError
from ntknas.kernels.network import NetworkUnderPolicy


class LayerInputs:
    """Adds up Σ ⟨a_i, a_j⟩ over a layer's calls while a batch passes; no input is kept.

    Args:
        network: The network.
        samples: Number N of samples of the batch.

    Attributes:
        grams: By number of the module, N×N in float64.
    """

    def __init__(self, network: NetworkUnderPolicy, samples: int):
        owners = dict.fromkeys(owner for owner, _ in network.places)
        modules = list(network.model.modules())
        self._layers = {number: modules[number] for number in owners}
        self._samples = samples
        self._network = network
        self.grams: dict[int, Tensor] = {}

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Take what layers are given in the forward passes meanwhile."""
        self.grams.clear()
        handles = [
            layer.register_forward_pre_hook(partial(self._take, number), prepend=True)
            for number, layer in self._layers.items()
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def of(self, x: Tensor) -> None:
        """Pass a batch for its own sake."""
        with torch.no_grad(), self.watched():
            self._network.output(x)

    def _take(self, number: int, layer: nn.Module, inputs: tuple[object, ...]) -> None:
        given = inputs[0] if inputs else None
        if not isinstance(given, Tensor) or len(given) != self._samples:
            shape = tuple(given.shape) if isinstance(given, Tensor) else type(given).__name__
            raise KernelError(
                f"A {type(layer).__name__} is given {shape}, not one row for each of {self._samples} samples: leave "
                "out `layer_inputs`."
            )
        rows = given.detach().flatten(1).double()
        gram = rows @ rows.T
        self.grams[number] = self.grams[number] + gram if number in self.grams else gram
