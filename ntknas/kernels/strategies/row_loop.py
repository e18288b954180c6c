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
from ntknas.kernels.chunks import assembled
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
        chunk: How many rows of a side to hold at a time, rows being computed again for every chunk that they meet;
            ``None`` for all.
        rows_at_once: How many rows a backward pass computes, vectorised over their cotangents.

    Returns:
        The parts of the kernel, and the number of outputs C.
    """
    forwards = [outputs.as_matrix(model(x), len(x)) for x in batches]
    cotangents = [outputs.passes(reduction, f, y) for f, y in zip(forwards, labels, strict=True)]
    merge = _interleave if reduction == "full" else _one_by_one
    total: GramParts | None = None
    for one_pass in zip(*(merge(c) for c in cotangents), strict=True):
        parts = _gram_of_pass(forwards, one_pass, parameters, with_sums, chunk, rows_at_once)
        if total is None:
            total = parts
        else:
            total.merge(parts)
    assert total is not None
    return total, forwards[0].shape[1]


def _gram_of_pass(
    forwards: list[Tensor],
    cotangents: Sequence[Tensor],
    parameters: Sequence[nn.Parameter],
    with_sums: bool,
    chunk: int | None,
    rows_at_once: int,
) -> GramParts:
    chunks = [list(c.split(chunk or len(c))) for c in cotangents]

    def block(a: int, b: int) -> GramParts:
        rows = [jacobian_rows(forwards[0], chunks[0][a], parameters, rows_at_once)]
        if len(chunks) > 1 or a != b:
            rows.append(jacobian_rows(forwards[-1], chunks[-1][b], parameters, rows_at_once))
        return _gram_of_rows(rows, with_sums)

    return assembled([len(each) for each in chunks], block)


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


def _gram_of_rows(sides: list[Tensor], with_sums: bool) -> GramParts:
    parts = GramParts([len(rows) for rows in sides], sides[0].shape[1], with_sums, sides[0].device)
    parts.add(sides[0] if len(sides) == 1 else torch.cat(sides))
    return parts
