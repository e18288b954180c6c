"""Derived measures: which scores they are made of, and that they are rows like any other."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ntknas import NtknasError, correlate, load_store
from ntknas.correlation.derived import combine
from ntknas.measures import all_derived, register, register_derived, registry, sign_of
from ntknas.spaces.structure import COUNTS
from tests.correlation.stores import NB201, NETWORK, TRAINING, fill, value

CELLS = range(60)
ACCURACIES = pd.Series({cell: value(cell, 0, "accuracy") for cell in CELLS}, name="mine")


def test_the_rank_sum_of_tenas():
    cond = pd.DataFrame({"value": [5.0, 1.0, 3.0, 2.0], "status": ["ok", "ok", "ok", "singular"]}, index=[1, 2, 3, 4])
    regions = pd.DataFrame({"value": [9.0, 8.0, 9.0, 1.0], "status": "ok"}, index=[1, 2, 3, 4])
    got = combine(all_derived()["tenas_rank"], [cond, regions])
    assert got["value"].tolist()[:3] == [-4.5, -4.0, -3.5]
    assert got["status"].tolist() == ["ok", "ok", "ok", "singular"]
    assert got["value"].isna().tolist() == [False, False, False, True]


@pytest.fixture
def difference(monkeypatch):
    """A third party's derived measure of which lower is better."""
    monkeypatch.setattr(registry, "_DERIVED", dict(all_derived()))

    @register_derived("difference", inputs=("lga", "cond"), formula="LGA − κ", better="lower", source="this test")
    def difference(lga, cond):
        return lga - cond

    return difference


def test_any_derived_measure_is_a_row_signed_by_its_direction(tmp_path, difference):
    fill(tmp_path / "s.h5", ("lga", "cond"), CELLS, seeds=(0, 1))
    result = correlate(load_store(tmp_path / "s.h5"), ACCURACIES, resamples=200)
    assert [row.measure for row in result.rows] == ["cond", "lga", "difference", *COUNTS]
    cond, _, row = result.rows[:3]
    x = {name: np.array([[value(cell, seed, name) for seed in (0, 1)] for cell in CELLS]) for name in ("lga", "cond")}
    expected = x["lga"].mean(axis=1) - np.sqrt(x["cond"].prod(axis=1))
    assert row.kendall.value == pytest.approx(-stats.kendalltau(expected, ACCURACIES).statistic)
    assert (row.interval_covers, row.seconds_per_cell) == (cond.interval_covers, 2 * cond.seconds_per_cell)
    assert (sign_of("difference"), sign_of("cond"), sign_of("tenas_rank"), sign_of("mine")) == (-1, -1, 1, 1)


@pytest.mark.usefixtures("difference")
def test_an_undefined_input_may_be_the_worst():
    """Of cond lower is better, so that the worst is +∞; other statuses, and other inputs, leave a cell without."""

    @register_derived(
        "worst",
        inputs=("lga", "cond"),
        lowest_if_undefined=("cond",),
        formula="LGA + κ",
        better="higher",
        source="this test",
    )
    def worst(lga, cond):
        return lga + cond

    lga = pd.DataFrame({"value": [1.0, 2.0, 3.0, np.nan], "status": ["ok", "ok", "ok", "undefined"]})
    cond = pd.DataFrame({"value": [5.0, np.nan, np.nan, 1.0], "status": ["ok", "undefined", "singular", "ok"]})
    result = combine(all_derived()["worst"], [lga, cond])
    assert result["status"].tolist() == ["ok", "ok", "singular", "undefined"]
    assert result["value"].tolist()[:2] == [6.0, np.inf]
    assert result["value"].isna().tolist() == [False, False, True, True]
    assert cond["status"].tolist() == ["ok", "undefined", "singular", "ok"]


def test_without_all_inputs_there_is_none(tmp_path, difference):
    fill(tmp_path / "s.h5", ("lga",), CELLS)
    fill(tmp_path / "s.h5", ("cond",), CELLS, fields=NB201 | {"batch_norm": "eval"}, recipe="other")
    rows = correlate(load_store(tmp_path / "s.h5"), ACCURACIES, resamples=0).rows
    assert "difference" not in {row.measure for row in rows}


@pytest.mark.parametrize("several", [{"dataset": "cifar100"}, TRAINING | {"epoch": 1}])
def test_inputs_are_of_the_same_networks(tmp_path, several):
    """A recipe that was run for two data sets, or trainings: each kernel's partner is of its own."""
    path = tmp_path / "s.h5"
    others = several | ({"training_learning_rate": 0.2} if "epoch" in several else {})
    first = several if "epoch" in several else {}
    for number, fields in enumerate((first, others)):

        def scores(cell, seed, name, number=number):
            return value(cell, number, name)

        fill(path, ("cond",), CELLS, fields=NB201 | fields, recipe="te-nas", scores=scores)
        fill(path, ("linear_regions",), CELLS, fields=NETWORK | fields, recipe="te-nas", scores=scores)
    result = correlate(load_store(path), ACCURACIES, resamples=0)
    sums = [frame["score"].tolist() for key, frame in result.points.items() if key.measure == "tenas_rank"]
    expected = []
    for number in (0, 1):
        cond, regions = ([value(cell, number, name) for cell in CELLS] for name in ("cond", "linear_regions"))
        expected.append((-(stats.rankdata(cond) + stats.rankdata(-np.array(regions)))).tolist())
    assert sums == expected


def test_a_derived_measure_is_shown_by_its_name_alone(tmp_path):
    path = tmp_path / "s.h5"
    for fields, name in ((NB201, "cond"), (NETWORK, "linear_regions")):
        fill(path, (name,), CELLS, fields=fields, recipe="te-nas", scores=value)
    frame = load_store(path)
    whole = correlate(frame, ACCURACIES, resamples=0)
    result = correlate(frame, ACCURACIES, resamples=0, measures=["tenas_rank"])
    assert [row.measure for row in result.rows if not row.is_baseline] == ["tenas_rank"]
    assert [row for row in whole.rows if row.measure == "tenas_rank" or row.is_baseline] == result.rows
    with pytest.raises(NtknasError, match="tenas_rank takes cond and linear_regions of one recipe"):
        correlate(frame[frame["measure"] == "cond"], ACCURACIES, resamples=0, measures=["tenas_rank"])


def test_names_are_taken_once(difference):
    for taken in ("difference", "trace", "tenas_rank"):
        with pytest.raises(ValueError, match="exists already"):
            register_derived(taken, inputs=("trace",), formula="1", better="lower", source="this test")(difference)
    with pytest.raises(ValueError, match="exists already"):
        register("tenas_rank", formula="1", better="lower", source="this test", needs=())(difference)
    with pytest.raises(ValueError, match="has no inputs"):
        register_derived("empty", inputs=(), formula="1", better="lower", source="this test")
    with pytest.raises(ValueError, match="takes no cond"):
        register_derived(
            "odd", inputs=("trace",), lowest_if_undefined=("cond",), formula="1", better="lower", source="this test"
        )
    with pytest.raises(ValueError, match="'higher' or 'lower'"):
        register_derived("sideways", inputs=("trace",), formula="1", better="left", source="this test")
