"""The oracle: one backward pass of the whole batch for each row of the Jacobian.

Right for every network that autograd can differentiate, coupled or not, and slow: N passes where one would do for a
decoupled network. Every other strategy is tested against it. Several rows at once are fewer and larger operations:
faster where launching them takes longer than computing them (``ntknas.scoring.trial`` finds out).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ntknas.kernels import gradients, outputs
from ntknas.kernels.batch import Batch
from ntknas.kernels.chunks import Receive, assembled
from ntknas.kernels.gram import Columns, GramAccumulator
from ntknas.kernels.network import NetworkUnderPolicy


def gram(
    network: NetworkUnderPolicy,
    sides: Sequence[Batch],
    chunk: int | None = None,
    rows_at_once: int = 1,
    accumulate: type[GramAccumulator] = GramAccumulator,
) -> tuple[GramAccumulator, int]:
    """Compute the Gram matrix of one batch with itself, or of two batches.

    Args:
        network: The network.
        sides: One batch or two.
        chunk: Rows per chunk, several chunks being held as memory allows; ``None`` for all.
        rows_at_once: Rows per backward pass, vectorised over their cotangents.
        accumulate: What adds it up.

    Returns:
        The Gram matrix, and the number of outputs C.
    """
    parts = [[(network.output(part.x), part.labels) for part in side.split(None)] for side in sides]
    passes = [zip(*(rows_of_passes(network, *part) for part in side), strict=True) for side in parts]
    total: GramAccumulator | None = None
    for rows in zip(*passes, strict=True):
        chunks = [_chunks(side, part_rows, chunk) for side, part_rows in zip(parts, rows, strict=True)]

        def sweep(side: int, number: int, receive: Receive, chunks: list[list[_Chunk]] = chunks) -> None:
            rows = jacobian_rows(*chunks[side][number], network.leaves, rows_at_once)
            hand_over(network, 0, rows, receive, by_layer=accumulate.by_layer)

        sizes = [sum(map(len, part_rows)) for part_rows in rows]
        accumulator = accumulate(sizes, network.columns, network.with_sums, sides[0].x.device)
        assembled([[len(piece) for _, piece in side] for side in chunks], sweep, accumulator)
        if total is None:
            total = accumulator
        else:
            total.merge(accumulator)
    assert total is not None
    return total, parts[0][0][0].shape[1]


def sweep(
    network: NetworkUnderPolicy, rows_at_once: int, by_layer: bool, batch: Batch, copies: int, receive: Receive
) -> tuple[int, int]:
    """Pass a chunk of a network that does not couple samples, and hand over its rows, pass by pass.

    Args:
        network: The network.
        rows_at_once: Rows per backward pass.
        by_layer: Whether to hand rows over layer by layer.
        batch: The chunk.
        copies: Rows per sample, which the passes know themselves.
        receive: Takes columns and the rows restricted to them.

    Returns:
        Number of outputs C, and of passes.
    """
    forward = network.output(batch.x)
    passes = 0
    for rows in rows_of_passes(network, forward, batch.labels):
        piece = jacobian_rows(forward, rows, network.leaves, rows_at_once)
        hand_over(network, passes, piece, receive, by_layer=by_layer)
        passes += 1
    return forward.shape[1], passes


def hand_over(network: NetworkUnderPolicy, backward: int, rows: Tensor, receive: Receive, *, by_layer: bool) -> None:
    """Hand over rows of J as a whole, or parameter by parameter.

    Args:
        network: The network.
        backward: Number of the pass.
        rows: The rows, side by side for all parameters.
        receive: Takes columns and the rows restricted to them.
        by_layer: Whether to tell layers apart.
    """
    if not by_layer:
        receive(Columns(backward), rows)
        return
    pieces = rows.split([gradients.width(leaf) for leaf in network.leaves], dim=1)
    for (module, index), piece in zip(network.places, pieces, strict=True):
        receive(Columns(backward, module, index), piece)


@dataclass(frozen=True, eq=False)
class Rows:
    """Some rows of one pass: their cotangents are made when asked for, N×C numbers each.

    Attributes:
        cotangent: The pass's cotangent over all samples, N×C; for ``full`` any tensor of this shape.
        numbers: Which rows: numbers of samples, or for ``full`` i·C + c.
        full: Whether every entry of the output is a row.
    """

    cotangent: Tensor
    numbers: range
    full: bool = False

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.numbers)

    def split(self, size: int) -> list[Rows]:
        """Return these rows in chunks of some size."""
        starts = range(0, len(self), size)
        return [replace(self, numbers=self.numbers[start : start + size]) for start in starts]

    def cotangents(self) -> Tensor:
        """Return one N×C tensor for each row, zero but for the row's own sample or entry."""
        cotangents = self.cotangent.new_zeros(len(self), *self.cotangent.shape)
        entries = slice(self.numbers.start, self.numbers.stop)
        if self.full:
            cotangents.view(len(self), -1)[:, entries].fill_diagonal_(1.0)
        else:
            cotangents[:, entries] = torch.diag_embed(self.cotangent[entries].T).permute(1, 2, 0)
        return cotangents


_Chunk = tuple[Tensor, Rows]
"""The output of a part, with its graph, and some of its rows."""


def _chunks(parts: Sequence[tuple[Tensor, Tensor | None]], rows: Sequence[Rows], size: int | None) -> list[_Chunk]:
    """Return the rows of a batch chunk by chunk, those of one part together."""
    return [
        (output, piece)
        for (output, _), of_part in zip(parts, rows, strict=True)
        for piece in of_part.split(size or len(of_part))
    ]


def rows_of_passes(network: NetworkUnderPolicy, forward: Tensor, labels: Tensor | None) -> Iterator[Rows]:
    """Yield the rows of every pass; those of ``full`` are one pass.

    Args:
        network: The network.
        forward: Its output, N×C, with its graph.
        labels: Class of each sample, for ``label``.

    Yields:
        The rows.
    """
    if network.choices.output == "full":
        yield Rows(forward.detach(), range(forward.numel()), full=True)
        return
    for cotangent in network.passes(forward, labels):
        yield Rows(cotangent, range(len(forward)))


def jacobian_rows(output: Tensor, rows: Rows, parameters: Sequence[nn.Parameter], rows_at_once: int = 1) -> Tensor:
    """Compute rows of J; a parameter that the output does not depend on gives zeros.

    Args:
        output: The network's output, N×C, with its graph.
        rows: Which rows.
        parameters: What the Jacobian is taken by.
        rows_at_once: 1 for one backward pass per row; more for passes that are vectorised over so many rows, in as many
            times the memory.

    Returns:
        The rows, side by side for all parameters.
    """
    outputs.check_precision(output, parameters)
    precision = gradients.real(parameters[0]).dtype
    values = output.new_zeros(len(rows), gradients.columns(parameters), dtype=precision)
    if not output.requires_grad:
        return values
    for target, piece in zip(values.split(rows_at_once), rows.split(rows_at_once), strict=True):
        # One row at a time goes without vmap, which lacks rules for some operations.
        cotangents, batched = piece.cotangents(), rows_at_once > 1
        by_parameter = gradients.vjp(output, parameters, cotangents if batched else cotangents[0], batched=batched)
        start = 0
        for parameter, gradient in zip(parameters, by_parameter, strict=True):
            stop = start + gradients.width(parameter)
            if gradient is not None:
                target[:, start:stop] = gradients.real(gradient).reshape(len(target), -1)
            start = stop
    return values
