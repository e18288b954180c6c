"""Time that is left, on made-up clocks: against the truth that the clock was given."""

import pytest

from ntknas.core.durations import Amount, TimeLeft, TimeModel


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


WIDTHS = [50, 100, 250, 500, 1000, 2500, 5000, 10_000]
COSTS = [float(width) for width in WIDTHS for _ in range(5)]  # cheap ones first, as studies have them
TRUTHS = {
    "all of it grows": lambda cost: 0.01 * cost,
    "half of the smallest is fixed": lambda cost: 0.5 + 0.01 * cost,
    "nothing grows": lambda cost: 2.0,
}


@pytest.mark.parametrize("seconds", TRUTHS.values(), ids=TRUTHS)
@pytest.mark.parametrize("done", [6, 11, 20, 39])
def test_units_that_cost_ever_more(seconds, done):
    clock = Clock()
    left = TimeLeft.of(COSTS, clock)
    for cost in COSTS[:done]:
        clock.now += seconds(cost)
        left.done(cost)
    truth = sum(seconds(cost) for cost in COSTS[done:])
    assert left.seconds() == pytest.approx(truth, rel=1e-6)


def test_costs_alone_tell_while_all_units_were_alike():
    clock = Clock()
    left = TimeLeft.of(COSTS, clock)
    assert left.seconds() is None
    for cost in COSTS[:3]:
        clock.now += 0.02 * cost
        left.done(cost)
    assert left.seconds() == pytest.approx(0.02 * sum(COSTS[3:]))


def test_a_cost_that_is_wrong_by_half_is_a_forecast_that_is_wrong_by_half_and_not_by_ten():
    clock = Clock()
    left = TimeLeft.of(COSTS, clock)
    for cost in COSTS[:15]:
        clock.now += 0.01 * cost**1.1
        left.done(cost)
    truth = sum(0.01 * cost**1.1 for cost in COSTS[15:])
    by_count = (clock.now - 100) / 15 * (len(COSTS) - 15)
    assert truth / 1.5 < left.seconds() < 1.5 * truth
    assert by_count < truth / 10


def test_a_first_unit_that_loads_libraries_does_not_count():
    model = TimeModel()
    assert not model
    model.add(1.0, 50.0)
    for _ in range(4):
        model.add(1.0, 1.0)
    model.add(10.0, 10.0)
    assert model.seconds(2, 200.0) == pytest.approx(200.0)


def test_several_units_at_a_time_and_kinds_of_their_own():
    clock = Clock()
    left = TimeLeft({"kernel": Amount(10, 100.0), "network": Amount(10, 100.0), "late": Amount(2, 20.0)}, clock)
    for _ in range(4):  # two workers, one for each kind
        clock.now += 6.0
        left.done(10.0, "kernel", 6.0)
        left.done(10.0, "network", 3.0)
    assert left.seconds() == pytest.approx((6 * 6.0 + 6 * 3.0 + 2 * 4.5) / (36 / 24))
