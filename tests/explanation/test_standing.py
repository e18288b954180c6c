"""Places and percentiles against ranks by SciPy."""

import numpy as np
import pytest
from scipy.stats import rankdata

from ntknas.explanation.standing import percentiles, standing

CASES = {
    "distinct": [3.0, 1.0, 2.0, 7.0, 5.0],
    "ties": [1.0, 2.0, 2.0, 2.0, 9.0, 9.0],
    "gaps": [np.nan, 4.0, np.nan, 4.0, 1.0],
    "all alike": [6.0, 6.0, 6.0],
}


@pytest.mark.parametrize("higher_is_better", [True, False])
@pytest.mark.parametrize("name", CASES)
def test_a_place_is_a_rank(name, higher_is_better):
    values = np.array(CASES[name])
    there = np.isfinite(values)
    signed = values[there] if higher_is_better else -values[there]
    best_first, middle = rankdata(-signed, "min"), rankdata(signed, "average")
    expected = 100 * (middle - 1) / (len(signed) - 1)
    of_all = percentiles(values, higher_is_better=higher_is_better)
    assert of_all[there] == pytest.approx(expected)
    assert np.isnan(of_all[~there]).all()
    for number, cell in enumerate(np.flatnonzero(there)):
        found = standing("x", values, int(cell), higher_is_better=higher_is_better)
        assert (found.place, found.of) == (best_first[number], len(signed))
        assert found.tied == (signed == signed[number]).sum() - 1
        assert found.percentile == pytest.approx(expected[number])


def test_a_cell_without_a_value_has_no_place():
    found = standing("x", np.array([np.nan, 1.0]), 0, higher_is_better=True)
    assert (found.value, found.place, found.percentile, found.of) == (None, None, None, 1)
    assert standing("x", np.array([np.nan, 1.0]), 1, higher_is_better=True).percentile is None
