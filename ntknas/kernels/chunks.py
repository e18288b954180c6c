"""A kernel chunk by chunk: the rows of some chunks are held while the others pass by, so that memory is bounded."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, pairwise

import torch
from torch import Tensor

from ntknas.kernels import memory
from ntknas.kernels.gram import UNLIKE, Columns, GramAccumulator, Piece, UnlikeChunksError

Receive = Callable[[Columns, Piece], None]
Sweep = Callable[[int, int, Receive], None]
"""Passes one chunk, given by side and number, through the network and hands over its rows piece by piece."""


def assembled(sizes: Sequence[Sequence[int]], sweep: Sweep, accumulator: GramAccumulator) -> GramAccumulator:
    """Compute a kernel from the rows of its chunks.

    Chunks are held as memory allows (``memory.room``), at least one; then all others pass and meet them, and those that
    could not be held are held next. With room for all, every chunk passes once; with room for h of n, there are some
    n²/2h passes. How many are held does not change a bit of the result.

    Args:
        sizes: Number of rows of each chunk of the one batch, or of the left and the right one.
        sweep: Computes a chunk's rows.
        accumulator: What to add the kernel to, still zero.

    Returns:
        The accumulator, filled.
    """
    work, start = _Assembly(sizes, sweep, accumulator), 0
    while start < len(sizes[0]):
        held = _Held(accumulator.device)
        while start < len(sizes[0]) and held.has_room:
            work.hold(held, start)
            start += 1
        for number in range(start if accumulator.symmetric else 0, len(sizes[-1])):
            work.pass_by(held, len(sizes) - 1, number)
    return accumulator


@dataclass
class _Held:
    """The pieces of the chunks that are held, and their size in bytes."""

    device: torch.device
    pieces: dict[int, dict[Columns, Piece]] = field(default_factory=dict)
    size: int = 0

    @property
    def has_room(self) -> bool:
        """Whether another chunk of the size of these fits."""
        return not self.pieces or self.size * (len(self.pieces) + 1) <= self._room * len(self.pieces)

    @cached_property
    def _room(self) -> int:
        return memory.room(self.device)  # asked once: later, what is held would count twice

    def piece(self, number: int, key: Columns) -> Piece:
        """Return a piece of a chunk that is held."""
        if key not in self.pieces[number]:
            raise UnlikeChunksError(UNLIKE)
        return self.pieces[number][key]

    def check_all(self, keys: Collection[Columns]) -> None:
        """Check that a chunk handed over what the chunks that are held did."""
        if any(pieces.keys() != keys for pieces in self.pieces.values()):
            raise UnlikeChunksError(UNLIKE)

    def keep(self, number: int, pieces: dict[Columns, Piece]) -> None:
        """Hold a chunk."""
        self.check_all(pieces.keys())
        self.pieces[number] = pieces
        tensors = [t for piece in pieces.values() for t in ([piece] if isinstance(piece, Tensor) else piece)]
        self.size += sum(tensor.numel() * tensor.element_size() for tensor in tensors)


class _Assembly:
    def __init__(self, sizes: Sequence[Sequence[int]], sweep: Sweep, accumulator: GramAccumulator):
        self._sizes, self._sweep, self._accumulator = sizes, sweep, accumulator
        self._spans = [_spans(side) for side in sizes]

    def hold(self, held: _Held, number: int) -> None:
        """Pass a left chunk and hold it; of one batch, it meets itself and those already held."""
        pieces: dict[Columns, Piece] = {}
        blocks = self._blocks(held, 0, number) if self._accumulator.symmetric else {}
        if self._accumulator.symmetric:
            blocks[number] = self._accumulator.block(self._sizes[0][number])

        def receive(key: Columns, piece: Piece) -> None:
            pieces[key] = piece
            for partner, block in blocks.items():
                block.take(key, *([piece] if partner == number else [held.piece(partner, key), piece]))

        self._sweep(0, number, receive)
        held.keep(number, pieces)
        self._put(blocks, 0, number)

    def pass_by(self, held: _Held, side: int, number: int) -> None:
        """Pass a chunk that meets those held, and let it go."""
        blocks = self._blocks(held, side, number)
        keys: set[Columns] = set()

        def receive(key: Columns, piece: Piece) -> None:
            keys.add(key)
            for partner, block in blocks.items():
                block.take(key, held.piece(partner, key), piece)

        self._sweep(side, number, receive)
        held.check_all(keys)
        self._put(blocks, side, number)

    def _blocks(self, held: _Held, side: int, number: int) -> dict[int, GramAccumulator]:
        columns = self._sizes[side][number]
        return {partner: self._accumulator.block(self._sizes[0][partner], columns) for partner in held.pieces}

    def _put(self, blocks: dict[int, GramAccumulator], side: int, number: int) -> None:
        for partner, block in blocks.items():
            self._accumulator.put(block, self._spans[0][partner], self._spans[side][number])


def _spans(sizes: Sequence[int]) -> list[slice]:
    bounds = accumulate(sizes, initial=0)
    return [slice(start, stop) for start, stop in pairwise(bounds)]
