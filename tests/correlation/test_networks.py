"""Resampling by network: against copies written out one by one, and by simulation where cells are one network."""

import numpy as np
import pytest
from scipy import stats

from ntknas.correlation import bootstrap, noise
from ntknas.correlation.asymptotic import INFLUENCES, error_of, standard_error
from ntknas.correlation.bootstrap import draw_any, draw_resamples, estimate, estimate_of_top
from ntknas.correlation.compare import compare, difference
from ntknas.correlation.drawn import Draws, drawn, repeated
from ntknas.correlation.estimate import Estimate
from ntknas.correlation.partial import of_matrices, partial_kendall
from ntknas.correlation.partial_interval import gradient, partial_interval

SCIPY = {
    "kendall": lambda x, y: stats.kendalltau(x, y).statistic,
    "spearman": lambda x, y: stats.spearmanr(x, y).statistic,
    "pearson": lambda x, y: stats.pearsonr(x, y).statistic,
}


def copied(rng, networks, copies):
    """Scores and accuracies of cells, equal in score within a network, alike in accuracy, in mixed order."""
    codes = rng.permutation(np.repeat(np.arange(networks), copies))
    quality = rng.standard_normal(networks)
    score = quality + rng.standard_normal(networks)
    return score[codes], quality[codes] + 0.1 * rng.standard_normal(len(codes)), codes


@pytest.mark.parametrize("name", SCIPY)
@pytest.mark.parametrize("pairwise", [True, False])
def test_a_resample_is_the_cells_of_the_networks_that_were_drawn(name, pairwise, monkeypatch):
    """The oracle draws networks one after the other and puts their cells into a list."""
    if not pairwise:
        monkeypatch.setattr("ntknas.correlation.drawn.PAIRWISE_LIMIT", 5)
    rng = np.random.default_rng(0)
    x, y, codes = copied(rng, 15, [1, 2, 3] * 5)
    x = np.round(x, 1)
    draws = Draws.of(codes, 25, seed=4)
    got = drawn(name, x, y, draws.weights)
    chosen = np.random.default_rng(4).integers(0, 15, size=(25, 15))
    for row, found in zip(chosen, got, strict=True):
        cells = [cell for network in row for cell in np.flatnonzero(codes == network)]
        assert found == pytest.approx(SCIPY[name](x[cells], y[cells]), abs=1e-12)


def test_a_constant_resample_has_no_coefficient():
    draws = Draws(np.array([0, 1, 1]), np.array([[3.0, 0.0, 0.0], [1.0, 1.0, 1.0]]))
    for name in SCIPY:
        got = drawn(name, np.array([0.1, 0.2, 0.3]), np.array([3.0, 1.0, 2.0]), draws.weights)
        assert np.isnan(got).tolist() == [True, False]


def test_where_every_cell_is_its_own_network_nothing_changes():
    rng = np.random.default_rng(1)
    x, y, z = rng.standard_normal((3, 60))
    alone = rng.permutation(60) + 7
    assert repeated(alone) is None
    assert repeated(None) is None
    np.testing.assert_array_equal(draw_any(60, 50, 3, repeated(alone)), draw_resamples(60, 50, 3))
    assert estimate_of_top(x, y, 0.25, 200, 0, alone) == estimate_of_top(x, y, 0.25, 200, 0)
    assert difference(x, z, y, 300, 0, alone) == difference(x, z, y, 300, 0)
    assert compare({"x": x, "z": z}, y, 300, 0, alone) == compare({"x": x, "z": z}, y, 300, 0)
    assert partial_interval([x, y, z], 300, 0, alone) == partial_interval([x, y, z], 300, 0)
    assert standard_error("kendall", x, y, repeated(alone)) == standard_error("kendall", x, y)


