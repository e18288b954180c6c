"""Cells by the names that people write: an index, or what the space reads, such as an architecture string."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from ntknas.core.errors import ChoiceError, DataError
from ntknas.core.quoting import quoted
from ntknas.spaces.contract import Keyed, Space
from ntknas.spaces.recognition import INDEX, Read, first_difference, first_of_another_way, readings, ways_of

_INDEX = re.compile(r"-?[0-9]{1,19}")  # not \d, which takes digits of all scripts; 19 hold any of 64 bits
_WHOLE = re.compile(r"(-?[0-9]{1,19})\.0*")
_SIX_OPERATIONS = re.compile(r"[0-4]{6}")


def find(space: Space, text: str) -> int:
    """Return the index of a cell that is named by index or architecture string.

    Raises:
        ChoiceError: If there is no such cell.
    """
    if not _is_index(text, _key_length(space)):
        return _by_text(space, text)
    if not 0 <= int(text) < len(space):
        raise ChoiceError(
            f"Cell index out of range: expected 0 to {len(space) - 1} for {space.name}, got {text}.{_hint(space, text)}"
        )
    if len(text) > 1 and text.startswith(("0", "-")):
        raise ChoiceError(
            f"Not an index: {text!r}. An index has no zeros before it: {int(text)}, if it is one.{_hint(space, text)}"
        )
    return int(text)


def _key_length(space: Space) -> int | None:
    """Return how many digits a space's architecture strings are, where they are digits alone."""
    return space.key_length if isinstance(space, Keyed) else None


def _is_index(text: str, key_length: int | None) -> bool:
    """Return whether a text is written as an index is, and not as a key of digits."""
    is_key = len(text) == key_length and not text.startswith("-")
    return not is_key and _INDEX.fullmatch(text) is not None


def _by_text(space: Space, text: str) -> int:
    try:
        return int(space.index(text))
    except ChoiceError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError) as error:  # a third party's space has its own ways
        raise ChoiceError(f"{space.name} has no cell {quoted(text)} ({type(error).__name__}: {error}).") from error


def find_all(space: Space, names: Sequence[str | int | float | bytes], row_name: Callable[[int], str]) -> list[int]:
    """Return the indices of a column of names, all written in one way, which is found by reading every row in each.

    Args:
        space: The space.
        names: The column; whole numbers, also such as 3.0, and texts of their digits are indices, but where they are
            keys (``Keyed``).
        row_name: Returns how a row is called in messages.

    Returns:
        The index of each row's cell.

    Raises:
        DataError: If an entry names no cell or is of another kind than the first, or the column can be read in two ways
            that disagree; the message says where.
    """
    texts = [_as_text(name) for name in names]
    ways = ways_of(space, partial(_as_index, space), partial(_as_name, space))
    found = readings(texts, ways)
    if not found:
        error = _unreadable(space, texts, ways, row_name)
        raise error
    row = first_difference(found)
    if row is not None:
        raise DataError(f"{row_name(row)}: {_ambiguous(space, texts[row], row, found)}")
    return next(iter(found.values()))


def is_named(space: Space, names: Sequence[str | int | float | bytes]) -> bool:
    """Return whether every row of a column names a cell in one way, other than by index."""
    ways = ways_of(space, partial(_as_index, space), partial(_as_name, space))
    return bool(readings([_as_text(name) for name in names], {way: ways[way] for way in ways if way != INDEX}))


def _as_index(space: Space, text: str) -> int | None:
    return _found(space, text) if _is_index(text, _key_length(space)) else None


def _as_name(space: Space, text: str) -> int | None:
    return None if _is_index(text, _key_length(space)) else _found(space, text)


def _found(space: Space, text: str) -> int | None:
    try:
        return find(space, text)
    except ValueError:
        return None


def _ambiguous(space: Space, text: str, row: int, found: Mapping[str, Sequence[int]]) -> str:
    meanings = [f"as {way} it is cell {cells[row]} ({space[cells[row]]})" for way, cells in found.items()]
    return (
        f"{quoted(text)} and all other rows can be read in {len(found)} ways: {'; '.join(meanings)}. Name the cells by "
        "index or architecture string, so that there is one."
    )


def _unreadable(
    space: Space, texts: Sequence[str], ways: Mapping[str, Read], row_name: Callable[[int], str]
) -> DataError:
    """Return the error of a column that cannot be read in one way: which row is of another kind, or names no cell."""
    key_length = _key_length(space)
    is_index = [_is_index(text, key_length) for text in texts]
    if len(set(is_index)) > 1:
        odd = is_index.index(not is_index[0])
        kinds = ("is one", "is no index") if is_index[0] else ("is none", "is an index")
        return DataError(
            f"{row_name(odd)}: {quoted(texts[odd])} {kinds[1]}, where {quoted(texts[0])} in {row_name(0)} "
            f"{kinds[0]}: expected a column of one kind.{_lost_zeros(key_length)}"
        )
    mixed = None if all(is_index) else first_of_another_way(texts, ways)
    if mixed is None:
        return _of_first_unknown(space, texts, row_name)
    row, held, own = mixed
    return DataError(
        f"{row_name(row)}: {quoted(texts[row])} is {own}, where {quoted(texts[0])} in {row_name(0)} is {held}: "
        "expected a column of one kind."
    )


def _of_first_unknown(space: Space, texts: Sequence[str], row_name: Callable[[int], str]) -> DataError:
    for row, text in enumerate(texts):
        try:
            find(space, text)
        except ValueError as error:
            return DataError(f"{row_name(row)}: {error}")
    return DataError(f"{row_name(0)}: {quoted(texts[0])} names no cell of {space.name}.")


def _as_text(name: str | int | float | bytes) -> str:
    """Return a name as text: a whole number that a table keeps as 3.0 without its point, bytes in hexadecimal."""
    if isinstance(name, bytes):
        return name.hex()
    text = str(name).strip()
    match = _WHOLE.fullmatch(text)
    return match[1] if match else text


def _hint(space: Space, text: str) -> str:
    if isinstance(space, Keyed):
        return _lost_zeros(space.key_length)
    if not _SIX_OPERATIONS.fullmatch(text):
        return ""
    return f" If these are six operations as NASLib numbers them, write ({', '.join(text)})."


def _lost_zeros(key_length: int | None) -> str:
    # Not put back: among numbers without them a short one may be an index.
    if key_length is None:
        return ""
    return f" A key has {key_length} digits: if zeros in front of it were lost, as they are in numbers, put them back."
