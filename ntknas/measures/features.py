"""What a network passes to its classifier, before it is pooled: found by hooks, so that any network will do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ntknas.core.lazy import nn, torch
from ntknas.core.score import NoValueError, Status

if TYPE_CHECKING:
    from torch import Tensor


class FeatureTap:
    """The features of one forward pass at a time.

    They are the last output with more than two dimensions that a module other than a pooling returns before the last
    linear layer is called; where there is none, what that layer is given.
    """

    def __init__(self) -> None:
        self._last: Tensor | None = None
        self._features: Tensor | None = None
        self._pooled: Tensor | None = None

    def of(self, network: nn.Module, x: Tensor) -> Tensor:
        """Return the features of the input of a network that is watched.

        Raises:
            NoValueError: ``undefined`` if no linear layer is called.
        """
        self._last = self._features = self._pooled = None
        network(x)
        if self._features is None:
            raise NoValueError(Status.UNDEFINED, "the network has no linear layer that classifies features")
        return self._features

    def returned(self, module: nn.Module, _: object, output: object) -> None:
        """Look at what a module returned."""
        if not isinstance(output, torch.Tensor) or output.dim() < 3 or output is self._pooled:
            return  # a block that ends in a pooling returns what the pooling did
        if isinstance(module, _pooling()):
            self._pooled = output
        else:
            self._last = output

    def classifies(self, _: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        """Look at what a linear layer is given."""
        self._features = inputs[0] if self._last is None else self._last


def _pooling() -> tuple[type[nn.Module], ...]:
    return (
        *(nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d, nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d),
        *(nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d),
    )


@contextmanager
def watched(network: nn.Module) -> Iterator[FeatureTap]:
    """Watch a network's modules."""
    tap = FeatureTap()
    handles = [module.register_forward_hook(tap.returned) for module in network.modules()]
    handles += [m.register_forward_pre_hook(tap.classifies) for m in network.modules() if isinstance(m, nn.Linear)]
    try:
        yield tap
    finally:
        for handle in handles:
            handle.remove()
