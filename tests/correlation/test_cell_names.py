"""Scores and accuracies as people hold them: cells by any name, dictionaries, arrays of all cells."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import ntknas
from ntknas import correlate, load_benchmark, load_space
from ntknas.core.errors import ChoiceError, DataError
from ntknas.correlation import over_targets
from ntknas.correlation.cell_names import cells_of
from tests.correlation.stores import fill

SPACE = load_space("nb201")
CELLS = list(range(200, 260))
VALUES = np.random.default_rng(0).random(60)
ACCURACIES = pd.Series(70 + 20 * np.random.default_rng(1).random(60), CELLS, name="mine")
TAU = stats.kendalltau(VALUES, ACCURACIES).statistic
NAMES = [str(SPACE[cell]) for cell in CELLS]


def full(values):
    array = np.full(len(SPACE), np.nan)
    array[CELLS] = values
    return array


FORMS = {
    "a series by architecture": pd.Series(VALUES, NAMES),
    "a series by spaced architecture": pd.Series(VALUES, [f" {name} " for name in NAMES]),
    "a table by architecture": pd.DataFrame({"score": VALUES}, NAMES),
    "a column arch_str": pd.DataFrame({"arch_str": NAMES, "score": VALUES}),
    "a column arch_str beside the index of the cell": pd.DataFrame({"arch_str": NAMES, "cell": CELLS, "score": VALUES}),
    "a filtered table with a column cell": pd.DataFrame({"cell": CELLS, "score": VALUES}, range(7, 67)),
    "architectures and values": pd.DataFrame({"arch": NAMES, "value": VALUES}),
    "architectures and values by seed": pd.concat(
        [pd.DataFrame({"arch": NAMES, "value": VALUES + shift, "seed": seed}) for seed, shift in enumerate((-1, 1))]
    ),
    "a dictionary by index": dict(zip(CELLS, VALUES, strict=True)),
    "a dictionary by architecture": dict(zip(NAMES, VALUES, strict=True)),
    "a dictionary of series": {"score": pd.Series(VALUES, NAMES)},
    "a dictionary of dictionaries": {"score": dict(zip(CELLS, VALUES, strict=True))},
    "a dictionary of arrays": {"score": full(VALUES)},
    "an array of all cells": full(VALUES),
}


@pytest.mark.parametrize("form", FORMS)
def test_scores(form):
    row = correlate(FORMS[form], ACCURACIES, space="nb201", resamples=0).rows[0]
    assert (row.measure, row.n) == ("score", 60)
    assert row.kendall.value == pytest.approx(TAU)


TARGETS = {
    "by architecture": pd.Series(ACCURACIES.to_numpy(), NAMES, name="mine"),
    "a table by architecture": pd.DataFrame({"arch_str": NAMES, "mine": ACCURACIES.to_numpy()}),
    "a dictionary": dict(zip(NAMES, ACCURACIES, strict=True)),
    "an array of all cells": full(ACCURACIES.to_numpy()),
    "arrays by name": {"mine": full(ACCURACIES.to_numpy())},
}


@pytest.mark.parametrize("form", TARGETS)
def test_accuracies(form):
    row = correlate(pd.Series(VALUES, CELLS), TARGETS[form], space="nb201", resamples=0).rows[0]
    assert row.n == 60
    assert row.kendall.value == pytest.approx(TAU)


def test_a_benchmark_says_whose_names_they_are():
    benchmark = load_benchmark("nb201", dataset="cifar10-valid", folder=None)
    by_name, by_index = (correlate(pd.Series(VALUES, names), benchmark, resamples=0) for names in (NAMES, CELLS))
    assert by_name.rows[0].kendall == by_index.rows[0].kendall
    assert by_name.rows[0].n == 60


def test_what_a_run_gives_is_its_scores(tmp_path):
    fill(tmp_path / "s.h5", ("trace",), CELLS)
    frame = ntknas.load_store(tmp_path / "s.h5")

    class Held:
        pass

    held = Held()
    held.frame = frame
    assert correlate(held, ACCURACIES, resamples=0).frame().equals(correlate(frame, ACCURACIES, resamples=0).frame())


def test_keys_of_digits_are_no_indices():
    keys = load_space("nb-macro")
    names = [str(keys[cell]) for cell in (6558, 6477)]
    assert cells_of(pd.Series(names), "scores", keys).tolist() == [6558, 6477]
    assert cells_of(pd.Series([int(name) for name in names]), "scores", keys).tolist() == [6558, 6477]
    assert cells_of(pd.Series([6558, 12]), "scores", keys).tolist() == [6558, 12]


def test_over_many_targets_too():
    overview = over_targets(pd.Series(VALUES, NAMES), {"a": ACCURACIES, "b": -ACCURACIES}, space="nb201")
    assert overview.rows[0].n == 60


UNKNOWN = pd.Series(VALUES, [*NAMES[:57], "|none~0|", "nonsense", "|nor_conv_9x9~0|"])
REFUSED = {
    "names of no cell, counted": (UNKNOWN, {"space": "nb201"}, DataError, "Of 60 names 3 are of no cell of nb201"),
    "which name first": (UNKNOWN, {"space": "nb201"}, DataError, "scores, the index, '|none~0|': Not a NAS-Bench-201"),
    "names without a space": (pd.Series(VALUES, NAMES), {}, ChoiceError, "name it with `space`, such as nb201"),
    "a missing name": (
        pd.Series(VALUES, [None, *NAMES[1:]]),
        {"space": "nb201"},
        DataError,
        "1 of 60 rows name no cell",
    ),
    "columns that disagree": (
        pd.DataFrame({"arch_str": NAMES, "index": range(60), "mine": VALUES}),
        {"space": "nb201"},
        DataError,
        "column 'index' names cell 0, column 'arch_str' cell 200, and 60 rows disagree",
    ),
    "an array of some cells": (VALUES, {"space": "nb201"}, DataError, "taken for all 15,625 cells of nb201"),
    "an array of unknown cells": (full(VALUES), {}, ChoiceError, "an array does not name its cells"),
    "a dictionary of texts": ({0: "good", 1: "bad"}, {}, DataError, "Scores are real numbers: got good"),
    "a dictionary of lists and series": (
        {"a": pd.Series(VALUES, CELLS), "b": [1.0]},
        {},
        DataError,
        "score b: expected a series, a dictionary or an array, got list",
    ),
    "no such space": (pd.Series(VALUES, NAMES), {"space": "nb2O1"}, ChoiceError, "Unknown space 'nb2O1'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_names_no_cell_says_so(case):
    scores, options, kind, message = REFUSED[case]
    with pytest.raises(kind) as error:
        correlate(scores, ACCURACIES, resamples=0, **options)
    assert message in str(error.value)


def test_accuracies_that_name_no_cell():
    with pytest.raises(DataError, match="mine, 'nonsense'"):
        correlate(pd.Series(VALUES, CELLS), ACCURACIES.set_axis([*NAMES[:59], "nonsense"]), space="nb201", resamples=0)


def test_what_is_missing_is_counted():
    scores = pd.Series(VALUES, NAMES)
    scores.iloc[:3] = np.nan
    row = correlate(scores, ACCURACIES.iloc[10:], space="nb201", resamples=0).rows[0]
    assert (row.n, row.left_out) == (50, {"no accuracy": 7, "undefined": 3})
