"""Joining: signs, seeds, what is left out, baselines on the same cells, targets."""

import json
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ntknas import correlate, load_benchmark, load_space, load_store
from ntknas.core.errors import NtknasError
from ntknas.core.score import Status
from ntknas.correlation import Estimate, RowKey, TargetSummary, as_json, comparisons
from ntknas.correlation.aggregate import over_seeds
from ntknas.correlation.by_space import correlate_by_space
from ntknas.correlation.order import SORTS, sorted_by
from ntknas.correlation.row import Row
from ntknas.correlation.sources import AccuracySource
from ntknas.measures import Aggregate
from ntknas.spaces.structure import COUNTS
from tests.correlation.stores import NB201, fill

CELLS = list(range(40, 100))


def make_store(path, scores, **how):
    """A store with a value, or a status, for each (cell, seed, measure)."""
    fill(path, scores, CELLS, scores=lambda cell, seed, name: scores[name](cell, seed), **how)
    return load_store(path)


def _noise(cell, salt=0):
    return float(np.random.default_rng([cell, salt]).random()) + 0.1


@pytest.fixture
def accuracies():
    return pd.Series({cell: 70 + 20 * _noise(cell, 9) for cell in CELLS}, name="mine")


def test_a_row_says_what_is_in_its_json(tmp_path, accuracies):
    scores = make_store(tmp_path / "s.h5", {"trace": _noise, "cond": lambda c, s: _noise(c, 1)})
    result = correlate(scores, accuracies, resamples=200)
    row = result.rows[0]
    assert [row.measure for row in result.rows] == ["trace", "cond", *COUNTS]
    assert [row.is_baseline for row in result.rows] == [False] * 2 + [True] * 6
    assert row.key == RowKey("trace", row.setting, "mine")
    data = row.as_json()
    assert {field.name for field in fields(row)} <= set(data)
    assert data["kendall"] == {"value": row.kendall.value, "low": row.kendall.low, "high": row.kendall.high}
    assert data["kendall_top25_low"] == row.kendall_top25.low
    assert row.interval_covers == "cells"
    assert row.seconds_per_cell == 0.5
    assert result.targets == {"mine": TargetSummary(None, None, 60, 60)}
    assert json.loads(json.dumps(as_json(result), allow_nan=False)) == as_json(result)
    assert result.settings[row.setting].fields == NB201
    assert len(result.frame()) == 8


def test_scores_are_signed_so_that_higher_is_better(tmp_path, accuracies):
    scores = make_store(tmp_path / "s.h5", {"trace": _noise, "cond": lambda c, s: _noise(c)})
    trace, cond = correlate(scores, accuracies, resamples=0).rows[:2]
    assert trace.kendall.value == pytest.approx(-cond.kendall.value)
    x = [_noise(cell) for cell in CELLS]
    assert trace.kendall.value == pytest.approx(stats.kendalltau(x, accuracies[CELLS]).statistic)


def test_what_is_left_out_is_counted_by_reason(tmp_path, accuracies):
    def score(cell, seed):
        if cell < 43:
            return Status.SINGULAR
        return Status.DISCONNECTED if cell == 43 else _noise(cell)

    scores = make_store(tmp_path / "s.h5", {"cond": score, "trace": _noise})
    rows = {row.measure: row for row in correlate(scores, accuracies.drop([50, 51]), resamples=0).rows}
    assert rows["cond"].left_out == {"singular": 3, "no accuracy": 2, "disconnected": 1}
    assert rows["cond"].n == 54
    assert rows["trace"].left_out == {"no accuracy": 2}
    assert rows["parameters"].n == 58
    kept = [cell for cell in CELLS if cell > 43 and cell not in (50, 51)]
    space = load_space("nb201")
    expected = stats.kendalltau([space.parameters(space[c]) for c in kept], accuracies[kept]).statistic
    assert rows["cond"].baseline_kendall["parameters"] == pytest.approx(expected)


def test_best_cell_regret_ties_and_top(tmp_path, accuracies):
    scores = make_store(tmp_path / "s.h5", {"trace": lambda c, s: 1.0 if c < 90 else 2.0})
    row = correlate(scores, accuracies, resamples=0).rows[0]
    assert row.ties == 50 * 49 // 2 + 10 * 9 // 2
    assert row.best_cell == 90
    assert row.regret == pytest.approx(accuracies.max() - accuracies.loc[90:].mean())
    assert row.kendall_top10 == Estimate(None)  # six cells
    top = accuracies.nlargest(15).index
    expected = stats.kendalltau([1.0 if c < 90 else 2.0 for c in top], accuracies[top]).statistic
    assert row.kendall_top25.value == pytest.approx(expected)


def test_seeds_become_one_score_by_the_measures_rule(tmp_path, accuracies):
    values = {0: 1.0, 1: 100.0}
    scores = make_store(
        tmp_path / "s.h5",
        {"cond": lambda c, s: values[s] * _noise(c), "lga": lambda c, s: values[s] * _noise(c)},
        seeds=(0, 1),
    )
    result = correlate(scores, accuracies, resamples=0)
    points = {key.measure: frame for key, frame in result.points.items()}
    assert points["cond"].loc[40, "score"] == pytest.approx(-10 * _noise(40))
    assert points["lga"].loc[40, "score"] == pytest.approx(50.5 * _noise(40))
    assert result.rows[0].seconds_per_cell == 1.0


