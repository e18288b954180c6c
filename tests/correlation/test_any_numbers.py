"""Whatever the numbers are: an answer that JSON can hold, or one message."""

import json

import numpy as np
import pandas as pd
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ntknas import correlate
from ntknas.benchmarks.table import AccuracyTable
from ntknas.core.errors import NtknasError
from ntknas.correlation import as_json

EXTREMES = st.sampled_from([0.0, 1.0, -1.0, 5e-324, 1e-300, 1e149, -1e149, 1e308, -1e308, np.nan, np.inf, -np.inf])
NUMBERS = st.lists(st.one_of(EXTREMES, st.floats(-1e3, 1e3)), min_size=12, max_size=12)


def _answer(scores, accuracies, **options):
    try:
        return as_json(correlate(scores, accuracies, resamples=200, **options))
    except NtknasError as error:
        return str(error)


@settings(max_examples=15, deadline=None)
@given(first=NUMBERS, second=NUMBERS, accuracies=NUMBERS)
def test_scores_and_accuracies_of_any_numbers(first, second, accuracies):
    scores = pd.DataFrame({"cell": [*range(12)] * 2, "seed": [0] * 12 + [1] * 12, "value": [*first, *second]})
    answer = _answer(scores, pd.Series(accuracies))
    assert isinstance(answer, str) or json.dumps(answer, allow_nan=False)


@settings(max_examples=15, deadline=None)
@given(first=NUMBERS, second=NUMBERS, accuracies=NUMBERS, unscored=st.sampled_from(["left-out", "last"]))
def test_combinations_of_any_numbers(first, second, accuracies, unscored):
    """Too few numbers are refused for each combination by itself."""
    scores = pd.DataFrame({"a": first, "b": second})
    for text in ("rank(a)+rank(b)", "a*b - 1e300", "log(a)/b", "abs(rank(log(a)) - b)"):
        answer = _answer(scores, pd.Series(accuracies), combine=[text], unscored=unscored)
        assert isinstance(answer, str) or json.dumps(answer, allow_nan=False)


@settings(max_examples=10, deadline=None)
@example(runs=[[0.0] * 6 + [5e-324] + [0.0] * 5] * 2)
@given(runs=st.lists(NUMBERS, min_size=2, max_size=3))
def test_tables_of_any_numbers(runs):
    table = AccuracyTable(np.array(runs).T, tuple(range(len(runs))))
    answer = _answer(pd.Series(np.arange(12.0)), {"mine": table})
    assert isinstance(answer, str) or json.dumps(answer, allow_nan=False)
