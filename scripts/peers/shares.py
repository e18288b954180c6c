"""What a layer-wise kernel adds to a training step: rows of each sample in place of one weight gradient, and their Gram matrix.

Both are timed apart, layer by layer, on the inputs and gradients that the layers have in a real kernel.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ntknas.core.choices import Choices
from ntknas.kernels.batch import Batch
from ntknas.kernels.gram import GramAccumulator
from ntknas.kernels.network import under_policy
from ntknas.kernels.strategies import per_sample
from ntknas.kernels.strategies.per_sample import Geometry
from ntknas.kernels.strategies.tapping import LayerTap, Tapping

Call = tuple[nn.Conv2d, Tensor, Tensor, Geometry]


@dataclass
class Shares:
    """Seconds over all convolutions of a network; each the fastest of several rounds."""

    weight_gradients: float
    rows: float
    gram: float


def shares(network: nn.Module, x: Tensor, rounds: int = 5) -> Shares:
    """Time what the convolutions of a network cost beyond their forward pass and the gradient of their input."""
    found = [0.0, 0.0, 0.0]
    for module, a, g, geometry in _calls(network, x):
        rows = per_sample.convolution_weight(a, g, module.kernel_size, geometry, any_order=True)
        ways = [
            lambda m=module, a=a, g=g, how=geometry: _weight_gradient(m, a, g, how),
            lambda m=module, a=a, g=g, how=geometry: per_sample.convolution_weight(
                a, g, m.kernel_size, how, any_order=True
            ),
            lambda rows=rows: _gram(rows),
        ]
        found = [total + _fastest(way, rounds) for total, way in zip(found, ways, strict=True)]
    return Shares(*found)


def _calls(network: nn.Module, x: Tensor) -> list[Call]:
    """Return every convolution's input, output gradient and geometry."""
    calls: list[Call] = []

    def keep(tap: LayerTap) -> None:
        if isinstance(tap.module, nn.Conv2d):
            calls.extend((tap.module, a, g, how) for a, g, how in tap.received)

    with under_policy(network, [Batch(x)], Choices(batch_norm="frozen", parameters="all")) as subject:
        subject.policy.record()
        tapping = Tapping(subject, len(x))
        tapping.deliver = keep
        with tapping.active():
            output = subject.output(x)
            tapping.backward(output, torch.ones_like(output), [*subject.leaves])
    return calls


def _weight_gradient(module: nn.Conv2d, a: Tensor, g: Tensor, geometry: Geometry) -> None:
    stride, padding, dilation, groups = geometry
    what = (stride, padding, dilation, False, [0, 0], groups, [False, True, False])
    torch.ops.aten.convolution_backward(g, a, module.weight, None, *what)


def _gram(rows: Tensor) -> None:
    accumulator = GramAccumulator([len(rows)], rows.shape[1], False, rows.device)
    accumulator.add(rows)
    accumulator.gram  # noqa: B018


def _fastest(way: Callable[[], object], rounds: int) -> float:
    seconds = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        way()
        seconds.append(time.perf_counter() - start)
    return min(seconds[1:])
