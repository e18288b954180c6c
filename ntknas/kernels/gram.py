"""Gram matrices of Jacobian rows, accumulated in float64 layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple, Self

import torch
from torch import Tensor

from ntknas.core.errors import KernelError

COLUMNS = 1 << 10
"""Columns of one product: a batch of small products keeps every core (or multiprocessor) at work on blocks that stay in
its cache, where one product of 64 rows with very many columns does not."""
Factors = tuple[Tensor, Tensor]
"""(g, a) of rows g ⊗ a."""
Piece = Tensor | Factors
"""Rows of J restricted to some columns, or the factors of such rows."""
UNLIKE = "its chunks have rows of unlike columns, so that it treats images unlike: take one chunk, or the row loop"
VALUES = {"cpu": 3 << 18, "cuda": 1 << 24}
"""So many values of a layer are converted to float64 at a time, in a batch of products; on the CPU they stay in its
cache."""
FEW = 1 << 19
"""Columns with fewer values than these, as BatchNorm's, wait for one another."""
ROWS = 64
"""Of a symmetric matrix with more rows, blocks of so many rows are computed up to the diagonal and mirrored."""


class Columns(NamedTuple):
    """Some columns of J, the same for every chunk of samples.

    Attributes:
        backward: Number of the backward pass.
        module: Number of the module that owns the parameter, among all of the network; 0 for all parameters together.
        parameter: Number of the parameter in the module.
    """

    backward: int
    module: int = 0
    parameter: int = 0


class UnlikeChunksError(KernelError):
    """Chunks have rows of unlike columns: what the network does depends on the images."""


