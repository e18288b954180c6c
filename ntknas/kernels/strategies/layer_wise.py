"""One forward and one backward pass for all rows of a decoupled network, contracted layer by layer.

Where sample j's output depends on sample j alone, one backward pass of the summed cotangents leaves, at every layer,
each sample's own output gradient. With the layer's input these make the layer's columns of J for all samples at
once; their Gram matrix is added to the kernel and they are dropped. No more of J than one layer is ever in memory.

What it needs, and ``blockers`` checks without running the network: every parameter of the set belongs to exactly one
linear, convolution or BatchNorm layer. What only a run shows (a weight used by hand, samples that are not in dimension
0 of a layer's input) is found by ``ntknas.kernels.decoupling`` on a few samples.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ntknas.core.errors import KernelError
from ntknas.kernels import outputs
from ntknas.kernels.batch_norm import Policy, channel_sums
from ntknas.kernels.gram import Factors, GramParts
from ntknas.kernels.strategies import per_sample
from ntknas.kernels.strategies.taps import (
    TappedAffine,
    TappedConvolution,
    TappedLinear,
    TappedNorm,
    explicitly_padded,
)

NAME = "layer-wise"
_EXACT_TYPES = (nn.Linear, nn.Conv1d, nn.Conv2d)
_NAMES = {"weight", "bias"}


Context = tuple[Any, ...]
"""What else the rows depend on: the geometry of a convolution; the scale of an input that was only centred."""


class NotLayerWiseError(KernelError):
    """The network turned out, while running, to be out of this strategy's reach."""


def blockers(model: nn.Module, parameters: dict[str, nn.Parameter]) -> list[str]:
    """Return why the strategy cannot compute these parameters' kernel, from the module tree alone.

    Args:
        model: The network.
        parameters: The parameter set by name.

    Returns:
        One phrase for each parameter in the way; empty if there is none.
    """
    owners: dict[int, list[nn.Module]] = {}
    for module in model.modules():
        for parameter in module._parameters.values():
            if parameter is not None:
                owners.setdefault(id(parameter), []).append(module)
    return [
        f"{name} ({reason})"
        for name, parameter in parameters.items()
        if (reason := "complex" if parameter.is_complex() else _blocker(owners.get(id(parameter), [])))
    ]


def _blocker(owners: list[nn.Module]) -> str:
    if len(owners) != 1:
        return "tied"
    module = owners[0]
    stock = type(module) in _EXACT_TYPES and "forward" not in module.__dict__
    if not (stock or isinstance(module, _BatchNorm)):
        return f"in a {type(module).__name__}"
    if module._parameters.get("weight") is None:
        return f"in a {type(module).__name__} without weight"
    return "" if set(module._parameters) <= _NAMES else "reparametrised"


