"""Gram matrices of Jacobian rows, accumulated in float64 layer by layer."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

COLUMNS = 1 << 10
"""Columns of one product: a batch of small products keeps every core (or multiprocessor) at work on blocks that stay in
its cache, where one product of 64 rows with very many columns does not."""
PRODUCTS = {"cpu": 1 << 4, "cuda": 1 << 8}
"""Products of a batch: so many columns are converted to float64 at a time, never a whole layer."""
FEWEST_PRODUCTS = 4
"""Fewer products than these are one."""
ROWS = 64
"""Of a symmetric matrix with more rows, blocks of so many rows are computed up to the diagonal and mirrored."""


class GramParts:
    """The Gram matrix of rows of J, and of their norms and sums what the normalisations need.

    Args:
        sizes: Number of rows of the one batch, or of the left and the right one.
        columns: Length of a row.
        with_sums: Whether the sums of the rows' entries are wanted.
        device: Where to accumulate.

    Attributes:
        sizes: As given.
        columns: As given; a sum over outputs has as many for each.
        with_sums: As given.
    """

    def __init__(self, sizes: Sequence[int], columns: int, with_sums: bool, device: torch.device):
        def new(*shape: int) -> Tensor:
            return torch.zeros(*shape, dtype=torch.float64, device=device)

        self.sizes = list(sizes)
        self.columns = columns
        self.with_sums = with_sums
        self._gram = new(sizes[0], sizes[-1])
        self._sums = [new(size) for size in sizes]
        self._norms = [new(size) for size in sizes]
        self._few: list[Tensor] = []

    @property
    def gram(self) -> Tensor:
        """The Gram matrix, float64, left rows by right rows."""
        self._add_few()
        return self._gram

    @property
    def sums(self) -> list[Tensor]:
        """Sums of the entries of the left and right rows; zero unless wanted."""
        self._add_few()
        return self._sums

    @property
    def symmetric(self) -> bool:
        """Whether both sides are one batch."""
        return len(self.sizes) == 1

    @property
    def norms(self) -> tuple[Tensor, Tensor]:
        """Squared norms of the left and right rows."""
        if self.symmetric:
            return self.gram.diagonal(), self.gram.diagonal()
        self._add_few()
        return self._norms[0], self._norms[1]

    def add(self, rows: Tensor) -> None:
        """Add the Gram matrix of some columns of J.

        Args:
            rows: These columns, for the left rows and below them the right ones.
        """
        if rows.shape[1] >= COLUMNS:
            self._add_columns(rows)
            return
        self._few.append(rows)
        if sum(few.shape[1] for few in self._few) >= FEWEST_PRODUCTS * COLUMNS:
            self._add_few()

    def _add_few(self) -> None:
        """Add what came with few columns, as BatchNorm's, at once."""
        few, self._few = self._few, []
        if few:
            self._add_columns(few[0] if len(few) == 1 else torch.cat(few, 1))

    def _add_columns(self, rows: Tensor) -> None:
        size = COLUMNS * PRODUCTS.get(rows.device.type, 1)
        for block in rows.split(size, dim=1):
            whole = block.shape[1] // COLUMNS * COLUMNS
            if whole < FEWEST_PRODUCTS * COLUMNS:
                whole = 0
            if whole:
                self._add(_batched(block[:, :whole]))
            if whole < block.shape[1]:
                self._add(block[:, whole:].double().unsqueeze(0))

    def _add(self, batch: Tensor) -> None:
        """Add the Gram matrix of columns in float64, shape products×rows×columns."""
        sides = batch.split(self.sizes, dim=1)
        if self.symmetric:
            self._add_symmetric(batch)
        else:
            self._gram += (sides[0] @ sides[-1].mT).sum(0)
        for side, norms, sums in zip(sides, self._norms, self._sums, strict=True):
            if not self.symmetric:
                norms += side.square().sum((0, 2))
            if self.with_sums:
                sums += side.sum((0, 2))

    def _add_symmetric(self, batch: Tensor) -> None:
        for start in range(0, self.sizes[0], ROWS):
            here, below = slice(start, start + ROWS), slice(start + ROWS, None)
            part = (batch[:, start:] @ batch[:, here].mT).sum(0)
            self._gram[start:, here] += part
            if start + ROWS < self.sizes[0]:
                self._gram[here, below] += part[ROWS:].T

    def add_outer(self, g: Tensor, a: Tensor) -> None:
        """Add the Gram matrix of rows g_i ⊗ a_i, (g_i·g_j)(a_i·a_j), without forming them.

        Args:
            g: First factors, for the left rows and below them the right ones.
            a: Second factors, likewise.
        """
        firsts, seconds = g.double().split(self.sizes), a.double().split(self.sizes)
        self._gram.addcmul_(firsts[0] @ firsts[-1].T, seconds[0] @ seconds[-1].T)
        for first, second, norms, sums in zip(firsts, seconds, self._norms, self._sums, strict=True):
            norms += first.square().sum(1) * second.square().sum(1)
            sums += first.sum(1) * second.sum(1)

    def put(self, block: GramParts, rows: slice, columns: slice) -> None:
        """Put a block in its place; of one batch with itself, its mirror image too."""
        self._gram[rows, columns] = block.gram
        places = [rows, columns][: len(self.sizes)]
        if self.symmetric:
            self._gram[columns, rows] = block.gram.T
        for mine, theirs in ((self._sums, block.sums), (self._norms, block._norms)):
            for whole, part, place in zip(mine, theirs, places, strict=False):
                whole[place] = part

    def merge(self, other: GramParts) -> None:
        """Add the parts of another output, as the trace over outputs does: its columns stand beside these."""
        self._gram += other.gram
        self.columns += other.columns
        for mine, theirs in zip(self._sums + self._norms, other.sums + other._norms, strict=True):
            mine += theirs


def _batched(block: Tensor) -> Tensor:
    """Return columns in float64 as products×rows×COLUMNS, each product contiguous."""
    parts = block.unflatten(1, (-1, COLUMNS)).transpose(0, 1)
    return parts.to(torch.float64, memory_format=torch.contiguous_format)
