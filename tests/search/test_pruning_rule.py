"""Which candidates a round prunes: the published rule, read literally, and by hand."""

import math
import random

import pytest

from ntknas.search.pruning.candidates import Candidate, Measurement, relative_change
from ntknas.search.pruning.ranking import dense_ranks, ranked, significant, to_prune


def published(candidates, digits, number):
    """The published loops over (κ's fall, regions' fall, position) of every candidate, as literal as can be."""

    def rounded(value):
        if value == 0:
            return value
        size = abs(value) + 1e-8
        power = math.floor(math.log(size, 10)) + 1
        return value / abs(value) * round(size * 10 ** (-power), digits) * 10**power

    falls = sorted(((c[0], n) for n, c in enumerate(candidates)), key=lambda pair: rounded(pair[0]), reverse=True)
    rises = sorted(((c[1], n) for n, c in enumerate(candidates)), key=lambda pair: rounded(pair[0]))
    table = {}
    for listed in (falls, rises):
        rank = 0
        for place, (value, number_) in enumerate(listed):
            if place and value != listed[place - 1][0]:
                rank += 1
            table.setdefault(number_, []).append(rank)
    chosen = {}
    for number_, _ in sorted(table.items(), key=lambda item: sum(item[1])):
        mine = chosen.setdefault(candidates[number_][2], [])
        if len(mine) < number:
            mine.append(number_)
    return {number_: tuple(ranks) for number_, ranks in table.items()}, {n for mine in chosen.values() for n in mine}


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("number", [1, 2])
def test_ranks_and_what_goes_are_the_published_ones(seed, number):
    draw = random.Random(seed)
    coarse = seed % 3  # few different values: many ties
    candidates = [
        (
            round(draw.gauss(0, 10 ** draw.randint(-2, 3)), 3 - 2 * coarse),
            round(draw.gauss(0, 0.02), 3 - coarse),
            place % 6,
        )
        for place in range(24)
    ]
    ranks, gone = published(candidates, 3, number)
    order, ours = ranked([c[0] for c in candidates], [c[1] for c in candidates], 3)
    assert dict(enumerate(map(tuple, ours))) == ranks
    assert to_prune(order, [c[2] for c in candidates], number) == gone


def test_by_hand():
    # κ falls most without the second, regions rise most without the first and the third
    order, ranks = ranked([0.1, 0.5, -2.0, 0.1], [-0.3, 0.0, -0.3, 0.2], 3)
    assert [tuple(rank) for rank in ranks] == [(1, 0), (0, 1), (2, 0), (1, 2)]
    assert order == [1, 0, 2, 3]  # 1, 1, 2 and 3: of the equal sums the one by whose loss κ falls more
    assert to_prune(order, [0, 0, 1, 1], 1) == {1, 2}
    assert to_prune(order, [0, 0, 1, 1], 5) == {1, 2}  # one stays


def test_ranks_count_different_values_and_infinity_is_the_worst():
    order, ranks = dense_ranks([0.2, -math.inf, 0.2, 1.0, -math.inf], 3, largest_first=True)
    assert (order, ranks) == ([3, 0, 2, 1, 4], [1, 2, 1, 0, 2])


@pytest.mark.parametrize(("value", "expected"), [(0.0, 0.0), (123.4567, 123.0), (-0.0123449, -0.0123), (0.99999, 1.0)])
def test_significant_digits(value, expected):
    assert significant(value, 3) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("kept", "pruned", "change"),
    [(4.0, 1.0, 0.75), (1.0, 4.0, -3.0), (math.inf, 4.0, 1.0), (4.0, math.inf, -math.inf), (math.inf, math.inf, 0.0)],
)
def test_relative_changes(kept, pruned, change):
    assert relative_change(kept, pruned) == change


def test_changes_are_rounded_before_their_mean():
    pairs = ((3.0, 2.0), (7.0, 5.0), (9.0, 9.0))  # 0.3333…, 0.2857…, 0
    one = Measurement(Candidate(0, 0, 0), pairs, pairs[::-1], 0.0, 0.0)
    assert one.cond_change(3) == pytest.approx((0.333 + 0.286) / 3, rel=1e-12)
    assert one.region_change(1) == pytest.approx((0.3 + 0.3) / 3, rel=1e-12)
