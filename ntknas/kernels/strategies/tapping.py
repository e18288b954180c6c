"""Layers that hand over, during backward passes, what their columns of J are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ntknas.core.errors import KernelError
from ntknas.kernels.channels import channel_sums
from ntknas.kernels.gradients import Gradients, vjp
from ntknas.kernels.gram import Factors
from ntknas.kernels.network import NetworkUnderPolicy
from ntknas.kernels.strategies import per_sample
from ntknas.kernels.strategies.per_sample import Geometry
from ntknas.kernels.strategies.taps import (
    Receive,
    TappedAffine,
    TappedConvolution,
    TappedLinear,
    TappedNorm,
    explicitly_padded,
)

Context = Geometry | Tensor | None
"""What else the rows depend on: the geometry of a convolution; the scale of an input that was only centred."""
Call = tuple[Tensor, Tensor, Context]
"""Input, output gradient and context of one call of a layer."""


class NotLayerWiseError(KernelError):
    """The network turned out, while running, to be out of the layer-wise strategy's reach."""


@dataclass
class LayerTap:
    """Collects what one layer hands over, over all its calls, and turns it into rows.

    Attributes:
        number: Position of the layer among the network's modules.
        module: The layer.
        names: Which of ``weight`` and ``bias`` belong to the parameter set.
        calls: Number of calls in the forward pass.
        received: The calls that the backward pass has reached.
    """

    number: int
    module: nn.Module
    names: set[str]
    calls: int = 0
    received: list[Call] = field(default_factory=list)

    def pieces(self) -> Iterator[Tensor | Factors]:
        """Yield the rows of the weight and of the bias, summed over calls; those of a weight may be factors."""
        if "weight" in self.names:
            factors = self._outer_factors()
            yield _sum(self._weight_rows(*call) for call in self.received) if factors is None else factors
        if "bias" in self.names:
            yield _sum(self._bias_rows(gradient) for _, gradient, _ in self.received)

    def _outer_factors(self) -> Factors | None:
        """Return (g, a) where the rows of the weight are g ⊗ a: a linear layer called once on vectors."""
        vectors = len(self.received) == 1 and self.received[0][0].dim() == 2
        if vectors and isinstance(self.module, nn.Linear):
            x, gradient, _ = self.received[0]
            return gradient, x.detach()  # x knows its graph, which must not live as long as whoever keeps the rows
        return None

    def _weight_rows(self, x: Tensor, gradient: Tensor, context: Context) -> Tensor:
        if isinstance(self.module, nn.Linear):
            return per_sample.linear_weight(x, gradient)
        if isinstance(self.module, _BatchNorm):
            rows = channel_sums(gradient * x)
            return rows * context if isinstance(context, Tensor) else rows
        assert isinstance(self.module, nn.Conv1d | nn.Conv2d)
        assert isinstance(context, Geometry)
        alone = len(self.received) == 1  # rows of several calls are added up
        return per_sample.convolution_weight(x, gradient, self.module.kernel_size, context, any_order=alone)

    def _bias_rows(self, gradient: Tensor) -> Tensor:
        return per_sample.linear_bias(gradient) if isinstance(self.module, nn.Linear) else channel_sums(gradient)


def _sum(terms: Iterator[Tensor]) -> Tensor:
    total = next(terms)
    for term in terms:
        total = total + term
    return total


Deliver = Callable[[LayerTap], None]


