"""Kernels of all pairs of samples, one block of pairs at a time, so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

from ntknas.kernels.analytic.infinite import InfiniteKernel
from ntknas.kernels.analytic.samples import Graphs, Sequences
from ntknas.kernels.memory import check_fits

MAX_BLOCK_BYTES = 2**28
_LIVE_ARRAYS = 8
"""Arrays of a block that are alive at a time, by experience."""

Indices = list[int]
S = TypeVar("S", Graphs, Sequences)


def compute_in_blocks(first: S, second: S | None, evaluate: Callable[[S, S], tuple[Tensor, Tensor]]) -> InfiniteKernel:
    """Compute NNGP and NTK block by block; samples of similar size share a block, since a block pads to its largest.

    Args:
        first: N samples.
        second: M samples to compare with; ``None`` for the first ones, where blocks above the diagonal suffice.
        evaluate: Computes NNGP and NTK between a block of the first batch and one of the second.

    Returns:
        Both kernels of all pairs.

    Raises:
        KernelError: If a pair of samples does not fit into memory.
    """
    batch2 = first if second is None else second
    rows, columns = (_group_by_size(batch.sizes) for batch in (first, batch2))
    shape = len(first), len(batch2)
    _check_memory(first.tokens * batch2.tokens, shape)
    nngp, ntk = (torch.zeros(shape, dtype=torch.float64) for _ in range(2))
    for start, row in enumerate(rows):
        for column in rows[start:] if second is None else columns:
            for kernel, block in zip((nngp, ntk), evaluate(first.take(row), batch2.take(column)), strict=True):
                kernel[torch.tensor(row)[:, None], torch.tensor(column)] = block.cpu()
                if second is None:
                    kernel[torch.tensor(column)[:, None], torch.tensor(row)] = block.cpu().T
    if second is None:
        nngp, ntk = (nngp + nngp.T) / 2, (ntk + ntk.T) / 2  # the triangles of a diagonal block round apart
    return InfiniteKernel(nngp, ntk)


def _group_by_size(sizes: list[int]) -> list[Indices]:
    """Group samples by ascending size, as many as a block of pairs of the largest of them allows."""
    groups: list[Indices] = [[]]
    for index in sorted(range(len(sizes)), key=sizes.__getitem__):
        tokens = (len(groups[-1]) + 1) * sizes[index]
        if groups[-1] and 8 * tokens**2 > MAX_BLOCK_BYTES / _LIVE_ARRAYS:
            groups.append([])
        groups[-1].append(index)
    return groups


def _check_memory(tokens: int, shape: tuple[int, int]) -> None:
    description = f"Covariances of one pair of samples with {tokens:,} pairs of tokens, and the kernels"
    check_fits(8 * (_LIVE_ARRAYS * tokens + 4 * shape[0] * shape[1]), description, "smaller or fewer samples")
