"""Fronts and hypervolumes: against their definitions, taken literally, and against a library for them."""

import itertools

import numpy as np
import pytest

from ntknas.correlation import front
from ntknas.correlation.choice import Choice, crowding
from ntknas.correlation.front import Points

SAMPLES = [(seed, n, levels) for seed, (n, levels) in enumerate([(1, 3), (6, 2), (7, 3), (25, 4), (30, 1000), (60, 9)])]
SAMPLES += [(seed + 10, *sizes) for seed, (_, *sizes) in enumerate(SAMPLES)]


def sample(seed, n, levels):
    """Points with as many ties as few levels make; with many of them there are none."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, levels, n).astype(float), rng.integers(0, levels, n).astype(float)


def dominates(a, b):
    return all(x >= y for x, y in zip(a, b, strict=True)) and any(x > y for x, y in zip(a, b, strict=True))


def slow_fronts(x, y, places):
    """Fronts by the definition: every pair is compared."""
    left, fronts = list(places), []
    while left:
        ahead = [i for i in left if not any(dominates((x[j], y[j]), (x[i], y[i])) for j in left)]
        fronts.append(ahead)
        left = [i for i in left if i not in ahead]
    return fronts


def slow_area(x, y):
    """Unit squares under the points, counted: for whole numbers."""
    size = int(max([*x, *y, 0]))
    return sum(any(a > i and b > j for a, b in zip(x, y, strict=True)) for i in range(size) for j in range(size))


@pytest.mark.parametrize("values", SAMPLES, ids=str)
def test_fronts_are_those_of_the_definition(values):
    x, y = sample(*values)
    rng = np.random.default_rng(1)
    points = Points.of(x, y)
    for present in (np.ones(len(x), bool), rng.random(len(x)) < 0.5, np.zeros(len(x), bool)):
        got = [
            [i for i in np.flatnonzero(present) if points.point[i] in set(found)] for found in points.fronts(present)
        ]
        assert got == slow_fronts(x, y, np.flatnonzero(present))
    assert np.flatnonzero(front.is_on_front(x, y)).tolist() == slow_fronts(x, y, range(len(x)))[0]


@pytest.mark.parametrize("values", [values for values in SAMPLES if values[2] < 10], ids=str)
def test_hypervolume_is_the_area_that_is_dominated(values):
    x, y = sample(*values)
    assert front.hypervolume(x, y) == slow_area(x, y)
    assert front.hypervolume(x, 2.5 * y) == 2.5 * slow_area(x, y)
    assert front.hypervolume(x[:0], y[:0]) == 0


@pytest.mark.parametrize("values", SAMPLES, ids=str)
def test_a_library_for_fronts_agrees(values):
    moocore = pytest.importorskip("moocore")
    x, y = sample(*values)
    cells = np.stack([x, y], axis=1)
    assert np.array_equal(front.is_on_front(x, y), moocore.is_nondominated(cells, maximise=True, keep_weakly=True))
    ranks = np.zeros(len(x), int)
    points = Points.of(x, y)
    for number, found in enumerate(points.fronts(np.ones(len(x), bool))):
        ranks[np.isin(points.point, found)] = number
    assert np.array_equal(ranks, moocore.pareto_rank(cells, maximise=True))
    assert front.hypervolume(x, y) == pytest.approx(moocore.hypervolume(cells, ref=[0, 0], maximise=True))
    chosen, true = cells[: 1 + len(x) // 3], np.unique(cells[front.is_on_front(x, y)], axis=0)
    distance = front.inverted_distance(true, chosen)
    assert distance == pytest.approx(moocore.igd_plus(chosen, ref=true, maximise=True), abs=1e-12)


@pytest.mark.parametrize("values", SAMPLES, ids=str)
def test_inverted_distance_is_that_of_its_definition(values):
    x, y = sample(*values)
    cells = np.stack([x, y], axis=1)
    chosen, true = cells[: 1 + len(x) // 3], np.unique(cells[front.is_on_front(x, y)], axis=0)
    distances = [min(np.hypot(*(max(z - c, 0) for z, c in zip(t, each, strict=True))) for each in chosen) for t in true]
    assert front.inverted_distance(true, chosen) == pytest.approx(np.mean(distances), abs=1e-12)
    assert front.inverted_distance(true, true) == 0
    assert front.inverted_distance(true, cells[:0]) == np.inf


@pytest.mark.parametrize(("seed", "n", "levels"), [(0, 7, 4), (1, 7, 3), (2, 6, 50), (3, 8, 5)])
def test_what_random_cells_reach_is_the_mean_over_all_choices(seed, n, levels):
    x, y = sample(seed, n, levels)
    cubed = (x**3, np.sqrt(y))
    plain, bent = front.area_by_dominating(x, y, (x, y), cubed)
    for number in range(1, n + 1):
        shares = front.share_of_choices(n, number, np.arange(n + 1))
        choices = [list(choice) for choice in itertools.combinations(range(n), number)]
        mean = np.mean([front.hypervolume(x[choice], y[choice]) for choice in choices])
        assert plain @ shares == pytest.approx(mean, rel=1e-9, abs=1e-12)
        mean = np.mean([front.hypervolume(cubed[0][choice], cubed[1][choice]) for choice in choices])
        assert bent @ shares == pytest.approx(mean, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("seed", "n", "levels"), [(0, 7, 4), (1, 8, 3), (2, 6, 50)])
def test_the_line_that_a_number_of_cells_attain(seed, n, levels):
    x, y = sample(seed, n, levels)
    places = [(a, b) for a in np.unique([*x, *(x + 0.5), -1]) for b in np.unique([*y, *(y + 0.5), -1])]
    for number in range(1, n + 1):
        corners = np.stack(front.attained(x, y, number), axis=1)
        for place in places:
            is_below = any(a >= place[0] and b >= place[1] for a, b in corners)
            assert is_below == (sum((x >= place[0]) & (y >= place[1])) >= number)
    assert all(len(values) == 0 for values in front.attained(x, y, n + 1))


@pytest.mark.parametrize("values", SAMPLES, ids=str)
def test_a_budget_takes_whole_fronts_and_of_the_next_one_what_is_least_crowded(values):
    x, y = sample(*values)
    points, everything, rng = Points.of(x, y), np.ones(len(x), bool), np.random.default_rng(0)
    fronts = slow_fronts(x, y, range(len(x)))
    for budget in range(1, len(x) + 1):
        chosen = Choice(budget=budget).of(points, everything).draw(points, rng)
        assert len(set(chosen)) == len(chosen) == budget
        ends = np.cumsum(list(map(len, fronts)))
        whole = [cell for ahead, end in zip(fronts, ends, strict=True) if end <= budget for cell in ahead]
        assert set(whole) <= set(chosen)
        rest = set(chosen) - set(whole)
        if rest:
            cut = fronts[int(np.searchsorted(ends, budget, side="right"))]
            assert rest <= set(cut)
            _check_rest(x, y, cut, rest)


def _check_rest(x, y, cut, rest):
    """No point comes a second time before every point has come once, and crowded ones come last."""
    times = {point: sum((x[c], y[c]) == point for c in rest) for point in {(x[c], y[c]) for c in cut}}
    there = {point: sum((x[c], y[c]) == point for c in cut) for point in times}
    for a, b in itertools.product(times, times):
        assert times[a] <= times[b] + 1 or times[b] == there[b]
    if max(times.values()) == 1:
        distance = slow_crowding(x, y, list(times))
        taken = [distance[point] for point in times if times[point]]
        left = [distance[point] for point in times if not times[point]]
        assert not left or min(taken) >= max(left) - 1e-12


def slow_crowding(x, y, front_points):
    """Crowding distance as NSGA-II computes it: objective by objective, of places among all values."""
    place = [{value: i for i, value in enumerate(np.unique(values))} for values in (x, y)]
    points = [(place[0][a], place[1][b]) for a, b in front_points]
    distance = dict.fromkeys(points, 0.0)
    for axis in (0, 1):
        ordered = sorted(points, key=lambda point: point[axis])
        span = ordered[-1][axis] - ordered[0][axis]
        distance[ordered[0]] = distance[ordered[-1]] = np.inf
        for before, point, after in zip(ordered, ordered[1:], ordered[2:], strict=False):
            distance[point] += (after[axis] - before[axis]) / span
    return dict(zip(front_points, (distance[point] for point in points), strict=True))


def test_whole_fronts_are_taken_by_their_number():
    x, y = sample(3, 40, 6)
    points, everything, rng = Points.of(x, y), np.ones(40, bool), np.random.default_rng(0)
    fronts = slow_fronts(x, y, range(40))
    for number in range(1, len(fronts) + 2):
        chosen = Choice(number).of(points, everything)
        assert not chosen.is_cut
        assert chosen.draw(points, rng).tolist() == sorted(itertools.chain(*fronts[:number]))
    assert Choice(2).of(points, ~everything).draw(points, rng).tolist() == []
    assert Choice(budget=3).of(points, ~everything).draw(points, rng).tolist() == []


def test_the_ends_of_a_front_are_least_crowded():
    assert crowding(np.array([9.0, 7, 6, 1]), np.array([0.0, 2, 3, 10])).tolist() == [
        np.inf,
        pytest.approx(3 / 8 + 3 / 10),
        pytest.approx(6 / 8 + 8 / 10),
        np.inf,
    ]