def test_a_cell_with_a_seed_that_failed_has_no_score():
    rows = pd.DataFrame({"cell": [1, 1, 2, 2], "seed": [0, 1, 0, 1], "value": [1.0, np.nan, 2.0, 4.0]})
    rows["status"] = ["ok", "singular", "ok", "ok"]
    got = over_seeds(rows, Aggregate.MEAN)
    assert got.loc[1, "status"] == "singular"
    assert got.loc[2, ["value", "seeds"]].tolist() == [3.0, 2]
    assert got.loc[2, "spread"] == pytest.approx(np.sqrt(2))
    negative = over_seeds(rows.assign(value=[-1.0, -4.0, -2.0, -8.0], status="ok"), Aggregate.GEOMETRIC)
    assert negative["value"].tolist() == pytest.approx([-2.0, -4.0])
    mixed = over_seeds(rows.assign(value=[-1.0, 4.0, 0.0, 8.0], status="ok"), Aggregate.GEOMETRIC)
    assert mixed["value"].tolist() == pytest.approx([1.5, 4.0])


def test_a_benchmark_gives_every_target_with_its_noise(tmp_path):
    scores = make_store(tmp_path / "s.h5", {"trace": _noise})
    result = correlate(scores, load_benchmark("nb201"), resamples=0)
    assert list(result.targets) == ["cifar10-valid/valid/200", "cifar100/valid/200", "ImageNet16-120/valid/200"]
    for summary in result.targets.values():
        assert 0.5 < summary.seed_agreement["kendall"].value < summary.ceiling["kendall"].value < 1
    one = correlate(scores, load_benchmark("nb201", dataset="cifar100"), resamples=0)
    assert list(one.targets) == ["cifar100/valid/200"]
    plain = correlate(scores, load_benchmark("nb201", dataset="cifar100"), resamples=0, given=["parameters", "flops"])
    assert plain.rows[0].partial_given == ("parameters",)
    assert plain.rows[0].partial_dropped == {"flops": "parameters"}


def test_two_settings_are_two_rows(tmp_path, accuracies):
    make_store(tmp_path / "s.h5", {"trace": _noise})
    scores = make_store(tmp_path / "s.h5", {"trace": lambda c, s: _noise(c, 3)}, fields=NB201 | {"batch_norm": "eval"})
    rows = correlate(scores, accuracies, resamples=0).rows
    assert [row.measure for row in rows] == ["trace", "trace", *COUNTS]
    assert len({row.setting for row in rows[:2]}) == 2


def test_scores_of_two_stores_in_one_table_keep_their_settings(tmp_path, accuracies):
    one = make_store(tmp_path / "one.h5", {"trace": _noise})
    other = make_store(tmp_path / "other.h5", {"trace": _noise}, fields=NB201 | {"batch_norm": "eval"})
    both = pd.concat([one, other], ignore_index=True)
    assert not both.attrs
    result = correlate(both, accuracies, resamples=0)
    assert [row.kernel for row in result.rows[:2]] == ["sum/frozen/weights", "sum/eval/weights"]
    assert {row.setting for row in result.rows} == set(result.settings)


def test_measures_of_several_data_sets_are_compared_with_their_own_targets(tmp_path):
    make_store(tmp_path / "s.h5", {"trace": _noise, "cond": lambda c, s: _noise(c, 1)})
    scores = make_store(tmp_path / "s.h5", {"trace": _noise}, fields=NB201 | {"dataset": "cifar100"})
    found = correlate_by_space(scores, AccuracySource(), resamples=200)
    (result,) = found.results.values()
    shown = {(row.measure, row.target.split("/")[0]) for row in result.rows if not row.is_baseline}
    assert shown == {("trace", "cifar10-valid"), ("cond", "cifar10-valid"), ("trace", "cifar100")}
    pairs = {target: {(pair.first, pair.second) for pair in comparisons(result, target)} for target in result.targets}
    assert {target: len(found) for target, found in pairs.items()} == {
        "cifar10-valid/valid/200": 28,
        "cifar100/valid/200": 21,
    }


def test_rows_are_sorted_by_any_of_their_figures(tmp_path, accuracies):
    scores = make_store(tmp_path / "s.h5", {"trace": _noise, "cond": lambda c, s: _noise(c, 1)})
    result = correlate(scores, accuracies, resamples=0)
    assert {figure.attribute for figure in SORTS.values()} <= {field.name for field in fields(Row)}
    by_regret = [row.regret for row in sorted_by(result, "regret").rows]
    assert by_regret == sorted(row.regret for row in result.rows)
    by_ndcg = [row.ndcg[10] for row in sorted_by(result, "ndcg10").rows]
    assert by_ndcg == sorted((row.ndcg[10] for row in result.rows), reverse=True)
    assert sorted_by(result, "ndcg1000").rows == result.rows  # none has 1,000 cells
    with pytest.raises(NtknasError, match="Did you mean 'kendall'"):
        sorted_by(result, "kendal")


def test_nothing_to_correlate(tmp_path, accuracies):
    scores = make_store(tmp_path / "s.h5", {"trace": _noise})
    with pytest.raises(NtknasError, match="no scores"):
        correlate(scores.iloc[:0], accuracies)
    with pytest.raises(NtknasError, match="None of the 60 scored cells has an accuracy in mine"):
        correlate(scores, accuracies.rename(index=lambda cell: cell + 1000))


def test_a_measure_without_any_value_gives_no_figures(tmp_path, accuracies):
    scores = make_store(tmp_path / "s.h5", {"cond": lambda c, s: Status.SINGULAR, "trace": lambda c, s: 1.0})
    rows = {row.measure: row for row in correlate(scores, accuracies, resamples=20).rows}
    cond = rows["cond"]
    assert (cond.n, cond.kendall.value, cond.best_cell, cond.regret) == (0, None, None, None)
    assert rows["trace"].kendall == Estimate(None)
