"""The published rule: which candidates a round prunes.

Candidates are ranked by the change of the condition number, the largest fall first, and by the change of the number of
linear regions, the smallest fall first; each position loses its candidates with the smallest sum of both ranks.

Three things are the published code's, and no text's. What is sorted by is the mean change rounded to some significant
digits, but equal ranks go to equal means alone, and only to neighbours in that order. A rank is the number of different
means before it, not of candidates. And of equal sums the one with the better rank of the condition number goes first,
then the first position and choice.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple


class Ranks(NamedTuple):
    """The ranks of a candidate, each from 0.

    Attributes:
        cond: By the change of the condition number.
        regions: By the change of the number of linear regions.
    """

    cond: int
    regions: int


def significant(value: float, digits: int) -> float:
    """Return a number rounded to some significant digits, as the published code has it: 1e-8 further from zero."""
    if value == 0 or math.isinf(value):
        return value
    shifted = abs(value) + 1e-8
    power = math.floor(math.log10(shifted)) + 1
    return math.copysign(round(shifted * 10.0**-power, digits) * 10.0**power, value)


def dense_ranks(values: Sequence[float], digits: int, *, largest_first: bool) -> tuple[list[int], list[int]]:
    """Rank values.

    Args:
        values: The values.
        digits: Significant digits that they are sorted by.
        largest_first: Whether the largest has rank 0.

    Returns:
        Their places in the order of the ranks, and the rank of each.
    """
    order = sorted(range(len(values)), key=lambda place: significant(values[place], digits), reverse=largest_first)
    ranks, rank = [0] * len(values), 0
    for before, place in pairwise(order):
        rank += values[place] != values[before]
        ranks[place] = rank
    return order, ranks


def ranked(conds: Sequence[float], regions: Sequence[float], digits: int) -> tuple[list[int], list[Ranks]]:
    """Rank candidates by both changes.

    Args:
        conds: Mean relative fall of the condition number of each.
        regions: Mean relative fall of the number of linear regions of each.
        digits: Significant digits that they are sorted by.

    Returns:
        Their places by the sum of the ranks, and the ranks of each.
    """
    by_cond, cond_ranks = dense_ranks(conds, digits, largest_first=True)
    _, region_ranks = dense_ranks(regions, digits, largest_first=False)
    ranks = list(map(Ranks, cond_ranks, region_ranks))
    return sorted(by_cond, key=lambda place: sum(ranks[place])), ranks


def to_prune(order: Sequence[int], positions: Sequence[int], number: int) -> set[int]:
    """Return the places of the candidates that go: the first of each position.

    Args:
        order: Places of the candidates, the one that goes first before the others.
        positions: Position of each candidate.
        number: How many each position loses; it keeps one.
    """
    by_position: dict[int, list[int]] = defaultdict(list)
    for place in order:
        by_position[positions[place]].append(place)
    return {place for places in by_position.values() for place in places[: min(number, len(places) - 1)]}
