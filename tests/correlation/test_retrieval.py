"""What a score puts first: against every order of its ties, closed forms, and the published figures."""

import itertools
import math

import numpy as np
import pytest

from ntknas.correlation import retrieval
from ntknas.correlation.coefficients import weighted_kendall


def _tied_samples(seed, n=6):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 3, n).astype(float), 10.0 * rng.integers(0, 4, n) + rng.integers(1, 3, n)


def _orders(x):
    """Every order of the cells by score, best first; ties in every order."""
    return [sorted(order, key=lambda cell: -x[cell]) for order in itertools.permutations(range(len(x)))]


@pytest.mark.parametrize("seed", range(6))
def test_ndcg_is_the_mean_over_all_orders_of_ties(seed):
    x, y = _tied_samples(seed)
    gains = 2**y - 1
    for p in range(1, 7):
        discounts = [1 / math.log2(1 + j) for j in range(1, p + 1)]
        ideal = sum(g * d for g, d in zip(sorted(gains, reverse=True), discounts, strict=False))
        sums = [sum(gains[cell] * d for cell, d in zip(order, discounts, strict=False)) for order in _orders(x)]
        assert retrieval.ndcg(x, y, p) == pytest.approx(np.mean(sums) / ideal, rel=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_precision_is_the_mean_over_all_orders_of_ties_on_both_sides(seed):
    x, y = _tied_samples(seed, n=5)
    for k in range(1, 6):
        first = [set(order[:k]) for order in _orders(x)]
        best = [set(order[:k]) for order in _orders(y)]
        shared = [len(a & b) / k for a in first for b in best]
        assert retrieval.precision(x, y, k) == pytest.approx(np.mean(shared), rel=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_best_of_k_is_the_mean_over_all_orders_of_ties(seed):
    x, y = _tied_samples(seed)
    expected = [np.mean([max(y[order[:k]]) for order in _orders(x)]) for k in range(1, 7)]
    np.testing.assert_allclose(retrieval.best_of(x, y, range(1, 7)), expected, rtol=1e-12)


def test_accuracies_themselves_reach_one_and_the_optimum():
    y = np.random.default_rng(0).uniform(10, 95, 200)
    figures = retrieval.retrieval(y, y)
    assert figures.ndcg == {10: pytest.approx(1), 100: pytest.approx(1), 1000: None}
    assert figures.precision == {10: pytest.approx(1), 100: pytest.approx(1)}
    assert figures.precision_top10 == pytest.approx(1)
    assert retrieval.retrieval(np.zeros(70), y[:70]).precision_top10 == pytest.approx(7 / 70)  # 0.1 · 70 > 7 in floats
    assert retrieval.retrieval(np.zeros(71), y[:71]).precision_top10 == pytest.approx(8 / 71)
    assert figures.best_of == dict.fromkeys(retrieval.BEST_OF, y.max())


def test_a_constant_score_is_a_random_search():
    y = np.random.default_rng(1).uniform(10, 95, 150)
    constant = np.zeros(150)
    gains, discounts = 2**y - 1, 1 / np.log2(1 + np.arange(1, 101))
    expected = gains.mean() * discounts.sum() / (np.sort(gains)[::-1][:100] @ discounts)
    assert retrieval.ndcg(constant, y, 100) == pytest.approx(expected, rel=1e-12)
    assert retrieval.precision(constant, y, 10) == pytest.approx(10 / 150)
    draws = np.random.default_rng(2).permuted(np.tile(y, (20_000, 1)), axis=1)[:, :10].max(axis=1)
    (best_of_10,) = retrieval.best_of(constant, y, [10])
    assert best_of_10 == pytest.approx(draws.mean(), abs=5 * draws.std() / math.sqrt(len(draws)))
    assert retrieval.best_of(constant, y, [1, 150]) == pytest.approx([y.mean(), y.max()])


def test_no_figure_depends_on_the_order_of_cells_or_the_scale_of_scores():
    x, y = _tied_samples(3, n=120)
    shuffled = np.random.default_rng(0).permutation(120)
    figures = retrieval.retrieval(x, y)
    for other in (retrieval.retrieval(x[shuffled], y[shuffled]), retrieval.retrieval(1e6 * x**3 - 4, y)):
        assert other.ndcg == pytest.approx(figures.ndcg)
        assert other.precision == pytest.approx(figures.precision)
        assert other.best_of == pytest.approx(figures.best_of)


@pytest.mark.parametrize("shift", [0, 40, 85])
def test_ndcg_forgets_no_gain_however_large(shift):
    y = np.array([1.0, 9.0, 2.0, 14.0, 14.5]) + shift
    x = np.arange(5.0)
    exact = [2**a - 1 for a in y]
    discounts = [1 / math.log2(1 + j) for j in (1, 2, 3)]
    ideal = sum(g * d for g, d in zip(sorted(exact, reverse=True), discounts, strict=False))
    got = sum(g * d for g, d in zip(exact[::-1], discounts, strict=False))
    assert retrieval.ndcg(x, y, 3) == pytest.approx(got / ideal, rel=1e-13)


@pytest.mark.parametrize(
    "y", [[0.1, 0.5, 0.93], [-1.0, 3.0, 4.0], [5.0, 60.0, 100.5], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [1e150, 1e149, 1.0]]
)
def test_ndcg_has_no_value_where_accuracies_are_no_percentages(y):
    assert retrieval.ndcg(np.arange(3.0), np.array(y), 2) is None


def test_no_figure_is_of_more_cells_than_there_are():
    x = np.arange(9.0)
    figures = retrieval.retrieval(x, 10 + x)
    assert set(figures.ndcg.values()) == set(figures.precision.values()) == {None}
    assert figures.best_of == {1: 18.0, 10: None, 50: None, 100: None}
    assert retrieval.retrieval(x[:0], x[:0]).best_of == dict.fromkeys(retrieval.BEST_OF)


def _literal_weighted_tau(x, y):
    """Vigna's additive hyperbolic τ over all pairs, with places by x and then y, and the reverse."""
    taus = []
    for a, b in ((x, y), (y, x)):
        places = {cell: place for place, cell in enumerate(sorted(range(len(a)), key=lambda i: (-a[i], -b[i])))}
        total, norm_a, norm_b = 0.0, 0.0, 0.0
        for i, j in itertools.permutations(range(len(a)), 2):
            weight = 1 / (1 + places[i]) + 1 / (1 + places[j])
            total += weight * np.sign(a[i] - a[j]) * np.sign(b[i] - b[j])
            norm_a += weight * (a[i] != a[j])
            norm_b += weight * (b[i] != b[j])
        taus.append(total / math.sqrt(norm_a * norm_b))
    return np.mean(taus)


@pytest.mark.parametrize("seed", range(6))
def test_weighted_tau_is_its_definition(seed):
    x, y = _tied_samples(seed, n=12)
    assert weighted_kendall(x, y) == pytest.approx(_literal_weighted_tau(x, y), rel=1e-12)


def test_weighted_tau_of_a_constant_is_none():
    assert math.isnan(weighted_kendall(np.zeros(5), np.arange(5.0)))
