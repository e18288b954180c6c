"""The noise ceiling: against known truths, and against runs of the embedded tables that it has not seen."""

import numpy as np
import pytest
from scipy import stats

from ntknas import load_benchmark
from ntknas.correlation import noise
from ntknas.correlation.ceiling import _Truth, ceiling, noise_scale

SHARES = {"kendall": 1.0, "kendall_top25": 0.25, "kendall_top10": 0.10}


def _noisy_table(sigma, cells=400, runs=3, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.normal(80, 5, cells)
    table = truth[:, None] + sigma * rng.standard_normal((cells, runs))
    table[::2, -1] = np.nan
    return truth, table


def _uneven_table(seed, cells=2000, degrees=None):
    """Most cells close to the best, and noise that falls from one point to a fifth, as on CIFAR-10."""
    rng = np.random.default_rng(seed)
    truth = 92 - np.exp(0.9 * rng.standard_normal(cells) + 1.2)
    deviation = 0.2 + 0.8 * np.clip((90 - truth) / 15, 0, 1)
    shape = (cells, 3)
    shocks = (
        rng.standard_normal(shape) if degrees is None else rng.standard_t(degrees, shape) * np.sqrt(1 - 2 / degrees)
    )
    table = truth[:, None] + deviation[:, None] * shocks
    table[::2, -1] = np.nan
    return truth, table


def _tau(x, y, share=1.0):
    top = y >= np.sort(y)[-int(np.ceil(share * len(y)))]
    return stats.kendalltau(x[top], y[top]).statistic


def test_seed_agreement_is_the_mean_over_pairs():
    _, table = _noisy_table(2.0)
    both = np.isfinite(table[:, 2])
    pairs = [(0, 1, slice(None)), (0, 2, both), (1, 2, both)]
    expected = np.mean([stats.kendalltau(table[rows, a], table[rows, b]).statistic for a, b, rows in pairs])
    assert noise.seed_agreement(table)["kendall"] == pytest.approx(expected)


@pytest.mark.parametrize("sigma", [0.5, 2.0, 5.0])
def test_the_ceiling_is_what_the_truth_reaches(sigma):
    """Against the known truth of simulated tables, which the estimate never sees."""
    reached, estimated = [], []
    for seed in range(5):
        truth, table = _noisy_table(sigma, seed=seed)
        reached.append(_tau(truth, np.nanmean(table, axis=1)))
        estimated.append(ceiling(table, draws=20)["kendall"].value)
    assert np.mean(estimated) == pytest.approx(np.mean(reached), abs=0.02)


@pytest.mark.parametrize("degrees", [None, 4])
@pytest.mark.parametrize("share", list(SHARES))
def test_the_ceiling_of_uneven_noise_is_what_the_truth_reaches(share, degrees):
    """Also among the best, where one figure of noise for all cells is five times too large; also with heavy tails."""
    truth, table = _uneven_table(1, degrees=degrees)
    got = ceiling(table, draws=20)[share].value
    assert got == pytest.approx(_tau(truth, np.nanmean(table, axis=1), SHARES[share]), abs=0.01 / SHARES[share] ** 0.7)


def test_the_noise_depends_on_the_accuracy():
    _, table = _uneven_table(2)
    accuracies, deviation = noise_scale(table)
    expected = 0.2 + 0.8 * np.clip((90 - accuracies) / 15, 0, 1)
    assert deviation == pytest.approx(expected, rel=0.3)
    assert np.mean(deviation / expected) == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("held_out", range(3))
@pytest.mark.parametrize("target", range(3))
def test_no_held_out_run_beats_the_ceiling(target, held_out):
    """The mean of two runs of an embedded table, ranked by the third: as far below the ceiling as its noise says."""
    benchmark = load_benchmark("nb201", folder=None)
    runs = list(benchmark.tables.values())[target].runs
    runs = runs[np.isfinite(runs).all(axis=1)]
    third, others = runs[:, held_out], np.delete(runs, held_out, axis=1)
    table = others.mean(axis=1)
    limits = ceiling(others, draws=10)
    for name, share in SHARES.items():
        assert _tau(third, table, share) < limits[name].low
    truth = _Truth.fit(others).draw(table, np.full(len(table), 2), 1, np.random.default_rng(0))[0]
    again = truth + np.interp(truth, *noise_scale(others)) * np.random.default_rng(1).standard_normal(len(truth))
    assert _tau(third, table) == pytest.approx(_tau(again, table), abs=0.006)


def test_the_ceiling_of_some_cells_has_the_noise_of_all():
    truth, table = _uneven_table(3)
    cells = np.arange(0, 2000, 10)
    got = ceiling(table, cells=cells)
    mean = np.nanmean(table, axis=1)
    assert got["kendall"].low < _tau(truth[cells], mean[cells]) < got["kendall"].high
    assert set(got) == {"kendall", "spearman", "pearson", "kendall_top10", "kendall_top25"}
    assert set(ceiling(table, cells=cells[:15], draws=5)) == {"kendall", "spearman", "pearson"}


def test_without_repeated_runs_there_are_no_noise_figures():
    rng = np.random.default_rng(0)
    assert noise.seed_agreement(rng.random((50, 1))) is None
    for table in (rng.random((50, 1)), rng.random((5, 3)), np.full((20, 3), 7.0), np.full((20, 3), np.nan)):
        assert ceiling(table) is None
    assert noise.seed_agreement(np.full((20, 3), 7.0)) is None
    assert noise.seed_agreement_interval(np.full((20, 3), 7.0)) is None
    alone = rng.random((50, 3))
    alone[:, 1:] = np.nan
    assert ceiling(alone) is None


def test_runs_that_agree_have_a_ceiling_of_one():
    table = np.repeat(np.random.default_rng(0).normal(80, 5, (100, 1)), 3, axis=1)
    assert ceiling(table, draws=5)["kendall"].value == pytest.approx(1.0, abs=1e-3)
