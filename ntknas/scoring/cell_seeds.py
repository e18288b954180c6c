"""Seeds of the weights of cells: one for all cells, or one for each network."""

from __future__ import annotations

import hashlib

from ntknas.spaces import Space


def independent_seed(space: Space, cell: int, seed: int, variant: str = "official") -> int:
    """Return a network's own seed.

    Operations start by (seed, name), so that with one seed for all cells every network has the same stem, reductions
    and head: an average over cells does not average the initialisation out. Cells that are one network at
    initialisation keep one seed, whatever is measured, so that equal networks have equal scores and a network is the
    same before and after training.

    Args:
        space: The space.
        cell: Index of the cell.
        seed: The seed that was asked for.
        variant: Network definition.

    Returns:
        A number below 2³², which every generator takes.

    Example:
        >>> from ntknas import load_space
        >>> space = load_space("nb101")
        >>> [independent_seed(space, cell, 0) for cell in (0, 1)]
        [3940750165, 4269095081]
    """
    network = int(space.representative(space[cell], "weights", "none", variant=variant))
    # Scores of independent seeds are stored under what these bytes give: nothing of it may change.
    return int.from_bytes(hashlib.sha256(f"{seed}/{network}".encode()).digest()[:4], "little")
