"""The oracle: one backward pass of the whole batch for each row of the Jacobian.

Right for every network that autograd can differentiate, coupled or not, and slow: N passes where one would do for a
decoupled network. Every other strategy is tested against it. Several rows at once are fewer and larger operations:
faster where launching them takes longer than computing them (``ntknas.scoring.trial`` finds out).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ntknas.kernels import outputs
from ntknas.kernels.chunks import Receive, assembled
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
    forwards = [outputs.as_matrix(model(x), len(x)) for x in batches]
    passes = [_rows_of_passes(f, y, reduction) for f, y in zip(forwards, labels, strict=True)]
    columns = sum(parameter.numel() for parameter in parameters)
    total: GramParts | None = None
    for cotangents in zip(*passes, strict=True):
        chunks = [each.split(chunk or len(each)) for each in cotangents]

        def sweep(side: int, number: int, receive: Receive, chunks: list[tuple[Tensor, ...]] = chunks) -> None:
            receive(0, jacobian_rows(forwards[side], chunks[side][number], parameters, rows_at_once))

        parts = GramParts([len(each) for each in cotangents], columns, with_sums, forwards[0].device)
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
    forward = outputs.as_matrix(model(x), len(x))
    cotangents = _rows_of_passes(forward, labels, reduction)
    for number, rows in enumerate(cotangents):
        receive(number, jacobian_rows(forward, rows, parameters, rows_at_once))
    return forward.shape[1], len(cotangents)


def _rows_of_passes(forward: Tensor, labels: Tensor | None, reduction: str) -> list[Tensor]:
    """Return for each pass the cotangents of its rows; the rows of ``full`` are one pass."""
    cotangents = outputs.passes(reduction, forward, labels)
    return _interleave(cotangents) if reduction == "full" else _one_by_one(cotangents)


def _one_by_one(cotangents: list[Tensor]) -> list[Tensor]:
    """Rows of a pass: row i is the cotangent of sample i alone, shape N×N×C, sparse in the first two."""
    return [torch.diag_embed(c.T).permute(1, 2, 0) for c in cotangents]


def _interleave(cotangents: list[Tensor]) -> list[Tensor]:
    """Rows of the full kernel, (i, c) at i·C + c, as one pass."""
    stacked = torch.stack(_one_by_one(cotangents), dim=1)
    return [stacked.reshape(-1, *stacked.shape[2:])]


def jacobian_rows(
    output: Tensor, cotangents: Tensor, parameters: Sequence[nn.Parameter], rows_at_once: int = 1
) -> Tensor:
    """Return the rows of J; a parameter that the output does not depend on gives zeros.

    Args:
        output: The network's output, N×C, with its graph.
        cotangents: One N×C tensor for each row.
        parameters: What the Jacobian is taken by.
        rows_at_once: 1 for one backward pass a row; more for passes that are vectorised over so many rows, in as many
            times the memory.
    """
    rows = output.new_zeros(len(cotangents), sum(p.numel() for p in parameters))
    if not output.requires_grad:
        return rows
    for some, given in zip(rows.split(rows_at_once), cotangents.split(rows_at_once), strict=True):
        gradients = torch.autograd.grad(
            output,
            parameters,
            given if rows_at_once > 1 else given[0],
            retain_graph=True,
            allow_unused=True,
            is_grads_batched=rows_at_once > 1,
        )
        start = 0
        for parameter, gradient in zip(parameters, gradients, strict=True):
            if gradient is not None:
                some[:, start : start + parameter.numel()] = gradient.reshape(len(some), -1)
            start += parameter.numel()
    return rows
