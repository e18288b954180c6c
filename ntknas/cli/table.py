"""Tables of text whose numbers and names are never split."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

_GAP = 2
_MAX_WIDTH = 200
"""Width of a table that goes to a file."""


def terminal_width() -> int | None:
    """Return the columns of the terminal, or what COLUMNS says; ``None`` where nobody watches."""
    if os.environ.get("COLUMNS", "").isdigit() or sys.stdout.isatty():
        return shutil.get_terminal_size().columns
    return None


@dataclass(frozen=True)
class Table:
    """Cells under names; the first ``left`` columns are text, which wraps between words, the others numbers."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: int = 1

    def fitting(self, width: int, least: Sequence[str] = ()) -> tuple[Table, list[str]]:
        """Return the table with as many columns as there is room for, and the names of the others.

        Args:
            width: Room.
            least: Columns to leave out first; after them those on the right. The first column stays.

        Returns:
            The table, and the names.
        """
        columns = list(range(len(self.header)))
        order = [column for name in least for column in columns if self.header[column] == name]
        order += [column for column in reversed(columns) if column not in order]
        for column in order:
            if self._with(columns).narrowest <= width:
                break
            if column:
                columns.remove(column)
        return self._with(columns), [name for column, name in enumerate(self.header) if column not in columns]

    def _with(self, columns: Sequence[int]) -> Table:
        rows = [[row[column] for column in columns] for row in self.rows]
        return Table([self.header[column] for column in columns], rows, sum(column < self.left for column in columns))

    @property
    def narrowest(self) -> int:
        """The width below which a number or a word would be split."""
        return sum(self._min_width(column) for column in range(len(self.header))) + _GAP * (len(self.header) - 1)

    def _cells(self, column: int) -> list[str]:
        return [row[column] for row in self.rows]

    def _min_width(self, column: int) -> int:
        words = [word for text in (self.header[column], *self._cells(column)) for word in text.split()]
        numbers = [] if column < self.left else self._cells(column)
        return max(map(cell_len, (*words, *numbers)), default=0)

    def _widths(self, width: int) -> list[int]:
        """Share the room: every column what it needs, and what is left to those that could use it, from the left."""
        widths = [self._min_width(column) for column in range(len(self.header))]
        room = width - sum(widths) - _GAP * (len(widths) - 1)
        for column, min_width in enumerate(widths):
            natural = max(map(cell_len, (self.header[column], *self._cells(column))))
            more = max(0, min(natural - min_width, room))
            widths[column] += more
            room -= more
        return widths

    def render(self, width: int | None = None) -> str:
        """Return the table as text.

        Args:
            width: Room; wide without one.

        Returns:
            Its lines.
        """
        width = max(width or _MAX_WIDTH, self.narrowest)
        table = RichTable(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
        for column, (name, room) in enumerate(zip(self.header, self._widths(width), strict=True)):
            table.add_column(Text(name), justify="left" if column < self.left else "right", width=room)
        for row in self.rows:
            # As Text: rich would take "[…]" in a string for markup.
            table.add_row(*(Text(cell) for cell in row))
        stream = StringIO()
        console = Console(file=stream, width=width + _GAP, highlight=False, force_terminal=sys.stdout.isatty())
        console.print(table)
        return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())
