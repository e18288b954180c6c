"""Kernels of all pairs of samples, some pairs at a time, so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

from ntknas.kernels.analytic.infinite import InfiniteKernel
from ntknas.kernels.analytic.samples import Graphs, Sequences
from ntknas.kernels.memory import check_fits

BLOCK_BYTES = 2**28
_HELD = 8
"""Arrays of a block that are held at a time, by experience."""

Places = list[int]
S = TypeVar("S", Graphs, Sequences)


def in_blocks(first: S, second: S | None, pairs: Callable[[S, S], tuple[Tensor, Tensor]]) -> InfiniteKernel:
    """Compute NNGP and NTK block by block; samples of like size come into one block.

    Args:
        first: N samples.
        second: M other samples; without them the first ones, and blocks above the diagonal are enough.
        pairs: Computes NNGP and NTK between some samples of the one and some of the other batch.

    Returns:
        Both kernels, whole.

    Raises:
        KernelError: If a pair of samples does not fit into memory.
    """
    other = first if second is None else second
    rows, columns = (_grouped(samples.sizes) for samples in (first, other))
    shape = len(first), len(other)
    _check_memory(first.tokens * other.tokens, shape)
    nngp, ntk = (torch.zeros(shape, dtype=torch.float64) for _ in range(2))
    for number, a in enumerate(rows):
        for b in rows[number:] if second is None else columns:
            for kernel, block in zip((nngp, ntk), pairs(first.take(a), other.take(b)), strict=True):
                kernel[torch.tensor(a)[:, None], torch.tensor(b)] = block.cpu()
                if second is None:
                    kernel[torch.tensor(b)[:, None], torch.tensor(a)] = block.cpu().T
    if second is None:
        nngp, ntk = (nngp + nngp.T) / 2, (ntk + ntk.T) / 2
    return InfiniteKernel(nngp, ntk)


def _grouped(sizes: Places) -> list[Places]:
    """Places by ascending size, as many together as a block of pairs of the largest of them allows."""
    order = sorted(range(len(sizes)), key=lambda index: sizes[index])
    groups: list[Places] = [[]]
    for index in order:
        tokens = (len(groups[-1]) + 1) * sizes[index]
        if groups[-1] and 8 * tokens**2 > BLOCK_BYTES / _HELD:
            groups.append([])
        groups[-1].append(index)
    return groups


def _check_memory(tokens: int, shape: tuple[int, int]) -> None:
    what = f"Covariances of one pair of samples with {tokens:,} pairs of tokens, and the kernels"
    check_fits(8 * (_HELD * tokens + 4 * shape[0] * shape[1]), what, "smaller or fewer samples")
