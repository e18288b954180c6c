"""The Gram matrix of Jacobian rows with what each layer adds kept apart, K = Σ_l K_l."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

import torch
from torch import Tensor

from ntknas.kernels.gram import Columns, GramAccumulator, Piece


class LayeredGram(GramAccumulator):
    """Adds up a Gram matrix by the module that owns the columns; see ``GramAccumulator``.

    Beside the matrices themselves it holds no more than the other: what waits of one module is added when another's
    columns come.

    Attributes:
        parts: By number of the module, what it adds.
    """

    by_layer: ClassVar[bool] = True

    def __init__(self, sizes: Sequence[int], columns: int, with_sums: bool, device: torch.device):
        super().__init__(sizes, columns, with_sums, device)
        self.parts: dict[int, GramAccumulator] = {}
        self._open: int | None = None

    def take(self, columns: Columns, *sides: Piece) -> None:
        """Add the Gram matrix of some columns to those of their module."""
        if self._open not in (None, columns.module):
            _ = self.parts[self._open].gram  # which adds what waits
        self._open = columns.module
        self._part(columns.module).take(columns, *sides)

    def _part(self, module: int) -> GramAccumulator:
        if module not in self.parts:
            self.parts[module] = GramAccumulator(self.sizes, self.columns, self.with_sums, self.device)
        return self.parts[module]

    @property
    def gram(self) -> Tensor:
        """The sum over layers, in the order of the modules."""
        return sum((self.parts[number].gram for number in sorted(self.parts)), start=torch.zeros_like(self._gram))

    @property
    def sums(self) -> list[Tensor]:
        """Sums of the entries of the left and right rows; zero unless wanted."""
        return self._over_layers([part.sums for part in self.parts.values()], self._sums)

    @property
    def norms(self) -> tuple[Tensor, Tensor]:
        """Squared norms of the left and right rows."""
        left, right = self._over_layers([part.norms for part in self.parts.values()], [self._norms[0], self._norms[-1]])
        return left, right

    @staticmethod
    def _over_layers(values: Sequence[Sequence[Tensor]], zeros: Sequence[Tensor]) -> list[Tensor]:
        return [sum(parts, start=zero) for *parts, zero in zip(*values, zeros, strict=True)]

    def put(self, block: Self, rows: slice, columns: slice) -> None:
        """Write a block of the matrices."""
        for module, part in block.parts.items():
            self._part(module).put(part, rows, columns)

    def mixed(self, weights: Sequence[float]) -> Self:
        """Return that of weighted sums of rows."""
        total = self.block(self.sizes[0] // len(weights))
        total.parts = {module: part.mixed(weights) for module, part in self.parts.items()}
        return total

    def merge(self, addend: Self) -> None:
        """Add what belongs to another output."""
        self.columns += addend.columns
        for module, part in addend.parts.items():
            self._part(module).merge(part)