@dataclass
class LayerTap:
    """Collects what one layer hands over, over all its calls, and turns it into rows.

    Attributes:
        number: Place of the layer in the network.
        module: The layer.
        wanted: Which of ``weight`` and ``bias`` belong to the parameter set.
        calls: Number of calls in the forward pass.
        received: (input, output gradient, context) of the calls that the backward pass has reached.
    """

    number: int
    module: nn.Module
    wanted: set[str]
    calls: int = 0
    received: list[tuple[Tensor, Tensor, Context]] = field(default_factory=list)

    def pieces(self) -> Iterator[Tensor | Factors]:
        """Yield the rows of the weight and of the bias, summed over calls; those of a weight may be factors."""
        if "weight" in self.wanted:
            factors = self._outer_factors()
            yield _sum(self._weight_rows(*call) for call in self.received) if factors is None else factors
        if "bias" in self.wanted:
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
            return rows * context[0] if context else rows
        assert isinstance(self.module, nn.Conv1d | nn.Conv2d)
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
        model: The network, under its policy.
        policy: The policy, for the normalised values of BatchNorm.
        parameters: The parameter set; every other parameter is a constant.
        samples: Number of samples that every layer must see in dimension 0.
    """

    def __init__(self, model: nn.Module, policy: Policy, parameters: dict[str, nn.Parameter], samples: int):
        wanted = {id(parameter) for parameter in parameters.values()}
        self.samples = samples
        self.anchor = torch.zeros((), requires_grad=True, device=next(iter(parameters.values())).device)
        self.deliver: Deliver = lambda tap: None
        self.taps = [
            LayerTap(number, module, names)
            for number, module in enumerate(model.modules())
            if (names := {name for name, value in module._parameters.items() if id(value) in wanted})
        ]
        self._policy = policy

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

    def backward(
        self, output: Tensor, cotangent: Tensor, others: Sequence[Tensor], *, last: bool = False
    ) -> tuple[Tensor | None, ...]:
        """Run one backward pass, delivering every layer's tap, and return the gradients of ``others``.

        The last pass lets go of every activation once it was used.
        """
        for tap in self.taps:
            tap.received.clear()
        if not output.requires_grad:
            return (None,) * len(others)
        inputs = [self.anchor, *others]
        gradients = torch.autograd.grad(output, inputs, cotangent, retain_graph=not last, allow_unused=True)
        with torch.no_grad():
            for tap in self.taps:
                if tap.received:  # calls on dead branches never came: deliver what did
                    self._flush(tap)
        return gradients[1:]

    def _forward_of(self, tap: LayerTap) -> Callable[..., Tensor]:
        forward = partial(self._forward, tap)
        return self._policy.forward_of(tap.module, forward) if isinstance(tap.module, _BatchNorm) else forward

    def _forward(self, tap: LayerTap, x: Tensor) -> Tensor:
        module: Any = tap.module
        tap.calls += 1
        weight, bias = (None if p is None else p.detach() for p in (module.weight, module.bias))
        if isinstance(module, _BatchNorm):
            return self._normalised(tap, x, weight, bias)
        if isinstance(module, nn.Linear):
            return self._apply(TappedLinear, tap, x, weight, bias)
        assert isinstance(module, nn.Conv1d | nn.Conv2d)
        padded, padding = explicitly_padded(module, x)
        geometry = (module.stride, padding, module.dilation, module.groups)
        return self._apply(TappedConvolution, tap, padded, weight, bias, geometry, context=geometry)

    def _normalised(self, tap: LayerTap, x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
        module: Any = tap.module
        centred = self._policy.centred(module, x.detach())
        if centred is None:
            return self._apply(TappedAffine, tap, self._policy.normalise(module, x, None, None), weight, bias)
        values, variance = centred
        scale = (variance + module.eps).rsqrt()
        return self._apply(TappedNorm, tap, x, values, scale, weight, bias, context=(scale,))

    def _apply(self, function: Any, tap: LayerTap, x: Tensor, *rest: Any, context: Context = ()) -> Tensor:
        if len(x) != self.samples:
            raise NotLayerWiseError(
                f"a {type(tap.module).__name__} got an input of shape {tuple(x.shape)}, not one row for each of "
                f"{self.samples} samples"
            )
        return function.apply(self.anchor, x, *rest, partial(self._receive, tap, context))

    def _receive(self, tap: LayerTap, context: Context, x: Tensor, gradient: Tensor) -> None:
        tap.received.append((x, gradient, context))
        if len(tap.received) == tap.calls:
            self._flush(tap)

    def _flush(self, tap: LayerTap) -> None:
        self.deliver(tap)
        tap.received.clear()


def gram(
    model: nn.Module,
    policy: Policy,
    parameters: dict[str, nn.Parameter],
    batches: Sequence[Tensor],
    labels: Sequence[Tensor | None],
    reduction: str,
    with_sums: bool,
) -> tuple[GramParts, int]:
    """Compute the Gram matrix of one batch with itself, or of two batches.

    ``full`` runs every sample once for each output, so that its rows are the rows of a bigger batch.

    Args:
        model: The network, under its policy, which decouples the samples.
        policy: The policy.
        parameters: The parameter set by name.
        batches: One batch or two.
        labels: Their labels, or ``None`` each.
        reduction: Output reduction.
        with_sums: Whether the row sums are wanted.

    Returns:
        The parts of the kernel, and the number of outputs C.

    Raises:
        NotLayerWiseError: If the run shows that the strategy does not apply.
    """
    copies = outputs.rows_a_sample(reduction, model, batches[0])
    sizes = [len(x) * copies for x in batches]
    columns = sum(parameter.numel() for parameter in parameters.values())
    parts = GramParts(sizes, columns, with_sums, batches[0].device)

    def receive(key: Hashable, piece: Tensor | Factors) -> None:
        if isinstance(piece, Tensor):
            parts.add(*piece.split(sizes))
        else:
            parts.add_outer(*zip(*(factor.split(sizes) for factor in piece), strict=True))

    x = torch.cat(list(batches)) if len(batches) > 1 else batches[0]
    known = [y for y in labels if y is not None]
    y = torch.cat(known) if known else None
    count, passes = sweep(model, policy, parameters, x, y, reduction, copies, receive)
    parts.columns *= passes
    return parts, count


def sweep(
    model: nn.Module,
    policy: Policy,
    parameters: dict[str, nn.Parameter],
    x: Tensor,
    labels: Tensor | None,
    reduction: str,
    copies: int,
    receive: Callable[[Hashable, Tensor | Factors], None],
) -> tuple[int, int]:
    """Pass a batch forward and backward, and hand over its rows layer by layer.

    Args:
        model: The network, under its policy, which decouples the samples.
        policy: The policy.
        parameters: The parameter set by name.
        x: The batch.
        labels: Its labels.
        reduction: Output reduction.
        copies: Rows of each sample: C for ``full``, else 1.
        receive: Takes (pass, layer, number in the layer) and the rows of these columns, or their factors.

    Returns:
        Number of outputs C, and of backward passes.

    Raises:
        NotLayerWiseError: If the run shows that the strategy does not apply.
    """
    x = x.repeat_interleave(copies, 0) if copies > 1 else x
    tapping = Tapping(model, policy, parameters, len(x))
    with tapping.active():
        output = outputs.of(model, x)
        outputs.check_precision(output, list(parameters.values()))
        cotangents = _cotangents(output, labels, reduction)
        for number, cotangent in enumerate(cotangents, 1):
            tapping.deliver = partial(_hand_over, receive, number)
            last = number == len(cotangents)
            outside = tapping.backward(output, cotangent, list(parameters.values()), last=last)
            _check_inside(parameters, outside)
    return output.shape[1], len(cotangents)


def _cotangents(output: Tensor, labels: Tensor | None, reduction: str) -> Sequence[Tensor]:
    if reduction == "full":
        each = torch.eye(output.shape[1], dtype=output.dtype, device=output.device)
        return [each.repeat(len(output) // output.shape[1], 1)]
    return outputs.passes(reduction, output, labels)


def _hand_over(receive: Callable[[Hashable, Tensor | Factors], None], number: int, tap: LayerTap) -> None:
    for part, piece in enumerate(tap.pieces()):
        receive((number, tap.number, part), piece)


def _check_inside(parameters: dict[str, nn.Parameter], outside: Sequence[Tensor | None]) -> None:
    used = [name for name, gradient in zip(parameters, outside, strict=True) if gradient is not None]
    if used:
        raise NotLayerWiseError(f"{', '.join(used)} is used outside its layer")
