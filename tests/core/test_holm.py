"""Holm's correction."""

import math

import numpy as np
import pytest

from ntknas.core.holm import holm


@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_definition(seed):
    p_values = np.random.default_rng(seed).uniform(0, 0.2, 7)
    order = np.argsort(p_values)
    expected = np.empty(7)
    expected[order] = np.minimum(1, np.maximum.accumulate((7 - np.arange(7)) * p_values[order]))
    assert holm(p_values.tolist()) == expected.tolist()


def test_what_is_not_known_stays_and_counts_for_nothing():
    adjusted = holm([math.nan, 0.02, 0.5])
    assert math.isnan(adjusted[0])
    assert adjusted[1:] == [0.04, 0.5]
    assert holm([]) == []
