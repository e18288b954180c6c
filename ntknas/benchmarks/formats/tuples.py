"""Columns of cells as NASLib writes them; see ``spaces.nb201.naslib``."""

from __future__ import annotations

from ntknas.benchmarks.columns import Columns
from ntknas.core.errors import DataError
from ntknas.core.quoting import quoted
from ntknas.spaces.nb201 import naslib

NET = "net"
"""The column of the cells."""


def check_tuples(table: Columns) -> None:
    """Check that every row names its cell so: a number there would be some index, of whatever order.

    Args:
        table: The table, with the column ``net``.

    Raises:
        DataError: If one does not.
    """
    for row, value in enumerate(table.values[NET]):
        if naslib.parse(str(value)) is None:
            raise DataError(
                f"{table.row_names[row]}, column {NET!r}: expected six numbers of operations from 0 to 4, such as "
                f"(4, 0, 3, 1, 4, 3), got {quoted(value)}"
            )
