"""Gram matrices of Jacobian rows, accumulated in float64 layer by layer."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

COLUMNS = 1 << 10
"""Columns of one product: a batch of small products keeps every core (or multiprocessor) at work on blocks that stay in
its cache, where one product of 64 rows with very many columns does not."""
VALUES = {"cpu": 3 << 18, "cuda": 1 << 24}
"""So many values of a layer are converted to float64 at a time, in a batch of products; on the CPU they stay in its
cache."""
FEW = 1 << 19
"""Columns with fewer values than these, as BatchNorm's, wait for one another."""
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
        rows = sum(sizes)
        self._products = max(1, VALUES.get(device.type, VALUES["cpu"]) // (rows * COLUMNS))
        self._by_product = new(self._products, sizes[0], sizes[-1]) if self._in_one_block else None
        self._sums = [new(size) for size in sizes]
        self._norms = [new(size) for size in sizes]
        self._few: list[Tensor] = []
        self._waiting = 0

    @property
    def gram(self) -> Tensor:
        """The Gram matrix, float64, left rows by right rows."""
        self._add_few()
        if self._by_product is not None:
            self._gram += self._by_product.sum(0)
            self._by_product.zero_()
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
        if rows.numel() >= FEW:
            self._add_columns(rows)
            return
        self._few.append(rows)
        self._waiting += rows.numel()
        if self._waiting >= 2 * FEW:
            self._add_few()

    def _add_few(self) -> None:
        """Add what waits, at once."""
        few, self._few, self._waiting = self._few, [], 0
        if few:
            self._add_columns(few[0] if len(few) == 1 else torch.cat(few, 1))

    def _add_columns(self, rows: Tensor) -> None:
        for block in rows.split(COLUMNS * self._products, dim=1):
            whole = block.shape[1] // COLUMNS * COLUMNS
            if whole:
                self._add(_batched(block[:, :whole]))
            if whole < block.shape[1]:
                self._add(block[:, whole:].double().unsqueeze(0))

    @property
    def _in_one_block(self) -> bool:
        return not self.symmetric or self.sizes[0] <= ROWS

    def _add(self, batch: Tensor) -> None:
        """Add the Gram matrix of columns in float64, shape products×rows×columns."""
        sides = batch.split(self.sizes, dim=1)
        if self._by_product is None:
            self._add_symmetric(batch)
        else:
            self._by_product[: len(batch)].baddbmm_(sides[0], sides[-1].mT)
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
