"""The statistics against scipy and numpy, and by simulation where they are estimates."""

import numpy as np
import pytest
from scipy import stats

from ntknas.correlation import bootstrap, coefficients
from ntknas.correlation.estimate import Estimate
from ntknas.correlation.partial import partial_kendall


def _samples(seed, n=40, ties=False):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(n)
    y = x + rng.standard_normal(n)
    return (np.round(x), np.round(y)) if ties else (x, y)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_coefficients_equal_scipy(seed, ties):
    x, y = _samples(seed, ties=ties)
    assert coefficients.kendall(x, y) == pytest.approx(stats.kendalltau(x, y).statistic)
    assert coefficients.spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic)
    assert coefficients.pearson(x, y) == pytest.approx(stats.pearsonr(x, y).statistic)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("name", list(coefficients.COEFFICIENTS))
def test_all_resamples_at_once_equal_one_by_one(name, ties, monkeypatch):
    x, y = _samples(5, n=25, ties=ties)
    indices = bootstrap.draw_resamples(25, 60, seed=1)
    expected = [coefficients.COEFFICIENTS[name](x[rows], y[rows]) for rows in indices]
    np.testing.assert_allclose(coefficients.resampled(name, x, y, indices), expected, rtol=1e-12)
    monkeypatch.setattr(coefficients, "PAIRWISE_LIMIT", 0)
    np.testing.assert_allclose(coefficients.resampled(name, x, y, indices), expected, rtol=1e-12)


@pytest.mark.parametrize("name", ["kendall", "spearman"])
def test_the_interval_is_scipys_percentile_bootstrap(name):
    x, y = _samples(2, n=60)
    ours = bootstrap.estimate(name, x, y, bootstrap.draw_resamples(60, 4000, seed=0))
    theirs = stats.bootstrap(
        (x, y),
        coefficients.COEFFICIENTS[name],
        paired=True,
        vectorized=False,
        n_resamples=4000,
        method="percentile",
        rng=1,
    ).confidence_interval
    assert ours.low == pytest.approx(theirs.low, abs=0.03)
    assert ours.high == pytest.approx(theirs.high, abs=0.03)


@pytest.mark.parametrize("ties", [False, True])
def test_the_interval_of_r_is_the_bootstrap_t_on_fishers_scale(ties):
    """Against one resample at a time, with numpy's r and the jackknife in place of the delta method."""
    x, y = _samples(2, n=60, ties=ties)

    def fisher(a, b):
        left_out = [np.delete(np.arange(len(a)), i) for i in range(len(a))]
        z = [np.arctanh(np.corrcoef(a[rows], b[rows])[0, 1]) for rows in left_out]
        return np.arctanh(np.corrcoef(a, b)[0, 1]), np.std(z) * np.sqrt(len(a) - 1)

    z, error = fisher(x, y)
    drawn = bootstrap.draw_resamples(60, 200, seed=0)
    resampled = np.array([fisher(x[rows], y[rows]) for rows in drawn])
    low, high = np.quantile((resampled[:, 0] - z) / resampled[:, 1], [0.025, 0.975])
    assert bootstrap.estimate("pearson", x, y, drawn).low is None
    assert bootstrap.studentised_pearson(x, y, drawn) == pytest.approx(
        (np.tanh(z - high * error), np.tanh(z - low * error)), abs=0.01
    )


def test_a_perfect_correlation_has_no_interval_of_r():
    x = np.arange(400.0)
    got = bootstrap.estimate("pearson", x, 2 * x, bootstrap.draw_resamples(400, 200, 0))
    assert (got.value, got.low, got.high) == (pytest.approx(1.0), None, None)


def test_intervals_cover_the_truth():
    """Normal pairs with correlation 0.6: τ = 2/π·asin(0.6) in about 95 of 100 intervals."""
    rng, truth = np.random.default_rng(0), 2 / np.pi * np.arcsin(0.6)
    covered = 0
    for trial in range(300):
        x = rng.standard_normal(100)
        y = 0.6 * x + 0.8 * rng.standard_normal(100)
        got = bootstrap.estimate("kendall", x, y, bootstrap.draw_resamples(100, 400, trial))
        covered += got.low <= truth <= got.high
    assert 0.90 <= covered / 300 <= 0.985


@pytest.mark.parametrize(
    ("x", "y"),
    [([1.0, 1, 1, 1], [1.0, 2, 3, 4]), ([1.0, 2], [1.0, 2]), ([], []), ([0.1] * 40, list(range(40)))],
)
def test_there_is_no_coefficient_of_a_constant_or_of_two_cells(x, y):
    x, y = np.array(x), np.array(y, dtype=float)
    for name in coefficients.COEFFICIENTS:
        assert bootstrap.estimate(name, x, y, bootstrap.draw_resamples(max(len(x), 1), 50, 0)) == Estimate(None)


def test_there_is_no_interval_of_few_cells_or_without_resamples():
    x, y = _samples(0, n=9)
    got = bootstrap.estimate("kendall", x, y, bootstrap.draw_resamples(9, 100, 0))
    assert got.value is not None
    assert got.low is None
    x, y = _samples(0, n=20)
    assert bootstrap.estimate("kendall", x, y, bootstrap.draw_resamples(20, 0, 0)).low is None
    too_few = bootstrap.draw_resamples(20, bootstrap.MIN_RESAMPLES - 1, 0)
    assert bootstrap.estimate("kendall", x, y, too_few).low is None
    nearly = np.zeros(20)
    nearly[0] = 1
    assert bootstrap.estimate("kendall", nearly, y, bootstrap.draw_resamples(20, 200, 0)).low is None


def test_partial_correlation_of_one_covariate_is_the_textbook_formula():
    rng = np.random.default_rng(0)
    z = rng.standard_normal(60)
    x, y = z + rng.standard_normal(60), z + rng.standard_normal(60)
    xy, xz, yz = (stats.kendalltau(*pair).statistic for pair in ((x, y), (x, z), (y, z)))
    expected = (xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2))
    got, used, dropped = partial_kendall(x, y, {"z": z})
    assert got == pytest.approx(expected)
    assert (used, dropped) == (("z",), {})
    assert abs(got) < abs(xy)


def test_covariates_that_rank_alike_or_not_at_all_are_dropped():
    rng = np.random.default_rng(1)
    x, y, z = rng.standard_normal((3, 30))
    alone = partial_kendall(x, y, {"z": z})
    found = partial_kendall(x, y, {"z": z, "again": 3 * z + 1, "reversed": -z, "ones": np.ones(30)})
    assert found[:2] == alone[:2]
    assert found.dropped == {"again": "z", "reversed": "z", "ones": "constant"}
    assert partial_kendall(x, y, {})[0] == pytest.approx(stats.kendalltau(x, y).statistic)
    assert partial_kendall(x, y, {"x": x}) == (None, ("x",), {})
    assert partial_kendall(np.ones(30), y, {"z": z})[0] is None
    assert partial_kendall(x[:3], y[:3], {})[0] is None


@pytest.mark.parametrize("factor", [1e-300, 1e300])
def test_r_of_the_largest_and_smallest_numbers_is_that_of_moderate_ones(factor):
    x, y = _samples(3, n=400)
    drawn = bootstrap.draw_resamples(400, 200, 0)
    expected = bootstrap.estimate("pearson", x, y, drawn)
    got = bootstrap.estimate("pearson", factor * x, factor * y, drawn)
    assert (got.value, got.low, got.high) == pytest.approx((expected.value, expected.low, expected.high))
