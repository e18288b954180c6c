"""Every strategy against a slow and literal reading of what it does, on a small space whose every value is known."""

import numpy as np
import pytest

from ntknas.search import get_strategy, strategy_names
from ntknas.search.problem import Search
from ntknas.search.strategies.evolution import POPULATION, SAMPLE
from ntknas.search.trace import follow
from tests.search.made import SPACE, WORDS, problem, score

SEEDS = range(8)


def searched(name, of, seed, guide=None):
    return follow(get_strategy(name), Search(of, seed, guide))


def fresh(of, seed, guide=None):
    """The same random numbers once more."""
    return Search(of, seed, guide)


def first_trained(proposed, budget):
    """Cells in the order in which they are first proposed, as many as can be paid."""
    return list(dict.fromkeys(proposed))[:budget]


@pytest.mark.parametrize("seed", SEEDS)
def test_random_trains_in_random_order(seed):
    of = problem()
    assert searched("random", of, seed).cells.tolist() == fresh(of, seed).order[:20].tolist()


@pytest.mark.parametrize("pool", [None, 12])
@pytest.mark.parametrize("seed", SEEDS)
def test_best_scored_trains_the_pool_by_score_and_ties_in_random_order(seed, pool):
    of, guide = problem(budget=10, pool=pool), score()
    order = fresh(of, seed).order[:pool].tolist()
    expected = sorted(order, key=lambda cell: (-guide.values[cell], order.index(cell)))[:10]
    trace = searched("best-scored", of, seed, guide)
    assert trace.cells.tolist() == expected
    paid = 0.5 * len(order) + np.cumsum(of.objective.levels[0].seconds[expected])
    np.testing.assert_allclose(trace.seconds, paid)


def near(cell):
    word = WORDS[cell]
    return [number for number, other in enumerate(WORDS) if sum(a != b for a, b in zip(word, other, strict=True)) == 1]


def test_neighbours_are_the_words_that_differ_in_one_letter():
    of = problem()
    assert all(sorted(of.neighbours(cell)) == near(cell) for cell in range(len(SPACE)))


@pytest.mark.parametrize("seed", SEEDS)
def test_local_search_climbs_and_starts_afresh(seed):
    of = problem(budget=25)
    again = fresh(of, seed)
    proposed = []
    for start in again.order.tolist():
        cell = start
        proposed.append(cell)
        while True:
            others = again.neighbours(cell)
            proposed += others
            best = max(others, key=lambda other: again.value(other, 0))
            if again.value(best, 0) <= again.value(cell, 0):
                break
            cell = best
    assert searched("local-search", of, seed).cells.tolist() == first_trained(proposed, 25)


def slow_evolution(again, population, steps):
    """Regularised evolution with a list of all that ever lived."""
    history = list(population)
    proposed = list(population)
    living = list(history)
    for _ in range(steps):
        places = again.generator.choice(len(living), SAMPLE, replace=False)
        parent = max((living[place] for place in places), key=lambda cell: again.value(cell, 0))
        child = again.neighbours(parent)[0]
        proposed.append(child)
        history.append(child)
        living = history[-POPULATION:]
    return proposed


@pytest.mark.parametrize("seed", SEEDS)
def test_evolution_mutates_the_best_of_a_sample_and_the_oldest_dies(seed):
    of = problem()
    again = fresh(of, seed)
    proposed = slow_evolution(again, again.order[:POPULATION].tolist(), 400)
    assert searched("evolution", of, seed).cells.tolist() == first_trained(proposed, 20)


@pytest.mark.parametrize("seed", SEEDS)
def test_warm_evolution_begins_with_the_best_scored(seed):
    of, guide = problem(), score()
    again = fresh(of, seed, guide)
    proposed = slow_evolution(again, again.best_scored(again.order)[:POPULATION].tolist(), 400)
    assert searched("warm-evolution", of, seed, guide).cells.tolist() == first_trained(proposed, 20)


@pytest.mark.parametrize("seed", SEEDS)
def test_halving_keeps_a_third_and_pays_by_epochs(seed):
    of = problem(budget=6, levels=3)
    again = fresh(of, seed)
    trained = []
    for start in range(0, 27, 9):
        cells = again.order[start : start + 9].tolist()
        for level, kept in enumerate((3, 1, 0)):
            trained += [(cell, level) for cell in cells]
            cells = sorted(cells, key=lambda cell: again.value(cell, level), reverse=True)[:kept]
    trace = searched("halving", of, seed)
    costs = np.cumsum([3.0 ** (level - 2) for _, level in trained])
    number = int((costs <= 6 + 1e-9).sum())
    assert trace.cells.tolist() == [cell for cell, _ in trained][:number]
    np.testing.assert_allclose(trace.trainings, costs[:number])
    seconds = [of.objective.levels[level].seconds[cell] for cell, level in trained[:number]]
    np.testing.assert_allclose(trace.seconds, np.cumsum(seconds))


def test_a_round_of_halving_costs_three_trainings_on_three_budgets():
    of = problem(budget=3, levels=3)
    trace = searched("halving", of, 0)
    assert len(trace.cells) == 9 + 3 + 1
    assert trace.trainings[-1] == pytest.approx(9 / 9 + 3 / 3 + 1)


@pytest.mark.parametrize("name", ["tpe", "warm-tpe"])
def test_the_estimator_begins_with_ten_cells_and_finds_the_best_word(name):
    """Values that rise with every letter: it has to come to ccc, and sooner than random search."""
    pytest.importorskip("optuna")
    of = problem(budget=20)
    values = np.array([sum("abc".index(letter) for letter in word) for word in WORDS], float)
    of.objective.levels[0].runs[:] = values[:, None]
    guide, found = score(), []
    for seed in range(5):
        again = fresh(of, seed, guide)
        first = again.best_scored(again.order) if name == "warm-tpe" else again.order
        cells = searched(name, of, seed, guide if name == "warm-tpe" else None).cells.tolist()
        assert cells[:10] == first[:10].tolist()
        found.append(cells.index(26))
    assert np.mean(found) < 13


@pytest.mark.parametrize("name", sorted({*strategy_names()} - {"prune", "tpe", "warm-tpe"}))
def test_the_same_seed_searches_alike_and_another_one_otherwise(name):
    of, guide = problem(budget=8, levels=3), score()
    runs = [searched(name, of, seed, guide) for seed in (3, 3, 4)]
    assert runs[0].cells.tolist() == runs[1].cells.tolist()
    assert runs[0].found.tolist() == runs[1].found.tolist()
    assert runs[0].cells.tolist() != runs[2].cells.tolist()


def test_no_strategy_trains_a_cell_twice_or_beyond_the_budget():
    of, guide = problem(budget=20), score()
    for name in ("random", "best-scored", "local-search", "evolution", "warm-evolution"):
        cells = searched(name, of, 1, guide).cells.tolist()
        assert len(cells) == len(set(cells)) == 20, name
