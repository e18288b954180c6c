"""NTK parametrisation: weights of variance 1, scaled in the forward pass in place of at the start."""

from __future__ import annotations

import math

from torch import Tensor, nn

from ntknas.spaces.initialisation import fan_in


class ScaledInput(nn.Module):
    """A layer in NTK parametrisation: y = W (s·x) + b with s = √(2/fan_in) and W ~ N(0, 1)."""

    def __init__(self, layer: nn.Conv2d | nn.Linear, scale: float):
        super().__init__()
        self.layer = layer
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer to the scaled input."""
        # The input, not the weight: the layer stays a stock one, which the layer-wise strategy takes.
        outputs: Tensor = self.layer(self.scale * x)
        return outputs


def parametrised(layer: nn.Conv2d | nn.Linear, ntk: bool) -> nn.Module:
    """Return the layer, or in NTK parametrisation one whose forward pass scales by √(2/fan_in)."""
    return ScaledInput(layer, math.sqrt(2 / fan_in(layer))) if ntk else layer
