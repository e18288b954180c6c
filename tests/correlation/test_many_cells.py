"""Standard errors, paired tests and selection, against brute force, scipy and simulation."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ntknas.correlation import Estimate, asymptotic, bootstrap, coefficients, compare, noise, selection
from ntknas.measures import Aggregate


def _pair(seed, n, digits=None, slope=1.0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(n)
    y = slope * x + rng.standard_normal(n)
    return (x, y) if digits is None else (np.round(x, digits), np.round(y, digits))


@pytest.mark.parametrize("digits", [None, 1, 0])
@pytest.mark.parametrize("n", [2, 3, 17, 128, 301])
def test_concordance_and_dominance_by_brute_force(n, digits):
    x, y = _pair(n, n, digits)
    signs = np.sign(x[:, None] - x) * np.sign(y[:, None] - y)
    np.testing.assert_array_equal(asymptotic.concordance(x, y), signs.sum(1))
    below = (x[:, None] > x) & (y[:, None] > y)
    np.testing.assert_array_equal(asymptotic.dominated(x, y), below.sum(1))


@pytest.mark.parametrize("digits", [None, 1, 0])
@pytest.mark.parametrize("name", list(coefficients.COEFFICIENTS))
def test_standard_errors_are_the_bootstraps(name, digits):
    x, y = _pair(1, 800, digits)
    drawn = bootstrap.draw_resamples(800, 2000, seed=0)
    spread = coefficients.resampled(name, x, y, drawn).std()
    assert asymptotic.standard_error(name, x, y) == pytest.approx(spread, rel=0.08)


def test_the_error_of_independent_pairs_is_the_textbooks():
    x, y = _pair(3, 5000, slope=0.0)
    n = len(x)
    assert asymptotic.standard_error("kendall", x, y) == pytest.approx(np.sqrt(4 / (9 * n)), rel=0.05)
    assert asymptotic.standard_error("spearman", x, y) == pytest.approx(1 / np.sqrt(n), rel=0.05)


def test_many_cells_are_not_resampled(monkeypatch):
    monkeypatch.setattr(bootstrap, "LARGE", 400)
    x, y = _pair(5, 500)
    drawn = bootstrap.draw_resamples(500, 1000, 0)
    assert drawn.size == 0
    for name in coefficients.COEFFICIENTS:
        got = bootstrap.estimate(name, x, y, drawn)
        error = asymptotic.standard_error(name, x, y)
        assert got.high - got.low == pytest.approx(2 * 1.959964 * error)
        monkeypatch.setattr(bootstrap, "LARGE", 20_000)
        resampled = bootstrap.estimate(name, x, y, bootstrap.draw_resamples(500, 2000, 0))
        monkeypatch.setattr(bootstrap, "LARGE", 400)
        assert got.low == pytest.approx(resampled.low, abs=0.01)
    assert bootstrap.estimate("kendall", x, y, bootstrap.draw_resamples(500, 0, 0)).low is None


def test_the_top_is_resampled_among_itself():
    x, y = _pair(2, 200)
    y[np.argsort(y)[-51]] = np.sort(y)[-50]  # tied with the last of the top, and so in it
    got = bootstrap.estimate_of_top(x, y, 0.25, 300, 0)
    top = y >= np.sort(y)[-50]
    assert top.sum() == 51
    assert got == bootstrap.estimate("kendall", x[top], y[top], bootstrap.draw_resamples(51, 300, 0))
    assert bootstrap.estimate_of_top(x[:30], y[:30], 0.1, 300, 0) == Estimate(None)


def test_regret_of_the_best_of_k():
    x = np.array([5.0, 4, 3, 2, 1, 0, -1, -2, -3, -4, -5])
    y = np.array([10.0, 20, 15, 90, 30, 40, 99, 50, 60, 70, 100])
    got = selection.best_cells(x, y, pd.Index(range(100, 111)))
    assert got == selection.BestCells(100, regret=90.0, regret_of_5=10.0, regret_of_10=1.0)
    few = selection.best_cells(x[:3], y[:3], pd.Index(range(3)))
    assert (few.regret, few.regret_of_5) == (10.0, None)


def test_agreement_of_a_measure_with_itself():
    rng = np.random.default_rng(0)
    first = rng.standard_normal(30)
    second = first + 0.5 * rng.standard_normal(30)
    rows = pd.DataFrame(
        [
            {"cell": cell, "seed": seed, "value": values[cell]}
            for seed, values in enumerate((first, second))
            for cell in range(30)
        ]
    )
    assert selection.seed_kendall(rows) == pytest.approx(stats.kendalltau(first, second).statistic)
    assert selection.seed_kendall(rows[rows["seed"] == 0]) is None
    assert selection.seed_kendall(rows[rows["cell"] < 5]) is None


def _three(seed, n=120):
    rng = np.random.default_rng(seed)
    y = rng.standard_normal(n)
    return {
        "good": y + 0.5 * rng.standard_normal(n),
        "alike": y + 0.5 * rng.standard_normal(n),
        "bad": rng.standard_normal(n),
    }, y


def test_paired_tests():
    scores, y = _three(0)
    found = {(item.first, item.second): item for item in compare.compare(scores, y, 500)}
    assert len(found) == 3
    for (first, second), item in found.items():
        expected = coefficients.kendall(scores[first], y) - coefficients.kendall(scores[second], y)
        assert item.difference == pytest.approx(expected)
        assert item.difference >= 0
        assert item.p_holm >= item.p
    clear = [item for item in found.values() if item.second == "bad"]
    assert all(item.p < 0.01 and item.low > 0 for item in clear)
    (close,) = [item for item in found.values() if item.second != "bad"]
    assert close.p > 0.05
    assert close.low < 0 < close.high


def test_paired_tests_of_many_cells_agree_with_the_bootstrap(monkeypatch):
    scores, y = _three(1, 450)
    resampled = compare.compare(scores, y, 2000)
    monkeypatch.setattr(compare, "MANY_CELLS", 400)
    by_error = {(item.first, item.second): item for item in compare.compare(scores, y, 2000)}
    for item in resampled:
        other = by_error[item.first, item.second]
        assert other.low == pytest.approx(item.low, abs=0.015)
        assert other.high == pytest.approx(item.high, abs=0.015)


def test_the_level_of_a_paired_test():
    """Two equally good measures differ significantly in about one of twenty samples."""
    rejected = 0
    for seed in range(200):
        scores, y = _three(seed, 60)
        del scores["bad"]
        (item,) = compare.compare(scores, y, 200, seed)
        rejected += item.p < 0.05
    assert 2 <= rejected <= 20


def test_holms_correction():
    assert compare.holm([0.01, 0.02, 0.03, 0.5]) == pytest.approx([0.04, 0.06, 0.06, 0.5])
    assert compare.holm([0.4, 0.9]) == pytest.approx([0.8, 0.9])


def test_nothing_to_compare():
    scores, y = _three(0, 9)
    assert compare.compare(scores, y) == []
    scores, y = _three(0, 30)
    assert compare.compare(scores, y, 0) == []
    assert compare.compare({"a": scores["good"], "constant": np.ones(30)}, y) == []


def test_the_agreement_of_training_seeds_has_an_interval():
    rng = np.random.default_rng(0)
    truth = rng.standard_normal(60)
    runs = truth[:, None] + 0.3 * rng.standard_normal((60, 3))
    value = noise.seed_agreement(runs)["kendall"]
    interval = noise.seed_agreement_interval(runs)["kendall"]
    assert interval["low"] < value < interval["high"]
    assert noise.seed_agreement_interval(runs[:, :1]) is None
    many = truth[np.arange(25_000) % 60][:, None] + rng.standard_normal((25_000, 2))
    wide = noise.seed_agreement_interval(many)["spearman"]
    assert wide["low"] < noise.seed_agreement(many)["spearman"] < wide["high"]


@pytest.mark.parametrize("rule", list(Aggregate))
def test_the_share_of_seeds_is_that_of_a_one_way_model(rule):
    """Cells with variance 4, seeds with variance 1, of the logarithms for a geometric measure: a share of 0.2."""
    rng = np.random.default_rng(0)
    values = 2 * rng.standard_normal((2000, 1)) + rng.standard_normal((2000, 3))
    values = np.exp(values) if rule is Aggregate.GEOMETRIC else values
    rows = pd.DataFrame(values).stack().rename_axis(["cell", "seed"]).rename("value").reset_index()
    assert selection.seed_variance(rows, rule) == pytest.approx(0.2, abs=0.02)
    rows.loc[rows["seed"] == 2, "value"] = np.nan
    assert selection.seed_variance(rows, rule) == pytest.approx(0.2, abs=0.02)
    assert selection.seed_variance(rows[rows["seed"] == 0], rule) is None
    assert selection.seed_variance(rows[rows["cell"] < 9], rule) is None


def test_values_without_logarithms_have_no_share_of_seeds():
    rows = pd.DataFrame({"cell": np.repeat(range(20), 2), "seed": [0, 1] * 20, "value": np.linspace(-1, 1, 40)})
    assert selection.seed_variance(rows, Aggregate.GEOMETRIC) is None
    constant = rows.assign(value=1.0)
    assert selection.seed_variance(constant, Aggregate.MEAN) is None


def test_a_p_value_below_all_floats_is_no_bound():
    x, y = _pair(0, 3000)
    (pair,) = compare.compare({"right": x, "wrong": -x}, y)
    assert pair.p == pair.p_holm == 0
    assert not pair.p_is_bound
    assert not pair.p_holm_is_bound
