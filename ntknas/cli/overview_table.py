"""One statistic of every measure with every target, as text: names of columns as stairs above them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

_INDENT = "  "
_GAP = " "
_LEAST_NAME = 16
"""Letters that stay of a target's name, however narrow the terminal is."""


@dataclass(frozen=True)
class Group:
    """Rows under one heading.

    Attributes:
        heading: The heading; empty for none.
        rows: The cells of each row by its name, one for each column.
    """

    heading: str
    rows: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class OverviewTable:
    """Cells in groups of rows, under columns that have long names.

    Attributes:
        columns: Names of the columns.
        groups: The groups.
        first: Number of columns that stand in every block, where not all have room beside one another.
    """

    columns: Sequence[str]
    groups: Sequence[Group]
    first: int = 0

    def render(self, width: int) -> Iterator[str]:
        """Yield the lines, block by block of as many columns as there is room for.

        Args:
            width: Room.
        """
        start = self._start(width)
        places, is_first = list(range(self.first, len(self.columns))), True
        while places or is_first:
            shown = self._block(places, start, width)
            if not is_first:
                yield ""
            yield from self._lines(shown, start)
            places, is_first = places[len(shown) - self.first :], False

    def fits(self, width: int) -> bool:
        """Return whether all columns have room beside one another.

        Args:
            width: Room.
        """
        return self._end(range(len(self.columns)), self._start(width)) <= width

    def _start(self, width: int) -> int:
        """Return where the names of rows end."""
        names = [name for group in self.groups for name in group.rows]
        widest = max(map(cell_len, names), default=0)
        return len(_INDENT) + min(widest, max(_LEAST_NAME, width // 2 - len(_INDENT)))

    def _block(self, places: Sequence[int], start: int, width: int) -> list[int]:
        """Return the columns of a block: the first ones, and as many of the others as have room, one at least."""
        shown = list(range(self.first))
        for place in places:
            if len(shown) > self.first and self._end([*shown, place], start) > width:
                break
            shown.append(place)
        return shown

    def _end(self, shown: Sequence[int], start: int) -> int:
        """Return where the last letter of a block stands, names of columns included."""
        end = reach = start
        for place in shown:
            reach = max(reach, end + len(_GAP) + 2 + cell_len(self.columns[place]))
            end += len(_GAP) + self._width(place)
        return max(end, reach)

    def _width(self, place: int) -> int:
        return max((cell_len(row[place]) for group in self.groups for row in group.rows.values()), default=1)

    def _lines(self, shown: Sequence[int], start: int) -> Iterator[str]:
        risers = ""
        for place in shown:
            yield f"{' ' * start}{risers}{_GAP}┌ {self.columns[place]}"
            risers += f"{_GAP}│".ljust(len(_GAP) + self._width(place))
        for group in self.groups:
            if group.heading:
                yield group.heading
            for name, cells in group.rows.items():
                text = _INDENT + set_cell_size(_middle_cut(name, start - len(_INDENT)), start - len(_INDENT))
                numbers = (_GAP + cells[place].rjust(self._width(place)) for place in shown)
                yield (text + "".join(numbers)).rstrip()


def _middle_cut(name: str, letters: int) -> str:
    if cell_len(name) <= letters:
        return name
    tail = (letters - 1) // 2
    return f"{name[: letters - 1 - tail]}…{name[len(name) - tail :]}"
