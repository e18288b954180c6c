"""Arguments of what correlates, checked: whole numbers, and names of which one may stand alone."""

from __future__ import annotations

from collections.abc import Collection
from operator import index
from typing import SupportsIndex

from ntknas.core.errors import ChoiceError


def names_of(names: Collection[str]) -> Collection[str]:
    """Return names, one of which may stand alone."""
    return (names,) if isinstance(names, str) else names


def whole_number(name: str, value: SupportsIndex, least: int = 0) -> int:
    """Return a whole number.

    Args:
        name: Name of the argument.
        value: Its value.
        least: The smallest number that will do.

    Returns:
        The number.

    Raises:
        ChoiceError: If it is none, or smaller.
    """
    try:
        number = index(value)
    except TypeError:
        number = least - 1
    if number < least:
        raise ChoiceError(f"`{name}` must be a whole number, {least} or more, got {value!r}.")
    return number