class GramAccumulator:
    """Adds up the Gram matrix of rows of J, and of their norms and sums what the normalisations need.

    Args:
        sizes: Number of rows of the one batch, or of the left and the right one.
        columns: Length of a row.
        with_sums: Whether the sums of the rows' entries are wanted.
        device: Where to accumulate.

    Attributes:
        sizes: As given.
        columns: As given; a sum over outputs has as many for each.
        with_sums: As given.
        device: As given.
        by_layer: Whether what each layer adds is kept apart.
    """

    by_layer: ClassVar[bool] = False

    def __init__(self, sizes: Sequence[int], columns: int, with_sums: bool, device: torch.device):
        def new(*shape: int) -> Tensor:
            return torch.zeros(*shape, dtype=torch.float64, device=device)

        self.sizes = list(sizes)
        self.columns = columns
        self.with_sums = with_sums
        self.device = device
        self._gram = new(sizes[0], sizes[-1])
        self._products = max(1, VALUES.get(device.type, VALUES["cuda"]) // (sum(sizes) * COLUMNS))
        self._by_product: Tensor | None = None
        self._sums = [new(size) for size in sizes]
        self._norms = [new(size) for size in sizes]
        self._few: list[tuple[Tensor, ...]] = []
        self._values_waiting = 0

    @property
    def gram(self) -> Tensor:
        """The Gram matrix, float64, left rows by right rows."""
        self._add_few()
        if self._by_product is not None:
            self._gram += self._by_product.sum(0)
            self._by_product = None
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

    def block(self, *sizes: int) -> Self:
        """Return an accumulator for some of the rows, still zero."""
        return type(self)(sizes, self.columns, self.with_sums, self.device)

    def take(self, columns: Columns, *sides: Piece) -> None:
        """Add the Gram matrix of some columns of J, whatever they come as.

        Args:
            columns: Which columns.
            sides: These, of the one batch, or of the left and the right one.

        Raises:
            UnlikeChunksError: If the sides come as unlike things.
        """
        tensors = [side for side in sides if isinstance(side, Tensor)]
        factors = [side for side in sides if not isinstance(side, Tensor)]
        if tensors and factors:
            raise UnlikeChunksError(UNLIKE)
        if tensors:
            self.add(*tensors)
        else:
            self.add_outer(*factors)

    def add(self, *sides: Tensor) -> None:
        """Add the Gram matrix of some columns of J.

        Args:
            sides: These columns, of the one batch, or of the left and the right one.
        """
        values = sum(side.numel() for side in sides)
        if values >= FEW:
            self._add_columns(sides)
            return
        # A product of a few columns takes longer to start than to compute: they wait until there are many.
        self._few.append(sides)
        self._values_waiting += values
        if self._values_waiting >= 2 * FEW:
            self._add_few()

    def _add_few(self) -> None:
        """Add what waits, at once."""
        waiting, self._few, self._values_waiting = self._few, [], 0
        if waiting:
            self._add_columns([torch.cat(pieces, 1) for pieces in zip(*waiting, strict=True)])

    def _add_columns(self, sides: Sequence[Tensor]) -> None:
        for block in zip(*(side.split(COLUMNS * self._products, dim=1) for side in sides), strict=True):
            multiple = block[0].shape[1] // COLUMNS * COLUMNS
            if multiple:
                self._add([_batched(side[:, :multiple]) for side in block])
            if multiple < block[0].shape[1]:
                self._add([side[:, multiple:].double().unsqueeze(0) for side in block])

    def _add(self, sides: Sequence[Tensor]) -> None:
        """Add the Gram matrix of columns in float64, each side of shape products×rows×columns."""
        if self.symmetric and self.sizes[0] > ROWS:
            self._add_symmetric(sides[0])
        else:
            if self._by_product is None:
                self._by_product = self._gram.new_zeros(self._products, *self._gram.shape)
            # One matrix for each product of a batch, added to in place and summed once at the end.
            self._by_product[: len(sides[0])].baddbmm_(sides[0], sides[-1].mT)
        for side, norms, sums in zip(sides, self._norms, self._sums, strict=True):
            if not self.symmetric:  # of one batch they are the diagonal
                norms += side.square().sum((0, 2))
            if self.with_sums:
                sums += side.sum((0, 2))

    def _add_symmetric(self, batch: Tensor) -> None:
        for start in range(0, self.sizes[0], ROWS):
            diagonal, below = slice(start, start + ROWS), slice(start + ROWS, None)
            # half of the work: what lies above the diagonal is the mirror image
            strip = (batch[:, start:] @ batch[:, diagonal].mT).sum(0)
            self._gram[start:, diagonal] += strip
            if start + ROWS < self.sizes[0]:
                self._gram[diagonal, below] += strip[ROWS:].T

    def add_outer(self, *sides: Factors) -> None:
        """Add the Gram matrix of rows g_i ⊗ a_i, (g_i·g_j)(a_i·a_j), without forming them.

        Args:
            sides: The factors of the one batch, or of the left and the right one.
        """
        firsts, seconds = ([factor.double() for factor in factors] for factors in zip(*sides, strict=True))
        self._gram.addcmul_(firsts[0] @ firsts[-1].T, seconds[0] @ seconds[-1].T)
        for first, second, norms, sums in zip(firsts, seconds, self._norms, self._sums, strict=True):
            norms += first.square().sum(1) * second.square().sum(1)
            sums += first.sum(1) * second.sum(1)

    def put(self, block: Self, rows: slice, columns: slice) -> None:
        """Write a block of the matrix; of one batch with itself, its mirror image too."""
        self._gram[rows, columns] = block.gram
        spans = [rows, columns][: len(self.sizes)]
        if self.symmetric:
            self._gram[columns, rows] = block.gram.T
        for totals, values in ((self._sums, block.sums), (self._norms, block._norms)):
            for total, value, span in zip(totals, values, spans, strict=False):
                total[span] = value

    def mixed(self, weights: Sequence[float]) -> Self:
        """Return that of weighted sums of rows.

        Args:
            weights: One for each equal part of the rows of the one batch; the k-th rows of all parts are summed.
        """
        parts = len(weights)
        total = self.block(self.sizes[0] // parts)
        w = torch.tensor(weights, dtype=torch.float64, device=self.device)
        rows = self.gram.unflatten(0, (parts, -1)).unflatten(2, (parts, -1))
        total._gram = torch.einsum("a,aibj,b->ij", w, rows, w)
        total._sums = [w @ self.sums[0].unflatten(0, (parts, -1))]
        return total

    def merge(self, addend: Self) -> None:
        """Add what belongs to another output, as the trace over outputs does: its columns stand beside these."""
        self._gram += addend.gram
        self.columns += addend.columns
        for total, value in zip(self._sums + self._norms, addend.sums + addend._norms, strict=True):
            total += value


def _batched(block: Tensor) -> Tensor:
    """Return columns in float64 as products×rows×COLUMNS, each product contiguous."""
    products: Tensor = block.unflatten(1, (-1, COLUMNS)).transpose(0, 1)
    # Left alone, `to` keeps the strides of the transposition, and no product is contiguous.
    return products.to(torch.float64, memory_format=torch.contiguous_format)
