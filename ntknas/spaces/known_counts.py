"""Counts of a space's cells that were taken before, as a table of scores carries them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_KEY = "counts"


class KnownCounts:
    """Counts of the official networks of a space for CIFAR-10, in the ``attrs`` of a table of scores.

    Pandas compares ``attrs`` of tables that it joins, and copies them deeply: this is equal to itself alone, and is
    never copied.

    Args:
        space: Name of the space.
        table: Some of ``spaces.structure.COUNTS`` as columns, by cell.
    """

    def __init__(self, space: str, table: pd.DataFrame):
        self.space, self._table = space, table

    def __deepcopy__(self, memo: Mapping[int, object]) -> KnownCounts:
        return self

    @classmethod
    def carried_by(cls, scores: object) -> KnownCounts | None:
        """Return what a table of scores carries, if it does; ``attrs`` are the user's too, and may hold anything."""
        found = getattr(scores, "attrs", {}).get(_KEY)
        return found if isinstance(found, cls) else None

    def go_with(self, scores: pd.DataFrame) -> None:
        """Let a table of scores carry these."""
        scores.attrs[_KEY] = self

    def of(self, name: str) -> dict[int, float]:
        """Return a count by cell, a dictionary of the caller's own; empty if it was not taken."""
        if name not in self._table:
            return {}
        return dict(zip(self._table.index.tolist(), self._table[name].tolist(), strict=True))