def test_networks_that_all_have_as_many_cells_are_resampled_as_single_cells_would_be():
    """Equal copies: the interval of n networks with two cells each is that of n cells, ties between copies aside."""
    rng = np.random.default_rng(2)
    quality, noise = rng.standard_normal((2, 40))
    x, y = quality, quality + noise
    codes = np.tile(np.arange(40), 2)
    for name in ("spearman", "kendall"):
        single = estimate(name, x, y, draw_resamples(40, 400, 0))
        double = estimate(name, np.tile(x, 2), np.tile(y, 2), Draws.of(codes, 400, 0))
        assert double.as_json() == pytest.approx(single.as_json(), abs=1e-9)


@pytest.mark.parametrize("name", list(INFLUENCES))
def test_standard_errors_sum_influences_by_network(name):
    rng = np.random.default_rng(3)
    x, y, codes = copied(rng, 300, rng.integers(1, 4, 300))
    psi = INFLUENCES[name](x, y)
    psi = psi - psi.mean()
    by_hand = np.sqrt(sum(psi[codes == network].sum() ** 2 for network in range(300))) / len(x)
    assert standard_error(name, x, y, codes) == pytest.approx(by_hand)
    assert error_of(psi, codes) == pytest.approx(by_hand)
    resampled = drawn(name, x, y, Draws.of(codes, 600, 0).weights)
    assert standard_error(name, x, y, codes) == pytest.approx(np.std(resampled), rel=0.12)


def test_too_few_networks_give_no_interval():
    rng = np.random.default_rng(4)
    x, y, codes = copied(rng, 9, [3] * 9)
    assert estimate("kendall", x, y, Draws.of(codes, 400, 0)).interval is None
    assert difference(x, y, y, 400, 0, codes) is None
    assert compare({"x": x, "y": y}, y, 400, 0, codes) == []
    assert partial_interval([x, y, x + y], 400, 0, codes) == (None, None)
    x, y, codes = copied(rng, 10, [3] * 10)
    assert estimate("kendall", x, y, Draws.of(codes, 400, 0)).interval is not None


TRIALS = 120


def test_intervals_by_cell_miss_where_cells_are_one_network_and_those_by_network_hold():
    """60 networks, half of them with five cells; the truth is that of many networks of the same kinds."""
    rng = np.random.default_rng(5)
    copies = [1, 5] * 30
    x, y, _ = copied(rng, 4000, [1, 5] * 2000)
    truth = SCIPY["kendall"](x, y)
    held = {"cells": 0, "networks": 0}
    for trial in range(TRIALS):
        x, y, codes = copied(rng, 60, copies)
        found = {
            "cells": estimate("kendall", x, y, draw_resamples(len(x), 200, trial)),
            "networks": estimate("kendall", x, y, Draws.of(codes, 200, trial)),
        }
        for kind, value in found.items():
            held[kind] += value.low <= truth <= value.high
    assert held["cells"] < 0.80 * TRIALS
    assert held["networks"] > 0.90 * TRIALS


def test_paired_tests_by_cell_find_what_is_not_there_and_those_by_network_do_not():
    """Two scores that rank alike in truth: too many small p-values by cell, about one in twenty by network."""
    rng = np.random.default_rng(6)
    found = {"cells": 0, "networks": 0}
    for trial in range(TRIALS):
        codes = np.repeat(np.arange(40), [1, 7] * 20)
        quality, first, second = rng.standard_normal((3, 40))
        x, z, y = (values[codes] for values in (quality + first, quality + second, quality))
        y = y + 0.1 * rng.standard_normal(len(codes))
        for kind, networks in (("cells", None), ("networks", codes)):
            found[kind] += difference(x, z, y, 200, trial, networks).p < 0.05
    assert found["cells"] > 0.15 * TRIALS
    assert found["networks"] < 0.12 * TRIALS


