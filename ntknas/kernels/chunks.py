"""A kernel chunk by chunk: the rows of some chunks are held while the others pass by, so that memory is bounded."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, pairwise

import torch
from torch import Tensor

from ntknas.core.errors import KernelError
from ntknas.kernels import memory
from ntknas.kernels.gram import Factors, GramParts

_UNLIKE = "its chunks have rows of unlike columns, so that it treats images unlike: take one chunk, or the row loop"
Piece = Tensor | Factors
"""Rows of J restricted to some columns, or the factors of such rows."""
Receive = Callable[[Hashable, Piece], None]
Sweep = Callable[[int, int, Receive], None]
"""Passes one chunk, given by side and number, through the network and hands over its rows piece by piece, each under a
key for its columns that is the same for every chunk."""


class UnlikeChunksError(KernelError):
    """Chunks have rows of unlike columns: what the network does depends on the images."""


def assembled(sizes: Sequence[Sequence[int]], sweep: Sweep, whole: GramParts) -> GramParts:
    """Compute a kernel from the rows of its chunks.

    Chunks are held as memory allows (``memory.room``), at least one; then all others pass and meet them, and those that
    could not be held are held next. With room for all, every chunk passes once; with room for h of n, there are some
    n²/2h passes. How many are held does not change a bit of the result.

    Args:
        sizes: Number of rows of each chunk of the one batch, or of the left and the right one.
        sweep: Computes a chunk's rows.
        whole: The kernel's parts, still zero.

    Returns:
        The parts, filled.
    """
    work, start = _Assembly(sizes, sweep, whole), 0
    while start < len(sizes[0]):
        held = _Held(whole.device)
        while start < len(sizes[0]) and held.has_room:
            work.hold(held, start)
            start += 1
        for number in range(start if whole.symmetric else 0, len(sizes[-1])):
            work.pass_by(held, len(sizes) - 1, number)
    return whole


@dataclass
class _Held:
    """The pieces of the chunks that are held."""

    device: torch.device
    pieces: dict[int, dict[Hashable, Piece]] = field(default_factory=dict)
    taken: int = 0

    @property
    def has_room(self) -> bool:
        """Whether another chunk of the size of these fits."""
        return not self.pieces or self.taken * (len(self.pieces) + 1) <= self._room * len(self.pieces)

    @cached_property
    def _room(self) -> int:
        return memory.room(self.device)

    def piece(self, number: int, key: Hashable) -> Piece:
        """Return a piece of a chunk that is held."""
        if key not in self.pieces[number]:
            raise UnlikeChunksError(_UNLIKE)
        return self.pieces[number][key]

    def check_all(self, keys: Collection[Hashable]) -> None:
        """Check that a chunk handed over what the chunks that are held did."""
        if any(pieces.keys() != keys for pieces in self.pieces.values()):
            raise UnlikeChunksError(_UNLIKE)

    def keep(self, number: int, pieces: dict[Hashable, Piece]) -> None:
        """Hold a chunk."""
        self.check_all(pieces.keys())
        self.pieces[number] = pieces
        tensors = [t for piece in pieces.values() for t in ([piece] if isinstance(piece, Tensor) else piece)]
        self.taken += sum(tensor.numel() * tensor.element_size() for tensor in tensors)


class _Assembly:
    def __init__(self, sizes: Sequence[Sequence[int]], sweep: Sweep, whole: GramParts):
        self._sizes, self._sweep, self._whole = sizes, sweep, whole
        self._places = [_places(each) for each in sizes]

    def hold(self, held: _Held, number: int) -> None:
        """Pass a left chunk and hold it; of one batch, it meets itself and those already held."""
        pieces: dict[Hashable, Piece] = {}
        blocks = self._blocks(held, 0, number) if self._whole.symmetric else {}
        if self._whole.symmetric:
            blocks[number] = self._whole.block(self._sizes[0][number])

        def receive(key: Hashable, piece: Piece) -> None:
            pieces[key] = piece
            for other, block in blocks.items():
                _add(block, [piece] if other == number else [held.piece(other, key), piece])

        self._sweep(0, number, receive)
        held.keep(number, pieces)
        self._put(blocks, 0, number)

    def pass_by(self, held: _Held, side: int, number: int) -> None:
        """Pass a chunk that meets those held, and let it go."""
        blocks, keys = self._blocks(held, side, number), set()

        def receive(key: Hashable, piece: Piece) -> None:
            keys.add(key)
            for other, block in blocks.items():
                _add(block, [held.piece(other, key), piece])

        self._sweep(side, number, receive)
        held.check_all(keys)
        self._put(blocks, side, number)

    def _blocks(self, held: _Held, side: int, number: int) -> dict[int, GramParts]:
        return {other: self._whole.block(self._sizes[0][other], self._sizes[side][number]) for other in held.pieces}

    def _put(self, blocks: dict[int, GramParts], side: int, number: int) -> None:
        for other, block in blocks.items():
            self._whole.put(block, self._places[0][other], self._places[side][number])


def _add(block: GramParts, pieces: Sequence[Piece]) -> None:
    tensors = [piece for piece in pieces if isinstance(piece, Tensor)]
    factors = [piece for piece in pieces if not isinstance(piece, Tensor)]
    if tensors and factors:
        raise UnlikeChunksError(_UNLIKE)
    if tensors:
        block.add(*tensors)
    else:
        block.add_outer(*factors)


def _places(sizes: Sequence[int]) -> list[slice]:
    ends = list(accumulate(sizes, initial=0))
    return [slice(start, end) for start, end in pairwise(ends)]
