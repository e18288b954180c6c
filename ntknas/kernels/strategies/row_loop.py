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
from ntknas.kernels.chunks import Receive, assembled
from ntknas.kernels.gradients import columns
from ntknas.kernels.gram import GramParts

NAME = "row-loop"


def gram(
    model: nn.Module,
    parameters: Sequence[nn.Parameter],
    batches: Sequence[Tensor],
    labels: Sequence[Tensor | None],
    reduction: str,
    with_sums: bool,
    chunk: int | None = None,
    rows_at_once: int = 1,
) -> tuple[GramParts, int]:
    """Compute the Gram matrix of one batch with itself, or of two batches.

    Args:
        model: The network, already under its batch-norm policy.
        parameters: What the Jacobian is taken by.
        batches: One batch or two.
        labels: Their labels, or ``None`` each.
        reduction: Output reduction.
        with_sums: Whether the row sums are wanted.
        chunk: How many rows to compute at a time, several chunks being held as memory allows; ``None`` for all.
        rows_at_once: How many rows a backward pass computes, vectorised over their cotangents.

    Returns:
        The parts of the kernel, and the number of outputs C.
    """
    forwards = [outputs.of(model, x) for x in batches]
    passes = [_rows_of_passes(f, y, reduction) for f, y in zip(forwards, labels, strict=True)]
    total: GramParts | None = None
    for rows in zip(*passes, strict=True):
        chunks = [each.split(chunk or len(each)) for each in rows]

        def sweep(side: int, number: int, receive: Receive, chunks: list[list[Rows]] = chunks) -> None:
            receive(0, jacobian_rows(forwards[side], chunks[side][number], parameters, rows_at_once))

        parts = GramParts([len(each) for each in rows], columns(parameters), with_sums, forwards[0].device)
        assembled([[len(some) for some in each] for each in chunks], sweep, parts)
        if total is None:
            total = parts
        else:
            total.merge(parts)
    assert total is not None
    return total, forwards[0].shape[1]


def sweep(
    model: nn.Module,
    parameters: Sequence[nn.Parameter],
    x: Tensor,
    labels: Tensor | None,
    reduction: str,
    receive: Receive,
    rows_at_once: int = 1,
) -> tuple[int, int]:
    """Pass a chunk of a network that does not couple samples, and hand over its rows, pass by pass.

    Args:
        model: The network, already under its batch-norm policy.
        parameters: What the Jacobian is taken by.
        x: The chunk.
        labels: Its labels.
        reduction: Output reduction.
        receive: Takes the pass and its rows.
        rows_at_once: How many rows a backward pass computes.

    Returns:
        Number of outputs C, and of passes.
    """
    forward = outputs.of(model, x)
    passes = 0
    for rows in _rows_of_passes(forward, labels, reduction):
        receive(passes, jacobian_rows(forward, rows, parameters, rows_at_once))
        passes += 1
    return forward.shape[1], passes


@dataclass(frozen=True)
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
        """Return these rows in parts of some size."""
        starts = range(0, len(self), size)
        return [replace(self, numbers=self.numbers[start : start + size]) for start in starts]

    def cotangents(self) -> Tensor:
        """Return one N×C tensor for each row, zero but for the row's own sample or entry."""
        made = self.cotangent.new_zeros(len(self), *self.cotangent.shape)
        mine = slice(self.numbers.start, self.numbers.stop)
        if self.full:
            made.view(len(self), -1)[:, mine].fill_diagonal_(1.0)
        else:
            made[:, mine] = torch.diag_embed(self.cotangent[mine].T).permute(1, 2, 0)
        return made


def _rows_of_passes(forward: Tensor, labels: Tensor | None, reduction: str) -> Iterator[Rows]:
    """Yield the rows of every pass; those of ``full`` are one pass."""
    if reduction == "full":
        yield Rows(forward.detach(), range(forward.numel()), full=True)
        return
    for cotangent in outputs.passes(reduction, forward, labels):
        yield Rows(cotangent, range(len(forward)))


def jacobian_rows(output: Tensor, wanted: Rows, parameters: Sequence[nn.Parameter], rows_at_once: int = 1) -> Tensor:
    """Return rows of J; a parameter that the output does not depend on gives zeros.

    Args:
        output: The network's output, N×C, with its graph.
        wanted: Which rows.
        parameters: What the Jacobian is taken by.
        rows_at_once: 1 for one backward pass a row; more for passes that are vectorised over so many rows, in as many
            times the memory.
    """
    outputs.check_precision(output, parameters)
    rows = output.new_zeros(len(wanted), columns(parameters), dtype=gradients.real(parameters[0]).dtype)
    if not output.requires_grad:
        return rows
    for some, given in zip(rows.split(rows_at_once), wanted.split(rows_at_once), strict=True):
        cotangents = given.cotangents()
        of_parameters = torch.autograd.grad(
            output,
            parameters,
            cotangents if rows_at_once > 1 else cotangents[0],
            retain_graph=True,
            allow_unused=True,
            is_grads_batched=rows_at_once > 1,
        )
        start = 0
        for parameter, gradient in zip(parameters, of_parameters, strict=True):
            end = start + gradients.width(parameter)
            if gradient is not None:
                some[:, start:end] = gradients.real(gradient).reshape(len(some), -1)
            start = end
    return rows
