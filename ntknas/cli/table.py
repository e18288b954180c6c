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
_WIDEST = 200
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
        """
        kept = list(range(len(self.header)))
        order = [place for name in least for place in kept if self.header[place] == name]
        order += [place for place in reversed(kept) if place not in order]
        for place in order:
            if self._part(kept).narrowest <= width:
                break
            if place:
                kept.remove(place)
        return self._part(kept), [name for place, name in enumerate(self.header) if place not in kept]

    def _part(self, kept: Sequence[int]) -> Table:
        rows = [[row[place] for place in kept] for row in self.rows]
        return Table([self.header[place] for place in kept], rows, sum(place < self.left for place in kept))

    @property
    def narrowest(self) -> int:
        """The width below which a number or a word would be split."""
        return sum(self._narrow(place) for place in range(len(self.header))) + _GAP * (len(self.header) - 1)

    def _cells(self, place: int) -> list[str]:
        return [row[place] for row in self.rows]

    def _narrow(self, place: int) -> int:
        words = [word for text in (self.header[place], *self._cells(place)) for word in text.split()]
        whole = [] if place < self.left else self._cells(place)
        return max(map(cell_len, (*words, *whole)), default=0)

    def _widths(self, width: int) -> list[int]:
        """Share the room: every column what it needs, and what is left to those that could use it, from the left."""
        widths = [self._narrow(place) for place in range(len(self.header))]
        room = width - sum(widths) - _GAP * (len(widths) - 1)
        for place, narrow in enumerate(widths):
            natural = max(map(cell_len, (self.header[place], *self._cells(place))))
            more = max(0, min(natural - narrow, room))
            widths[place] += more
            room -= more
        return widths

    def render(self, width: int | None = None) -> str:
        """Return the table as text.

        Args:
            width: Room; wide without one.
        """
        width = max(width or _WIDEST, self.narrowest)
        table = RichTable(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
        for place, (name, room) in enumerate(zip(self.header, self._widths(width), strict=True)):
            table.add_column(Text(name), justify="left" if place < self.left else "right", width=room)
        for row in self.rows:
            table.add_row(*(Text(cell) for cell in row))
        stream = StringIO()
        console = Console(file=stream, width=width + _GAP, highlight=False, force_terminal=sys.stdout.isatty())
        console.print(table)
        return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())
