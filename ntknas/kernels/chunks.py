"""A kernel block by block, so that memory is that of two chunks of samples, or of rows, and not of the whole batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise

from ntknas.kernels.gram import GramParts

Block = Callable[[int, int], GramParts]


def assembled(counts: Sequence[int], block: Block) -> GramParts:
    """Compute a kernel from its blocks.

    Args:
        counts: Number of chunks of the one batch, or of the left and the right one.
        block: Computes block (a, b), of chunk a with chunk b; of one batch only those with a ≤ b are asked for, and
            those with a = b are of one chunk with itself.
    """
    symmetric = len(counts) == 1
    pairs = [(a, b) for a in range(counts[0]) for b in range(a if symmetric else 0, counts[-1])]
    blocks = {pair: block(*pair) for pair in pairs}
    last = blocks[pairs[-1]]
    sizes = [[blocks[a, counts[-1] - 1].sizes[0] for a in range(counts[0])]]
    if not symmetric:
        sizes.append([blocks[0, b].sizes[-1] for b in range(counts[-1])])
    whole = GramParts([sum(each) for each in sizes], last.columns, last.with_sums, last.gram.device)
    places = [_places(each) for each in sizes]
    for (a, b), part in blocks.items():
        whole.put(part, places[0][a], places[-1][b])
    return whole


def _places(sizes: Sequence[int]) -> list[slice]:
    ends = list(accumulate(sizes, initial=0))
    return [slice(start, end) for start, end in pairwise(ends)]
