"""In which way a column of names is written: one in which every row can be read, never one guessed from some rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ntknas.spaces.contract import Encoded, Space

Read = Callable[[str], int | None]
"""Returns the index of the cell of a text; ``None`` for a text that is not written so."""
INDEX = "an index"
_NAME = "a name of its cells"


def ways_of(space: Space, as_index: Read, as_name: Read) -> Mapping[str, Read]:
    """Return the ways in which a space's cells are written, by what a text is then.

    Args:
        space: The space.
        as_index: Reads indices.
        as_name: Reads what a space itself takes for a cell, where it does not tell ways apart.
    """
    return {INDEX: as_index, **(space.encodings if isinstance(space, Encoded) else {_NAME: as_name})}


def readings(texts: Sequence[str], ways: Mapping[str, Read]) -> dict[str, list[int]]:
    """Return the cells of all rows by each way in which every row can be read."""
    found = {way: _read_all(texts, read) for way, read in ways.items()}
    return {way: cells for way, cells in found.items() if cells is not None}


def _read_all(texts: Sequence[str], read: Read) -> list[int] | None:
    cells: list[int] = []
    for text in texts:
        cell = read(text)
        if cell is None:
            return None
        cells.append(cell)
    return cells


def first_difference(found: Mapping[str, Sequence[int]]) -> int | None:
    """Return the first row that is another cell in one reading than in another; ``None`` if they agree."""
    first, *others = found.values()
    rows = range(len(first))
    return next((row for row in rows if any(cells[row] != first[row] for cells in others)), None)


def first_of_another_way(texts: Sequence[str], ways: Mapping[str, Read]) -> tuple[int, str, str] | None:
    """Return the first row that is written in another way than the row before it, and what both are.

    Returns:
        The row, the way of the rows before it, and its own; ``None`` where some row is written in none.
    """
    possible = [{way for way, read in ways.items() if read(text) is not None} for text in texts]
    held = possible[0]
    for row, own in enumerate(possible):
        if not own:
            return None
        if not held & own:
            return row, _first(ways, held), _first(ways, own)
        held &= own
    return None


def _first(ways: Mapping[str, Read], some: set[str]) -> str:
    return next(way for way in ways if way in some)
