"""Where pixels from 0 to 1 lie after normalisation: what an attack on images has to know."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class PixelRange:
    """What black and white are after normalisation.

    Attributes:
        black: One value per channel.
        white: One value per channel.
    """

    black: Tensor = field(repr=False)
    white: Tensor = field(repr=False)

    def pixels(self, x: Tensor) -> Tensor:
        """Return normalised images as pixels, kept within 0 and 1."""
        black, size = self._like(x)
        return ((x - black) / size).clamp(0, 1)

    def moved(self, x: Tensor, change: Tensor) -> Tensor:
        """Return normalised images after a change of their pixels: exactly the same ones where there is none."""
        return x + change * self._like(x)[1]

    def _like(self, x: Tensor) -> tuple[Tensor, Tensor]:
        shape = (1, -1, *[1] * (x.dim() - 2))
        black, white = (side.to(x).view(shape) for side in (self.black, self.white))
        return black, white - black
