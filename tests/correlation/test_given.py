"""Scores and accuracies in every form that ``ntknas.correlate`` takes, and what it says of others."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ntknas import correlate, load_benchmark
from ntknas.core.errors import DataError, NtknasError
from ntknas.correlation import as_json

CELLS = pd.RangeIndex(60, name="cell")
ACCURACIES = pd.Series(70 + 20 * np.random.default_rng(0).random(60), CELLS, name="mine")
SCORES = (ACCURACIES + 5 * np.random.default_rng(1).standard_normal(60)).rename("score")
TAU = stats.kendalltau(SCORES, ACCURACIES).statistic

FORMS = {
    "a series": SCORES,
    "a series without a name": SCORES.rename(None),
    "a table of one measure": SCORES.to_frame(),
    "cells as a column": SCORES.reset_index(),
    "columns cell and value": SCORES.rename("value").reset_index(),
    "with measure and seed": SCORES.rename("value").reset_index().assign(measure="score", seed=3),
    "numbers as texts": SCORES.rename("value").reset_index().astype({"cell": str, "value": object}),
    "values near the largest number": SCORES * 1e306,
}


@pytest.mark.parametrize("form", list(FORMS))
def test_scores_without_a_store(form):
    result = correlate(FORMS[form], ACCURACIES, resamples=0)
    (row,) = result.rows
    assert (row.measure, row.n, row.target, row.setting) == ("score", 60, "mine", "given")
    assert row.kendall.value == pytest.approx(TAU)
    assert json.loads(json.dumps(as_json(result), allow_nan=False))["rows"][0]["seconds_per_cell"] is None
    assert result.frame()["kendall"].tolist() == pytest.approx([TAU])


def test_every_column_is_a_measure_and_known_ones_have_their_direction():
    rows = correlate(pd.DataFrame({"cond": SCORES, "mine": SCORES}), ACCURACIES, resamples=0).rows
    assert {row.measure: round(row.kendall.value, 9) for row in rows} == {
        "cond": round(-TAU, 9),
        "mine": round(TAU, 9),
    }


def test_missing_and_infinite_scores_are_counted():
    scores = SCORES.copy()
    scores[[1, 2, 3]] = [np.nan, np.inf, -np.inf]
    (row,) = correlate(scores, ACCURACIES, resamples=0).rows
    assert (row.n, row.left_out) == (57, {"non-finite": 2, "undefined": 1})


def test_a_plain_series_against_a_benchmark():
    (row,) = correlate(SCORES, load_benchmark("nb201", dataset="cifar100", folder=None), resamples=0).rows
    assert row.target == "cifar100/valid/200"


def test_accuracies_as_a_table():
    table = pd.DataFrame({"a": ACCURACIES, "b": -ACCURACIES}).reset_index()
    rows = correlate(SCORES, table, resamples=0).rows
    assert {row.target: round(row.kendall.value, 9) for row in rows} == {
        "a": round(TAU, 9),
        "b": round(-TAU, 9),
    }


VALUES = SCORES.rename("value").reset_index()
BAD_SCORES = {
    "a list": ([1.0, 2.0], "no scores: got list. Expected scores as from ntknas.load_store"),
    "no cells": (VALUES[["value"]], "no column cell: got value"),
    "no values": (VALUES[["cell"]], "no column of values: got cell"),
    "architectures": (VALUES.assign(cell="|none~0|"), "Cells are indices, 0 and above: got '|none~0|'"),
    "a cell below zero": (VALUES.assign(cell=-1), "Cells are indices, 0 and above: got -1"),
    "half a cell": (VALUES.assign(cell=0.5), "Cells are indices, 0 and above: got 0.5"),
    "texts": (VALUES.assign(value="good"), "Scores are real numbers: got good"),
    "a cell twice": (pd.concat([VALUES, VALUES]), "Cell 0 has several scores of score"),
    "half a store": (VALUES.assign(setting="s"), "no column measure and no seed and no status"),
    "nothing": (SCORES.iloc[:0], "There are no scores to correlate"),
}


@pytest.mark.parametrize("name", list(BAD_SCORES))
def test_scores_of_another_form_are_refused(name):
    scores, message = BAD_SCORES[name]
    with pytest.raises(NtknasError) as error:
        correlate(scores, ACCURACIES, resamples=0)
    assert message in str(error.value)


BAD_ACCURACIES = {
    "a list": ([1.0, 2.0], "no accuracies: got list. Expected a benchmark"),
    "a list by name": ({"mine": [1.0]}, "mine holds no accuracies: got list"),
    "texts": (ACCURACIES.astype(str), "accuracies are real numbers, got '8"),
    "a cell twice": (pd.concat([ACCURACIES, ACCURACIES]), "holds cell 0 more than once"),
    "too large": (ACCURACIES * 1e306, "which can be computed with"),
    "infinite": (ACCURACIES * np.inf, "mine has inf for cell 0"),
}


@pytest.mark.parametrize("name", list(BAD_ACCURACIES))
def test_accuracies_of_another_form_are_refused(name):
    accuracies, message = BAD_ACCURACIES[name]
    with pytest.raises(DataError) as error:
        correlate(SCORES, accuracies, resamples=0)
    assert message in str(error.value)


def test_accuracies_without_any_number():
    with pytest.raises(NtknasError, match="None of the 60 scored cells has an accuracy in mine, which has 0 cells"):
        correlate(SCORES, ACCURACIES * np.nan)


def test_scores_whose_mean_is_no_number_are_counted():
    twice = pd.concat([VALUES.assign(seed=seed, value=VALUES["value"] * 2e306) for seed in (0, 1)])
    (row,) = correlate(twice, ACCURACIES, resamples=0).rows
    assert row.n + row.left_out.get("non-finite", 0) == 60
    assert json.dumps(row.as_json(), allow_nan=False)
