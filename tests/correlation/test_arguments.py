"""What ``correlate`` is given beside scores: names that stand alone, and values that nothing can be made of."""

import numpy as np
import pandas as pd
import pytest

import ntknas
from ntknas.core.errors import NtknasError

CELLS = range(60)
SCORES = pd.DataFrame({"one": np.random.default_rng(0).random(60), "two": np.arange(60.0)}, CELLS)
ACCURACIES = pd.Series(np.random.default_rng(1).random(60) * 100, CELLS, name="mine")


def _correlated(scores=SCORES, **options):
    return ntknas.correlate(scores, ACCURACIES, resamples=options.pop("resamples", 0), space="nb201", **options)


@pytest.mark.parametrize(
    ("option", "name"), [("given", "flops"), ("combine", "rank(one)"), ("measures", "one"), ("lower_is_better", "one")]
)
def test_a_name_may_stand_alone(option, name):
    alone, listed = (_correlated(**{option: names}).frame() for names in (name, [name]))
    pd.testing.assert_frame_equal(alone, listed)


BAD = {
    "one cell": ({"cells": 5}, r"`cells` are several indices of cells, such as \[0, 8216\], got 5"),
    "half a resample": ({"resamples": 1.5}, "`resamples` must be a whole number, 0 or more, got 1.5"),
    "seed": ({"seed": -1}, "`seed` must be a whole number, 0 or more, got -1"),
    "complex scores as objects": ({"scores": (SCORES["one"] * 1j).astype(object)}, "Scores are real numbers: got"),
    "cells that are texts": ({"cells": ["a"]}, "`cells` are indices of cells, got 'a'"),
    "cells outside": ({"cells": range(20000, 20050)}, "`cells` are indices, 0 to 15624 for nb201: got 20000"),
    "resamples": ({"resamples": -1}, "`resamples` must be a whole number, 0 or more, got -1"),
    "columns of one name": (
        {"scores": pd.concat([SCORES, SCORES], axis=1)},
        "several columns one: expected names that tell them apart",
    ),
    "complex scores": ({"scores": SCORES["one"] * 1j}, "Scores are real numbers: got"),
}


@pytest.mark.parametrize("name", list(BAD))
def test_what_nothing_can_be_made_of(name):
    options, message = BAD[name]
    with pytest.raises(NtknasError, match=message):
        _correlated(**options)


def test_accuracies_are_real():
    with pytest.raises(NtknasError, match="mine: accuracies are real numbers, got"):
        ntknas.correlate(SCORES, ACCURACIES * 1j, resamples=0)
