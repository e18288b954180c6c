"""Kernels of all pairs of samples, some pairs at a time, so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ntknas.core.errors import KernelError
from ntknas.kernels.analytic.infinite import InfiniteKernel
from ntknas.kernels.memory import check_fits

BLOCK_BYTES = 2**28
_HELD = 8
"""Arrays of a block that are held at a time, by experience."""

Places = list[int]


def in_blocks(
    sizes: Places, sizes2: Places | None, pairs: Callable[[Places, Places], tuple[Tensor, Tensor]]
) -> InfiniteKernel:
    """Compute NNGP and NTK block by block; samples of like size come into one block.

    Args:
        sizes: Tokens of each sample of the first batch.
        sizes2: Of each sample of the second batch; without it that is the first, and blocks above the diagonal are
            enough.
        pairs: Computes NNGP and NTK between samples of the first and samples of the second batch.

    Raises:
        KernelError: If a pair of samples does not fit into memory.
    """
    rows, columns = _grouped(sizes), None if sizes2 is None else _grouped(sizes2)
    shape = len(sizes), len(sizes if sizes2 is None else sizes2)
    _check_memory(max(sizes) * max(sizes2 or sizes), shape)
    nngp, ntk = (torch.zeros(shape, dtype=torch.float64) for _ in range(2))
    for number, first in enumerate(rows):
        for second in rows[number:] if columns is None else columns:
            for whole, block in zip((nngp, ntk), pairs(first, second), strict=True):
                whole[torch.tensor(first)[:, None], torch.tensor(second)] = block.cpu()
                if columns is None:
                    whole[torch.tensor(second)[:, None], torch.tensor(first)] = block.cpu().T
    if columns is None:
        nngp, ntk = (nngp + nngp.T) / 2, (ntk + ntk.T) / 2
    return InfiniteKernel(nngp, ntk)


def _grouped(sizes: Places) -> list[Places]:
    """Places by ascending size, as many together as a block of pairs of the largest of them allows."""
    order = sorted(range(len(sizes)), key=lambda place: sizes[place])
    groups: list[Places] = [[]]
    for place in order:
        tokens = (len(groups[-1]) + 1) * sizes[place]
        if groups[-1] and 8 * tokens**2 > BLOCK_BYTES / _HELD:
            groups.append([])
        groups[-1].append(place)
    return groups


def _check_memory(tokens: int, shape: tuple[int, int]) -> None:
    if not min(shape):
        raise KernelError("A kernel needs at least one sample in each batch.")
    what = f"Covariances of one pair of samples with {tokens:,} pairs of tokens, and the kernels"
    check_fits(8 * (_HELD * tokens + 4 * shape[0] * shape[1]), what, "smaller or fewer samples")
