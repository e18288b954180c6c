"""The parts of a target's name, and targets in groups of one benchmark and data set."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple


class TargetName(NamedTuple):
    """A target's name in its parts; of a name that has no parts ``name`` is all of it.

    Attributes:
        benchmark: Name of the benchmark; empty where the target does not say it.
        dataset: Data set.
        name: Split and budget, or quantity.
    """

    benchmark: str
    dataset: str
    name: str

    @classmethod
    def of(cls, text: str) -> TargetName:
        """Return the parts of ``benchmark:data set/split/epochs``."""
        benchmark, _, target = text.rpartition(":")
        dataset, slash, name = target.partition("/")
        return cls(benchmark, dataset, name) if slash else cls("", "", text)

    @property
    def group(self) -> str:
        """What is common to targets of one benchmark and data set."""
        return " · ".join(filter(None, self[:2]))


def grouped(targets: Iterable[str]) -> dict[str, list[str]]:
    """Return targets by group, those of a group in the order of their names, numbers in them by size."""
    groups: dict[str, list[str]] = {}
    for target in targets:
        groups.setdefault(TargetName.of(target).group, []).append(target)
    return {group: sorted(members, key=_by_size) for group, members in groups.items()}


def _by_size(text: str) -> list[tuple[bool, float, str]]:
    parts = re.split(r"(\d+(?:\.\d+)?)", text)
    return [(bool(place % 2), float(part) if place % 2 else 0.0, part) for place, part in enumerate(parts)]
