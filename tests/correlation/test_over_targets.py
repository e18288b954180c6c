"""Many targets at once: every number is that of ``correlate``, row by row; likeness and names of targets."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.cluster import hierarchy

import ntknas
from ntknas.benchmarks.quantity import Quantity
from ntknas.benchmarks.table import AccuracyTable
from ntknas.core.errors import ChoiceError, NtknasError
from ntknas.correlation import over_targets
from ntknas.correlation.likeness import leaves, likeness, tree
from ntknas.correlation.target_names import TargetName, grouped
from ntknas.correlation.targets import as_accuracies

CELLS = 15625
LATENCY = Quantity("latency", "ms", higher_is_better=False, measured_on="a device", missing="-1")


@pytest.fixture(scope="module")
def targets():
    """An accuracy, a latency with gaps, one of shared measurements, and one of every other cell."""
    rng = np.random.default_rng(0)
    base = rng.standard_normal(CELLS)
    noisy = [base + scale * rng.standard_normal(CELLS) for scale in (0.5, 1.0, 2.0)]
    latency = np.round(20 - noisy[0], 1)
    latency[rng.choice(CELLS, 4000, replace=False)] = np.nan
    shared = np.arange(CELLS) // 5
    runs = np.stack([noisy[1], noisy[1] + 0.1], axis=1)
    return {
        "mine:cifar10/test/200": AccuracyTable(runs, (1, 2)),
        "there:cifar10/phone": AccuracyTable(latency[:, None], (0,), quantity=LATENCY),
        "there:cifar10/attack": AccuracyTable(noisy[2][shared * 5][:, None], (0,), measurements=shared),
        "there:other/half": AccuracyTable(np.where(np.arange(CELLS) % 2, np.round(base), np.nan)[:, None], (0,)),
    }


def scores(cells, seeds):
    """Three measures, one that fails on some cells, one that is the same for all."""
    rng, rows = np.random.default_rng(len(cells)), []
    for number, failing in enumerate(([], cells[3:9], cells)):
        for seed in range(seeds):
            values = np.ones(len(cells)) if number == 2 else cells % 97 + 40 * rng.standard_normal(len(cells))
            values = np.where(np.isin(cells, failing) & (number < 2), np.nan, values)
            rows.append(pd.DataFrame({"cell": cells, "measure": f"m{number}", "seed": seed, "value": values}))
    return pd.concat(rows, ignore_index=True)


WAYS = {
    "few": (40, 1, {}),
    "several seeds": (60, 3, {"given": ["flops", "m1"]}),
    "many cells": (1050, 1, {"measures": ["m0", "m1"]}),
    "networks once": (150, 1, {"population": "distinct", "combine": ["rank(m0) + rank(live_layers)"]}),
    "last": (120, 2, {"unscored": "last", "measures": ["m1"], "lower_is_better": ["m1"]}),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_number_is_that_of_a_row(way, targets):
    number, seeds, options = WAYS[way]
    cells = np.sort(np.random.default_rng(7).choice(CELLS, number, replace=False))
    options = {"space": "nb201", "resamples": 200, **options}
    alone = ntknas.correlate(scores(cells, seeds), targets, **options)
    together = over_targets(scores(cells, seeds), targets, intervals=True, **options)
    assert [row.key for row in together.rows] == [row.key for row in alone.rows]
    for light, row in zip(together.rows, alone.rows, strict=True):
        assert (light.kendall, light.spearman, light.partial) == (row.kendall, row.spearman, row.partial)
        assert (light.n, light.partial_n, light.partial_given) == (row.n, row.partial_n, row.partial_given)
        assert (light.resampled, light.interval_covers) == (row.resampled, row.interval_covers)
    assert any(row.kendall.interval and row.partial.interval for row in together.rows)
    plain = over_targets(scores(cells, seeds), targets, **options)
    assert [row.kendall.value for row in plain.rows] == [row.kendall.value for row in together.rows]
    assert [row.partial.value for row in plain.rows] == [row.partial.value for row in together.rows]
    assert not any(row.kendall.interval or row.spearman.interval or row.partial.interval for row in plain.rows)


def test_a_table_of_targets_and_measures(targets):
    cells = np.arange(0, CELLS, 131)
    result = over_targets(scores(cells, 1), targets, space="nb201")
    table = result.table("spearman")
    assert list(table.index) == list(targets)
    assert [name for name in table if name not in result.baselines] == ["m0", "m1", "m2"]
    values = scores(cells, 1).query("measure == 'm1'").set_index("cell")["value"].dropna()
    phone = targets["there:cifar10/phone"].runs[:, 0]
    known = values.index[np.isfinite(phone[values.index])]
    expected = stats.spearmanr(values[known], -phone[known]).statistic  # lower is better
    assert table.loc["there:cifar10/phone", "m1"] == pytest.approx(expected)
    assert table["m2"].isna().all()
    frame = result.frame()
    assert len(frame) == table.size
    assert set(frame.loc[frame["target"] == "there:cifar10/phone", "unit"]) == {"ms"}
    assert not frame.loc[frame["target"] == "there:cifar10/phone", "target_higher_is_better"].any()
    assert result.as_json()["targets"]["there:cifar10/attack"]["measurements"] == len(np.unique(cells // 5))


def test_a_target_with_few_of_the_cells_is_left_out(targets):
    cells = np.arange(0, 2000, 2)  # the half has odd ones alone
    result = over_targets(scores(cells, 1), targets, space="nb201", measures=["m0"])
    assert "there:other/half" not in result.targets
    assert result.notes == ("Left out, with fewer than ten of the 1,000 scored cells: there:other/half.",)
    with pytest.raises(NtknasError, match="None of the 1 targets has ten of the 1,000 scored cells"):
        over_targets(scores(cells, 1), {"half": targets["there:other/half"]}, space="nb201")


@pytest.mark.parametrize(
    ("options", "message"),
    [({"resamples": -1}, "`resamples`"), ({"unscored": "first"}, "unscored"), ({"given": ["size"]}, "'size'")],
)
def test_arguments_that_mean_nothing(options, message, targets):
    with pytest.raises(ChoiceError, match=message):
        over_targets(scores(np.arange(50), 1), targets, space="nb201", **options)


def test_likeness_is_tau_on_the_cells_that_both_have(targets):
    cells = pd.Index(np.arange(0, CELLS, 11))
    taus = likeness(as_accuracies(targets), cells)
    phone, half = (targets[name].runs[:, 0][cells] for name in ("there:cifar10/phone", "there:other/half"))
    both = np.isfinite(phone) & np.isfinite(half)
    expected = stats.kendalltau(-phone[both], half[both]).statistic
    assert taus.loc["there:cifar10/phone", "there:other/half"] == pytest.approx(expected)
    assert np.array_equal(taus, taus.T)
    assert np.array_equal(np.diag(taus), np.ones(4))
    few = likeness(as_accuracies(targets), pd.Index(np.arange(18)))
    assert np.isnan(few.loc["there:cifar10/phone", "there:other/half"])


def test_like_things_stand_together():
    """Two kinds, shuffled: a tree puts each together; it is scipy's of 1 − τ, whatever is not known counting as 0."""
    taus = np.where(np.equal.outer(np.arange(6) % 2, np.arange(6) % 2), 0.9, -0.3)
    taus[0, 5] = taus[5, 0] = np.nan
    np.fill_diagonal(taus, 1.0)
    branches = tree(taus)
    order = leaves(branches, 6)
    assert len({place % 2 for place in order[:3]}) == 1
    assert {place % 2 for place in order[:3]} != {place % 2 for place in order[3:]}
    above = 1 - np.nan_to_num(taus)[np.triu_indices(6, 1)]
    assert np.allclose(branches, hierarchy.linkage(above, "average", optimal_ordering=True))
    assert tree(np.ones((1, 1))) is None
    assert leaves(None, 2) == [0, 1]


def test_names_of_targets():
    assert TargetName.of("hw-nas-bench:cifar10/raspi4_latency") == ("hw-nas-bench", "cifar10", "raspi4_latency")
    assert TargetName.of("cifar10-valid/valid/200") == ("", "cifar10-valid", "valid/200")
    assert TargetName.of("own accuracies") == ("", "", "own accuracies")
    names = ["a:x/eps-10.0", "b:x/t", "a:x/eps-2.0", "a:y/t", "a:x/eps-0.5"]
    assert grouped(names) == {
        "a · x": {"a:x/eps-0.5": "eps-0.5", "a:x/eps-2.0": "eps-2.0", "a:x/eps-10.0": "eps-10.0"},
        "b · x": {"b:x/t": "t"},
        "a · y": {"a:y/t": "t"},
    }
    assert grouped(["c:x/t", "c:y/u"]) == {"c": {"c:x/t": "x t", "c:y/u": "y u"}}
    assert grouped(["own", "other"]) == {"": {"other": "other", "own": "own"}}
