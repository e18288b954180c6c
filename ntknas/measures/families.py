"""Families of measures: one measure for every number in a name, such as the k-th eigenvalue.

A family is not listed among the measures, and is in no group: its members are asked for by name (``eigenvalue_3``), or
the first n of them as ``spectrum:n``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from ntknas.core.errors import ChoiceError
from ntknas.measures.definition import Measure

MAX_MEMBERS = 4096
"""Members that a family has; more rows than that no kernel of a probe has had."""


@dataclass(frozen=True)
class Family:
    """Measures that differ by a number.

    Attributes:
        stem: What their names begin with, before ``_`` and the number.
        group: What the first n of them are called together, before ``:`` and n.
        text: What they are.
        member: Returns the measure of a number, from 1.
    """

    stem: str
    group: str
    text: str
    member: Callable[[int], Measure]


_FAMILIES: dict[str, Family] = {}


def register_family(family: Family) -> None:
    """Add a family; a measure's name is never that of a member."""
    _FAMILIES[family.stem] = family


def families() -> tuple[Family, ...]:
    """Return every family that is registered."""
    return tuple(_FAMILIES.values())


@cache
def member(name: str) -> Measure | None:
    """Return the measure that a name is of a family's, if it is one."""
    family = _FAMILIES.get(name.rpartition("_")[0])
    number = None if family is None else number_of(name, family.stem)
    return None if family is None or number is None else family.member(number)


def number_of(name: str, stem: str) -> int | None:
    """Return which member of a family a name is of; nothing where it is of none.

    Args:
        name: Name of a measure.
        stem: What names of the family begin with.
    """
    found = re.fullmatch(re.escape(stem) + "_([1-9][0-9]{0,4})", name)
    return int(found[1]) if found and int(found[1]) <= MAX_MEMBERS else None


def members(name: str) -> tuple[str, ...] | None:
    """Return the names of the first n members of a family, which are asked for as ``group:n``.

    Args:
        name: What may be that.

    Returns:
        The names; nothing where it is no family's group.

    Raises:
        ChoiceError: If n is no number that a family has.
    """
    group, colon, text = name.partition(":")
    found = [family for family in _FAMILIES.values() if family.group == group]
    if not found:
        return None
    if not (colon and re.fullmatch("[0-9]{1,4}", text) and 1 <= int(text) <= MAX_MEMBERS):
        raise ChoiceError(f"{group} takes how many from 1 to {MAX_MEMBERS}, such as {group}:64, got {name!r}.")
    return tuple(f"{found[0].stem}_{number}" for number in range(1, int(text) + 1))