def test_pearsons_interval_is_by_network_too():
    rng = np.random.default_rng(7)
    x, y, codes = copied(rng, 300, [1, 5] * 150)
    by_network = estimate("pearson", x, y, Draws.of(codes, 400, 0))
    by_cell = estimate("pearson", x, y, draw_resamples(len(x), 400, 0))
    resampled = drawn("pearson", x, y, Draws.of(codes, 2000, 1).weights)
    width = by_network.high - by_network.low
    assert width == pytest.approx(np.diff(np.quantile(resampled, [0.025, 0.975]))[0], rel=0.15)
    assert width > 1.4 * (by_cell.high - by_cell.low)


def test_the_agreement_of_training_seeds_is_resampled_by_network():
    rng = np.random.default_rng(12)
    truth = rng.standard_normal(40)[np.arange(80) // 2]
    runs = truth[:, None] + 0.5 * rng.standard_normal((80, 3))
    found = noise.seed_agreement_interval(runs, 0, 300, np.arange(80) // 2)
    rows = [np.repeat(np.flatnonzero(w), w[w > 0].astype(int)) for w in Draws.of(np.arange(80) // 2, 300, 0).weights]
    again = [noise.seed_agreement(runs[cells])["kendall"] for cells in rows]
    assert [found["kendall"][end] for end in ("low", "high")] == pytest.approx(np.quantile(again, [0.025, 0.975]))
    assert noise.seed_agreement_interval(runs, 0, 300, np.arange(80)) == noise.seed_agreement_interval(runs, 0, 300)


def test_beyond_so_many_cells_standard_errors_are_by_network(monkeypatch):
    monkeypatch.setattr(bootstrap, "LARGE", 100)
    rng = np.random.default_rng(8)
    x, y, codes = copied(rng, 80, [2] * 80)
    found = estimate("kendall", x, y, draw_any(160, 1000, 0, repeated(codes)))
    half = 1.96 * standard_error("kendall", x, y, codes)
    assert found.as_json() == pytest.approx(
        Estimate(found.value, found.value - half, found.value + half).as_json(), abs=1e-4
    )


def test_the_gradient_of_a_partial_correlation():
    """By central differences of the matrix of τ-b."""
    rng = np.random.default_rng(9)
    variables = rng.standard_normal((4, 200)) + rng.standard_normal(200)
    matrix = np.array([[SCIPY["kendall"](a, b) for b in variables] for a in variables])
    slopes, step = gradient(matrix), 1e-6
    for i in range(4):
        for j in range(i):
            ends = []
            for sign in (1, -1):
                moved = matrix.copy()
                moved[i, j] = moved[j, i] = matrix[i, j] + sign * step
                ends.append(of_matrices(moved[None])[0])
            assert slopes[i, j] == pytest.approx((ends[0] - ends[1]) / (2 * step), abs=1e-6)


@pytest.mark.parametrize("cells", [200, 700])
def test_intervals_of_partial_correlations_are_those_of_recomputed_ones(cells):
    """Networks drawn and the partial correlation taken anew, one resample after the other; 700: standard errors."""
    rng = np.random.default_rng(10)
    z, a, b = rng.standard_normal((3, cells))
    x, y, z = np.round(z + a, 1), z + b + 0.5 * a, np.round(z, 1)
    codes = np.arange(cells) // 2
    again = []
    for _ in range(200):
        networks = rng.integers(0, cells // 2, cells // 2)
        rows = np.concatenate([np.flatnonzero(codes == network) for network in networks])
        again.append(partial_kendall(x[rows], y[rows], {"z": z[rows]}).value)
    low, high = partial_interval([x, y, z], 600, 0, codes)
    value = partial_kendall(x, y, {"z": z}).value
    assert low < value < high
    assert high - low == pytest.approx(4 * 0.98 * np.std(again), rel=0.2)


def test_a_partial_correlation_without_a_value_has_no_interval():
    rng = np.random.default_rng(11)
    for cells in (100, 600):
        x, y = rng.standard_normal((2, cells))
        assert partial_interval([x, y, x], 200) == (None, None)
    assert partial_interval([x, y, x + y], 0) == (None, None)
