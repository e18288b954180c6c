"""The cells of a release: which network each is, and what its drawing counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from operator import index

import numpy as np
import pandas as pd

from ntknas.core.errors import ChoiceError
from ntknas.published import tables
from ntknas.spaces.structure import COUNTS

COLUMN = {"weights": "network", "all": "network_all", "cell": "cell"}
"""Column of the cells that says which share a score, by unit."""


@dataclass(frozen=True)
class Cells:
    """The cells that a release covers.

    Attributes:
        table: Columns of ``tables.CELLS``; cells in ascending order.
    """

    table: pd.DataFrame

    @classmethod
    def from_bytes(cls, content: bytes) -> Cells:
        """Read the table of cells.

        Args:
            content: The Parquet file.

        Returns:
            The cells.

        Raises:
            ValueError: If it is something else.
        """
        rows = tables.rows_of(tables.opened(content, tables.CELLS))
        table = pd.DataFrame({name: tables.numbers(rows, name) for name in rows.column_names})
        cells = table["cell"].to_numpy()
        if len(cells) and (cells[0] < 0 or (np.diff(cells) <= 0).any()):
            raise ValueError("its cells are not in ascending order, each once")
        return cls(table)

    def __len__(self) -> int:
        return len(self.table)

    @property
    def indices(self) -> np.ndarray:
        """Indices of all cells, in ascending order."""
        cells: np.ndarray = self.table["cell"].to_numpy()
        return cells

    @property
    def counts(self) -> pd.DataFrame:
        """Counts of all cells, by cell; see ``ntknas.spaces.structure.COUNTS``."""
        return self.table.set_index("cell")[list(COUNTS)]

    def networks(self, unit: str) -> np.ndarray:
        """Return what each cell shares its scores by."""
        networks: np.ndarray = self.table[COLUMN[unit]].to_numpy()
        return networks

    def positions(self, cells: Iterable[int] | None) -> np.ndarray:
        """Return where cells stand in the table.

        Args:
            cells: Indices of cells; all without any.

        Returns:
            Their positions, in ascending order, each once.

        Raises:
            ChoiceError: If a cell is not among those that the release covers.
        """
        if cells is None:
            return np.arange(len(self))
        try:
            wanted = np.unique(np.array([index(cell) for cell in cells], dtype=np.int64))
        except (TypeError, OverflowError) as error:
            raise ChoiceError(f"`cells` are indices of cells: {error}.") from error
        positions = np.searchsorted(self.indices, wanted)
        inside = positions < len(self)
        inside[inside] = self.indices[positions[inside]] == wanted[inside]
        if not inside.all():
            raise ChoiceError(f"The cell {wanted[~inside][0]} is outside: {self._described()}.")
        return positions

    def _described(self) -> str:
        if not len(self):
            return "the release has no cells"
        return f"the release has {len(self):,} cells from {self.indices[0]} to {self.indices[-1]}"
