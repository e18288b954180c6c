"""Which cells of a space, or of a population of it, to score: all, a seeded sample, or a user's list."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ntknas.core.errors import ChoiceError, DataError
from ntknas.core.regular_file import read_text
from ntknas.spaces import Space
from ntknas.spaces.naming import find
from ntknas.spaces.populations import ALL, is_member, members

__all__ = ["find", "read_cells_file", "sample", "select", "within"]

_MIN_BYTES = 1 << 22
_BYTES_PER_CELL = 1 << 8


def sample(space: Space, count: int, seed: int, population: str = ALL) -> list[int]:
    """Return a sample of cells without replacement, in the order of their indices.

    Args:
        space: The space.
        count: Number of cells.
        seed: Seed of the sample: the first cells of one permutation of the population.
        population: Name of the population that the cells are drawn from.

    Raises:
        ChoiceError: If the population has fewer cells, or none is asked for.
    """
    cells = members(space, population)
    if not 1 <= count <= len(cells):
        of = f"population {population} of {space.name}" if population != ALL else space.name
        raise ChoiceError(f"`cells` must be 'all' or a number from 1 to {len(cells)} for {of}, got {count}.")
    # Not choice(): of a permutation a smaller sample of one seed is part of a larger one.
    return sorted(cells[place] for place in np.random.default_rng(seed).permutation(len(cells))[:count])


def within(space: Space, population: str, cells: Iterable[int]) -> list[int]:
    """Return those of some cells that are of a population.

    Args:
        space: The space.
        population: Name of the population.
        cells: The cells.

    Raises:
        ChoiceError: If none of them is.
    """
    kept = list(filter(is_member(space, population), cells))
    if not kept:
        raise ChoiceError(f"None of the `cells` is of the `population` {population} of {space.name}.")
    return kept


def select(space: Space, cells: str, seed: int, population: str = ALL) -> list[int]:
    """Return the cells that a text asks for.

    Args:
        space: The space.
        cells: ``all``, the number of a random sample, or a range of indices such as ``0:1001``, whose end is left out.
        seed: Seed of the sample.
        population: Name of the population whose cells are meant; of a range those that are of it.

    Raises:
        ChoiceError: If it is none of these, or none of the range is of the population.
    """
    if cells == "all":
        return members(space, population)
    first, colon, last = cells.partition(":")
    if colon and _is_number(first) and _is_number(last) and int(first) < int(last) <= len(space):
        return within(space, population, range(int(first), int(last)))
    if not _is_number(cells):
        raise ChoiceError(
            f"`cells` must be 'all' or a number from 1 to {len(space)} for {space.name}, or a range such as 0:1001 "
            f"within 0:{len(space)}, got {cells!r}."
        )
    return sample(space, int(cells), seed, population)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20  # isdigit() alone takes ², which int() does not


def read_cells_file(space: Space, path: Path) -> list[int]:
    """Return the cells of a file with one index or architecture string per line; ``#`` starts a comment line.

    Raises:
        DataError: If the file cannot be read, is empty, too large for the space, or a line is no cell.
    """
    try:
        lines = read_text(path, max(_MIN_BYTES, _BYTES_PER_CELL * len(space))).splitlines()
    except OSError as error:
        raise DataError(f"Cannot read the cells file {path}: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text in UTF-8: save it as plain text in UTF-8.") from error
    entries = [(number, line.strip()) for number, line in enumerate(lines, start=1)]
    cells = [_entry(space, path, number, text) for number, text in entries if text and not text.startswith("#")]
    if not cells:
        raise DataError(f"{path} names no cells: expected one index or architecture string per line.")
    return list(dict.fromkeys(cells))


def _entry(space: Space, path: Path, number: int, text: str) -> int:
    try:
        return find(space, text)
    except ChoiceError as error:
        raise DataError(f"{path}, line {number}: {error}") from error
