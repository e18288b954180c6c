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


def grouped(targets: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return targets by group, each with its name in it, in the order of their names, numbers in them by size.

    A benchmark with one target on each of several data sets is one group.

    Args:
        targets: Names of targets.
    """
    parts = {target: TargetName.of(target) for target in targets}
    groups: dict[str, dict[str, str]] = {}
    for target, part in parts.items():
        if _is_one_of_each(part.benchmark, list(parts.values())):
            groups.setdefault(part.benchmark, {})[target] = f"{part.dataset} {part.name}"
        else:
            groups.setdefault(part.group, {})[target] = part.name
    return {group: dict(sorted(names.items(), key=lambda item: _by_size(item[1]))) for group, names in groups.items()}


def _is_one_of_each(benchmark: str, parts: Iterable[TargetName]) -> bool:
    """Return whether a benchmark has several data sets, and one target on each."""
    datasets = [part.dataset for part in parts if part.benchmark == benchmark and part.dataset]
    return 1 < len(datasets) == len(set(datasets))


def _by_size(text: str) -> list[tuple[bool, float, str]]:
    parts = re.split(r"(\d+(?:\.\d+)?)", text)
    return [(bool(place % 2), float(part) if place % 2 else 0.0, part) for place, part in enumerate(parts)]
