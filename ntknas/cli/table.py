"""Tables of text whose numbers and names are never split."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

_GAP = 2
_MAX_WIDTH = 200
"""Width of a table that goes to a file."""
_LEAST_NAME, _READABLE_NAME = 9, 24
"""What a name is never shortened below, and not before columns are left out."""


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

    def fitting(self, width: int, least: Sequence[str] = (), keep: Sequence[str] = ()) -> tuple[Table, list[str]]:
        """Return the table with as many columns as there is room for, and the names of the others.

        Args:
            width: Room.
            least: Columns to leave out first; after them those on the right. The first column stays.
            keep: Columns that stay too.

        Returns:
            The table, and the names.
        """
        columns = list(range(len(self.header)))
        order = [column for name in least for column in columns if self.header[column] == name]
        order += [column for column in reversed(columns) if column not in order]
        for column in order:
            if self._with(columns).narrowest <= width:
                break
            if column and self.header[column] not in keep:
                columns.remove(column)
        return self._with(columns), [name for column, name in enumerate(self.header) if column not in columns]

    def narrowed(
        self, width: int, least: Sequence[str] = (), keep: Sequence[str] = ()
    ) -> tuple[Table, list[str], bool]:
        """Return the table as ``fitting`` has it, with shorter names where what stays has no room beside them.

        Args:
            width: Room.
            least: Columns to leave out first.
            keep: Columns that stay.

        Returns:
            The table, the names of the columns that are left out, and whether names are shortened.
        """
        shown, missing = self.fitting(width, least, keep)
        if not keep or shown.narrowest <= width:
            return shown, missing, False
        shown, missing = self.shortened(width, _READABLE_NAME).fitting(width, least, keep)
        return shown.shortened(width), missing, True

    def shortened(self, width: int, least: int = _LEAST_NAME) -> Table:
        """Return the table with the middle of long names left out, as far as that makes room; numbers stay whole.

        Args:
            width: Room.
            least: Letters that stay of a name.
        """
        room = width - self.narrowest + sum(map(self._min_width, range(self.left)))
        longest = max(map(self._min_width, range(self.left)), default=0)
        while longest > least and sum(min(longest, self._min_width(c)) for c in range(self.left)) > room:
            longest -= 1
        names = [_cut(self._cells(column), longest) for column in range(self.left)]
        rows = [[*texts, *row[self.left :]] for texts, row in zip(zip(*names, strict=True), self.rows, strict=True)]
        return Table(self.header, rows, self.left)

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


def _cut(texts: Sequence[str], longest: int) -> list[str]:
    """Return texts without the middle of words that are longer, and with numbers where they would read alike."""
    cut = {text: " ".join(_middle_cut(word, longest) for word in text.split(" ")) for text in texts}
    alike: dict[str, list[str]] = {}
    for text, short in cut.items():
        alike.setdefault(short, []).append(text)
    for short, rivals in alike.items():
        for number, text in enumerate(rivals, start=1) if len(rivals) > 1 else ():
            tag = f"…{number}"
            cut[text] = set_cell_size(short, min(cell_len(short), longest) - len(tag)) + tag
    return [cut[text] for text in texts]


def _middle_cut(word: str, longest: int) -> str:
    if cell_len(word) <= longest:
        return word
    tail = (longest - 1) // 2
    return set_cell_size(word, longest - 1 - tail) + "…" + set_cell_size(word[::-1], tail)[::-1]
