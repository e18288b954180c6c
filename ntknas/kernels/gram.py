"""Gram matrices of Jacobian rows, accumulated in float64 layer by layer."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

BLOCK = 1 << 12
"""Columns converted to float64 at a time: the conversion never copies a whole layer, and a block stays in the cache."""


class GramParts:
    """The Gram matrix of rows of J, and of their norms and sums what the normalisations need.

    Args:
        sizes: Number of rows of the one batch, or of the left and the right one.
        columns: Length of a row.
        with_sums: Whether the sums of the rows' entries are wanted.
        device: Where to accumulate.

    Attributes:
        gram: Float64, left rows by right rows.
        sums: Sums of the entries of the left and right rows; zero unless wanted.
    """

    def __init__(self, sizes: Sequence[int], columns: int, with_sums: bool, device: torch.device):
        def new(*shape: int) -> Tensor:
            return torch.zeros(*shape, dtype=torch.float64, device=device)

        self.sizes = list(sizes)
        self.columns = columns
        self.with_sums = with_sums
        self.gram = new(sizes[0], sizes[-1])
        self.sums = [new(size) for size in sizes]
        self._norms = [new(size) for size in sizes]

    @property
    def symmetric(self) -> bool:
        """Whether both sides are one batch."""
        return len(self.sizes) == 1

    @property
    def norms(self) -> tuple[Tensor, Tensor]:
        """Squared norms of the left and right rows."""
        if self.symmetric:
            return self.gram.diagonal(), self.gram.diagonal()
        return self._norms[0], self._norms[1]

    def add(self, rows: Tensor) -> None:
        """Add the Gram matrix of some columns of J.

        Args:
            rows: These columns, for the left rows and below them the right ones.
        """
        for block in rows.split(BLOCK, dim=1):
            sides = block.double().split(self.sizes)
            self.gram.addmm_(sides[0], sides[-1].T)
            for side, norms, sums in zip(sides, self._norms, self.sums, strict=True):
                if not self.symmetric:
                    norms += side.square().sum(1)
                if self.with_sums:
                    sums += side.sum(1)

    def add_outer(self, g: Tensor, a: Tensor) -> None:
        """Add the Gram matrix of rows g_i ⊗ a_i, (g_i·g_j)(a_i·a_j), without forming them.

        Args:
            g: First factors, for the left rows and below them the right ones.
            a: Second factors, likewise.
        """
        firsts, seconds = g.double().split(self.sizes), a.double().split(self.sizes)
        self.gram.addcmul_(firsts[0] @ firsts[-1].T, seconds[0] @ seconds[-1].T)
        for first, second, norms, sums in zip(firsts, seconds, self._norms, self.sums, strict=True):
            norms += first.square().sum(1) * second.square().sum(1)
            sums += first.sum(1) * second.sum(1)

    def put(self, block: GramParts, rows: slice, columns: slice) -> None:
        """Put a block in its place; of one batch with itself, its mirror image too."""
        self.gram[rows, columns] = block.gram
        places = [rows, columns][: len(self.sizes)]
        if self.symmetric:
            self.gram[columns, rows] = block.gram.T
        for mine, theirs in ((self.sums, block.sums), (self._norms, block._norms)):
            for whole, part, place in zip(mine, theirs, places, strict=False):
                whole[place] = part

    def merge(self, other: GramParts) -> None:
        """Add the parts of another output, as the trace over outputs does: its columns stand beside these."""
        self.gram += other.gram
        self.columns += other.columns
        for mine, theirs in zip(self.sums + self._norms, other.sums + other._norms, strict=True):
            mine += theirs
