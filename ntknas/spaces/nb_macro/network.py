"""The network of NAS-Bench-Macro: stem, three stages of inverted residuals, a wide convolution, head."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from ntknas.spaces.alike import alike
from ntknas.spaces.base import NetworkSpec
from ntknas.spaces.layout import laid_out
from ntknas.spaces.nb_macro.counts import HEAD
from ntknas.spaces.nb_macro.keys import IDENTITY, RESIDUALS, stages
from ntknas.spaces.parametrisation import parametrised
from ntknas.spaces.pooled import PooledNetwork
from ntknas.spaces.starting import start


def _convolved(
    inputs: int, outputs: int, ntk: bool, kernel: int = 1, stride: int = 1, groups: int = 1
) -> tuple[nn.Module, nn.Module]:
    """Return a convolution without bias and its BatchNorm."""
    conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False)
    return parametrised(conv, ntk), nn.BatchNorm2d(outputs)


class InvertedResidual(nn.Module):
    """A 1×1 convolution that widens, a depthwise one, a 1×1 convolution that narrows, and no ReLU behind it.

    The input is added where it has the output's shape.
    """

    def __init__(self, kernel: int, expansion: int, inputs: int, outputs: int, stride: int, ntk: bool):
        super().__init__()
        inside = expansion * inputs
        self.layers = nn.Sequential(
            *_convolved(inputs, inside, ntk),
            nn.ReLU(),
            *_convolved(inside, inside, ntk, kernel, stride, groups=inside),
            nn.ReLU(),
            *_convolved(inside, outputs, ntk),
        )
        self.has_shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output, N×C×H×W."""
        outputs: Tensor = self.layers(x)
        return outputs + x if self.has_shortcut else outputs


@alike
def _operation(digit: str, inputs: int, outputs: int, stride: int, ntk: bool) -> nn.Module:
    if digit == IDENTITY:
        return nn.Sequential(*_convolved(inputs, outputs, ntk, stride=stride))
    return InvertedResidual(*RESIDUALS[digit], inputs, outputs, stride, ntk)


class NBMacroNetwork(PooledNetwork):
    """The network of the benchmark.

    An identity that changes no shape is nothing, and no module either: keys that are one network have one module tree.

    Args:
        digits: The key.
        num_classes: Number of outputs.
        channels: Channels of the stem; each stage doubles them, and the last convolution has 40 times as many.
        ntk: Whether layers are NTK-parametrised.
    """

    def __init__(self, digits: str, num_classes: int, channels: int, ntk: bool):
        super().__init__()
        self.stem = nn.Sequential(*_convolved(3, channels, ntk, 3), nn.ReLU())
        self.stages = nn.Sequential()
        width = channels
        for operations in stages(digits):
            layers = [_operation(operations[0], width, 2 * width, 2, ntk)]
            width *= 2
            layers += [_operation(digit, width, width, 1, ntk) for digit in operations[1:]]
            self.stages.append(nn.Sequential(*layers))
        self.last = nn.Sequential(*_convolved(width, HEAD * channels, ntk), nn.ReLU())
        self.classifier = parametrised(nn.Linear(HEAD * channels, num_classes), ntk)

    def features(self, x: Tensor) -> Tensor:
        """Return what is pooled for the classifier, N×channels×height×width."""
        features: Tensor = self.last(self.stages(self.stem(laid_out(x))))
        return features

    def blocks(self) -> list[nn.Module]:
        """Return the stem, the layers of the stages and the last convolution."""
        return [self.stem, *(layer for stage in self.stages for layer in stage.children()), self.last]

    def operations(self) -> Iterator[tuple[str, nn.Module]]:
        """Yield every operation that has parameters, with the name that seeds it: its place among those that are there.

        So keys that are one network start as one network.
        """
        yield "stem", self.stem
        for number, stage in enumerate(self.stages):
            for place, layer in enumerate(stage.children()):
                yield f"{number}/{place}", layer
        yield "last", self.last
        yield "classifier", self.classifier


def build(digits: str, spec: NetworkSpec) -> NBMacroNetwork:
    """Build and start a network on the CPU, in float32; see ``NBMacroNetwork`` and ``initialise``."""
    with torch.device("meta"):
        network = NBMacroNetwork(digits, spec.num_classes, spec.channels, ntk=spec.init == "ntk")
    start(network.operations(), spec.init, spec.seed)
    return network
