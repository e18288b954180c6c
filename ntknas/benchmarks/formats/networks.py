"""Which cells of a space share a measurement: where isomorphic ones were measured once, under one of them."""

from __future__ import annotations

import numpy as np

from ntknas.benchmarks.formats.cell_table import check_shared
from ntknas.core.errors import DataError
from ntknas.spaces import Classified, Space


def classified(space: Space) -> Classified:
    """Return a space that knows which of its cells are isomorphic.

    Raises:
        DataError: If it does not.
    """
    if not isinstance(space, Classified):
        raise DataError(f"the space {space.name} does not say which cells are isomorphic")
    return space


def isomorphic(space: Space) -> np.ndarray:
    """Return by cell the first of its class of the published isomorphism rule."""
    known = classified(space)
    return np.array([known.isomorphism_representative(cell) for cell in space])


def shared_where_equal(values: np.ndarray, measurements: np.ndarray) -> np.ndarray | None:
    """Return the measurements that cells share, if all cells of one have one value; ``None`` if each has its own."""
    try:
        check_shared(values, measurements, "")
    except DataError:
        return None
    return measurements