class Tapping:
    """A network whose layers hand over their inputs and output gradients during backward passes.

    Args:
        network: The network, with the parameter set whose layers are tapped; every other parameter is a constant.
        samples: Number of samples that every layer must see in dimension 0.

    Attributes:
        taps: One per layer that has parameters of the set.
        deliver: Takes the tap of a layer whose calls the backward pass has all reached.
    """

    def __init__(self, network: NetworkUnderPolicy, samples: int):
        ids = {id(parameter) for parameter in network.leaves}
        self.taps = [
            LayerTap(number, module, names)
            for number, module in enumerate(network.model.modules())
            if (names := {name for name, value in module._parameters.items() if id(value) in ids})
        ]
        self.deliver: Deliver = lambda tap: None
        self._samples = samples
        self._anchor = torch.zeros((), requires_grad=True, device=network.leaves[0].device)
        self._policy = network.policy

    @contextmanager
    def active(self) -> Iterator[None]:
        """Replace the layers' forwards, and restore them on leaving."""
        replaced = [(tap.module, tap.module.__dict__.get("forward")) for tap in self.taps]
        try:
            for tap in self.taps:
                tap.module.__dict__["forward"] = self._forward_of(tap)
            yield
        finally:
            for module, earlier in replaced:
                module.__dict__.pop("forward", None)
                if earlier is not None:
                    module.__dict__["forward"] = earlier

    def backward(self, output: Tensor, cotangent: Tensor, tensors: list[Tensor], *, last: bool = False) -> Gradients:
        """Run one backward pass, delivering every layer's tap.

        Args:
            output: The network's output, computed while the taps were active.
            cotangent: The cotangent of the pass, N×C.
            tensors: Whose gradients are wanted beside.
            last: Whether the pass may let go of every activation once it was used.

        Returns:
            The gradients of the tensors.
        """
        for tap in self.taps:
            tap.received.clear()
        gradients = vjp(output, [self._anchor, *tensors], cotangent, retain_graph=not last)
        with torch.no_grad():  # rows are numbers: a graph would keep every activation alive
            for tap in self.taps:
                if tap.received:  # calls on dead branches never came: deliver what did
                    self._flush(tap)
        return gradients[1:]

    def _forward_of(self, tap: LayerTap) -> Callable[..., Tensor]:
        module = tap.module
        if isinstance(module, _BatchNorm):
            return self._policy.forward_of(module, partial(self._normalise, tap, module))
        if isinstance(module, nn.Linear):
            return partial(self._apply_linear, tap, module)
        assert isinstance(module, nn.Conv1d | nn.Conv2d)
        return partial(self._convolve, tap, module)

    def _apply_linear(self, tap: LayerTap, layer: nn.Linear, x: Tensor) -> Tensor:
        receive = self._called(tap, x)
        return _tensor(TappedLinear.apply(self._anchor, x, layer.weight.detach(), _detached(layer.bias), receive))

    def _convolve(self, tap: LayerTap, layer: nn.Conv1d | nn.Conv2d, x: Tensor) -> Tensor:
        padded, padding = explicitly_padded(layer, x)
        geometry = Geometry(layer.stride, padding, layer.dilation, layer.groups)
        receive = self._called(tap, padded, geometry)
        weight, bias = layer.weight.detach(), _detached(layer.bias)
        return _tensor(TappedConvolution.apply(self._anchor, padded, weight, bias, geometry, receive))

    def _normalise(self, tap: LayerTap, norm: _BatchNorm, x: Tensor) -> Tensor:
        weight, bias = norm.weight.detach(), _detached(norm.bias)
        centred = self._policy.centred(norm, x.detach())
        if centred is None:
            values = self._policy.normalise(norm, x, None, None)
            receive = self._called(tap, values)
            return _tensor(TappedAffine.apply(self._anchor, values, weight, bias, receive))
        values, variance = centred
        scale = (variance + norm.eps).rsqrt()
        receive = self._called(tap, x, scale)
        return _tensor(TappedNorm.apply(self._anchor, x, values, scale, weight, bias, receive))

    def _called(self, tap: LayerTap, x: Tensor, context: Context = None) -> Receive:
        """Count a call of a layer, and return what takes its input and output gradient in the backward pass."""
        tap.calls += 1
        if len(x) != self._samples:
            raise NotLayerWiseError(
                f"a {type(tap.module).__name__} got an input of shape {tuple(x.shape)}, not one row for each of "
                f"{self._samples} samples"
            )
        return partial(self._receive, tap, context)

    def _receive(self, tap: LayerTap, context: Context, x: Tensor, gradient: Tensor) -> None:
        tap.received.append((x, gradient, context))
        if len(tap.received) == tap.calls:
            self._flush(tap)

    def _flush(self, tap: LayerTap) -> None:
        self.deliver(tap)
        tap.received.clear()


def _detached(bias: Tensor | None) -> Tensor | None:
    return None if bias is None else bias.detach()


def _tensor(output: object) -> Tensor:
    """Narrow what ``Function.apply`` returns."""
    assert isinstance(output, Tensor)
    return output
