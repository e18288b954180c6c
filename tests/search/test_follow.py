"""One search, training by training: what is drawn, what is paid, and when it ends."""

import numpy as np
import pytest

from ntknas.core.errors import ChoiceError
from ntknas.search import Objective, Problem
from ntknas.search.objective import Level
from ntknas.search.problem import Search, cells_of_pools
from ntknas.search.strategy import Training, strategy
from ntknas.search.trace import PATIENCE, follow
from tests.search.made import SPACE, objective, problem, score


@strategy("given", text="cells that a test names")
def nothing(search):
    yield from ()


def proposing(*trainings, asked=None):
    """A strategy that proposes what is given, and keeps what it is told."""

    @strategy("given", text="cells that a test names")
    def propose(search):
        for training in trainings:
            value = yield training
            if asked is not None:
                asked.append(value)

    return propose


def test_what_is_proposed_again_costs_nothing_and_is_answered_again():
    asked = []
    of = problem(budget=2)
    trace = follow(proposing(Training(3), Training(3), Training(5), Training(3), asked=asked), Search(of, 0))
    assert trace.cells.tolist() == [3, 5]
    assert trace.trainings.tolist() == [1, 2]
    assert asked == [asked[0], asked[0], asked[2], asked[0]]


def test_a_strategy_that_repeats_itself_ends():
    asked = []
    endless = proposing(*[Training(1)] * (3 * PATIENCE), asked=asked)
    assert follow(endless, Search(problem(), 0)).cells.tolist() == [1]
    assert len(asked) == PATIENCE + 1


def test_a_strategy_without_proposals_finds_nothing():
    trace = follow(nothing, Search(problem(), 0))
    assert len(trace.cells) == 0
    assert np.isnan(trace.after(np.array([1.0]))).all()


def test_what_is_found_is_the_reported_value_of_the_best_by_validation():
    of = problem(budget=27)
    search = Search(of, 4)
    values = np.array([search.value(cell, 0) for cell in range(27)])
    trace = follow(proposing(*[Training(cell) for cell in range(27)]), Search(of, 4))
    expected = [of.objective.reported[np.argmax(values[: number + 1])] for number in range(27)]
    assert trace.found.tolist() == expected
    assert trace.after(np.array([0.5, 1, 1.5, 27, 100])).tolist()[1:] == [expected[0]] * 2 + [expected[-1]] * 2


def test_a_value_after_more_epochs_counts_before_one_after_fewer():
    of = problem(budget=9, levels=3)
    of.objective.levels[0].runs[7] = 1000.0
    trace = follow(proposing(Training(7, 0), Training(8, 2), Training(9, 0)), Search(of, 0))
    assert trace.found.tolist() == [of.objective.reported[cell] for cell in (7, 8, 8)]
    assert trace.trainings == pytest.approx([1 / 9, 1 + 1 / 9, 1 + 2 / 9])


def test_a_training_that_cannot_be_paid_ends_the_search():
    of = problem(budget=1, levels=2)
    trace = follow(proposing(Training(1, 0), Training(2, 1), Training(3, 0)), Search(of, 0))
    assert trace.cells.tolist() == [1]


def test_one_run_is_drawn_for_each_cell_and_every_run_as_often():
    of = objective(runs=3)
    of.levels[0].runs[5, 0] = np.nan
    drawn = np.array([of.draw(np.random.default_rng(seed))[0] for seed in range(3000)])
    for cell, runs in ((0, of.levels[0].runs[0]), (5, of.levels[0].runs[5, 1:])):
        values, counts = np.unique(drawn[:, cell], return_counts=True)
        assert sorted(values) == sorted(runs)
        assert np.abs(counts / 3000 - 1 / len(runs)).max() < 0.05


def test_the_same_seed_draws_the_same_whatever_the_score():
    of = problem()
    plain, guided = Search(of, 9), Search(of, 9, score())
    assert plain.order.tolist() == guided.order.tolist()
    assert [plain.value(cell, 0) for cell in range(27)] == [guided.value(cell, 0) for cell in range(27)]
    assert plain.generator.integers(1 << 40) == guided.generator.integers(1 << 40)
    assert Search(of, 10).order.tolist() != plain.order.tolist()


def test_cells_without_a_training_are_not_searched():
    full = objective()
    runs = full.levels[0].runs.copy()
    runs[[2, 4]] = np.nan
    reported = full.reported.copy()
    reported[6] = np.nan
    of = Problem(SPACE, Objective((Level("x", runs),), "y", reported), 24)
    assert sorted(Search(of, 0).order.tolist()) == [cell for cell in range(27) if cell not in (2, 4, 6)]
    assert not {2, 4, 6} & {other for cell in range(27) for other in of.neighbours(cell)}
    within = of.objective.within(np.arange(27) < 10)
    assert within.cells.tolist() == [0, 1, 3, 5, 7, 8, 9]


def test_scores_are_paid_once_and_those_that_lack_are_the_worst():
    guide = score(seconds=2.0)
    guide.values[[1, 2]] = np.nan
    search = Search(problem(), 0, guide)
    assert search.scores([1, 3]).tolist() == [-np.inf, guide.values[3]]
    assert search.scoring_seconds == 4.0
    search.scores([3, 1, 4])
    assert search.scoring_seconds == 6.0
    with pytest.raises(ChoiceError, match="no score"):
        Search(problem(), 0).scores([1])


def test_pools_are_the_first_cells_of_the_random_order():
    of = problem(pool=5)
    expected = set()
    for seed in range(3):
        assert Search(of, seed).pool.tolist() == Search(of, seed).order[:5].tolist()
        expected |= set(Search(of, seed).order[:5].tolist())
    assert cells_of_pools(of, 3).tolist() == sorted(expected)
    assert cells_of_pools(problem(), 3).tolist() == list(range(27))


@pytest.mark.parametrize("budget", [0, 28, -1])
def test_a_budget_of_nothing_or_beyond_the_space_is_refused(budget):
    with pytest.raises(ChoiceError, match="`budget` must be from 1 to 27, the cells of words"):
        problem(budget=budget)


@pytest.mark.parametrize("pool", [0, 28])
def test_a_pool_of_nothing_or_beyond_the_space_is_refused(pool):
    with pytest.raises(ChoiceError, match="`pool` must be from 1 to 27"):
        problem(pool=pool)


def test_a_table_of_another_space_is_refused():
    short = Objective((Level("x", np.zeros((26, 1))),), "y", np.zeros(26))
    with pytest.raises(ChoiceError, match="x is of 26 cells, and words has 27"):
        Problem(SPACE, short, 5)
