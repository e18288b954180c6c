"""Paired tests of strategies against scipy's."""

import numpy as np
import pytest
from scipy import stats

from ntknas.core.holm import holm
from ntknas.search.paired import against, paired_tests


def samples(seed, shift, n=40):
    generator = np.random.default_rng(seed)
    first = generator.normal(size=n)
    return {"a": first, "b": first + shift + generator.normal(size=n)}


@pytest.mark.parametrize(("seed", "shift"), [(0, 0.0), (1, 0.3), (2, 0.6), (3, -0.4)])
def test_p_and_interval_are_those_of_scipy(seed, shift):
    found = samples(seed, shift)
    (test,) = paired_tests(found)
    differences = found[test.first] - found[test.second]
    assert test.difference == pytest.approx(differences.mean())
    assert test.difference >= 0
    signs = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=99_999, rng=np.random.default_rng(9)
    )
    assert test.p == pytest.approx(signs.pvalue, abs=0.006)
    ends = stats.bootstrap((differences,), np.mean, method="percentile", rng=np.random.default_rng(9))
    assert (test.low, test.high) == pytest.approx(tuple(ends.confidence_interval), abs=0.03)


def test_all_tests_that_are_made_together_are_corrected_together():
    found = {budget: samples(seed, shift) for seed, (budget, shift) in enumerate([(10.0, 0.5), (50.0, 0.2)])}
    tests = against(["a"], found)
    assert [(test.first, test.second, test.spent) for test in tests] == [("b", "a", 10.0), ("b", "a", 50.0)]
    assert [test.p_holm for test in tests] == pytest.approx(holm([test.p for test in tests]))


def test_equal_searches_do_not_differ():
    (test,) = paired_tests({"a": np.arange(20.0), "b": np.arange(20.0)})
    assert (test.difference, test.p) == (0.0, 1.0)


def test_few_seeds_make_no_test():
    found = {"a": np.arange(12.0), "b": np.where(np.arange(12) < 3, np.nan, 1.0)}
    assert paired_tests(found) == []
