"""Intervals over cells and initialisations, by simulation where seeds move all cells together."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ntknas import correlate, load_space
from ntknas.correlation.bootstrap import draw_resamples, estimate
from ntknas.correlation.drawn import Draws
from ntknas.correlation.estimate import Estimate
from ntknas.correlation.seeds import with_seeds
from ntknas.spaces.populations import network_of


def _scores(rng, cells, seeds, moved=0.3):
    """Accuracies, and scores of seeds that weigh accuracy and another quality differently, each for all cells alike."""
    accuracy, noise = rng.standard_normal((2, cells))
    other = 0.5 * accuracy + np.sqrt(0.75) * noise
    on_accuracy, on_other = moved * rng.standard_normal((2, seeds, 1))
    return accuracy, (0.5 + on_accuracy) * accuracy + on_other * other + rng.standard_normal((seeds, cells))


def _tau(x, y):
    return stats.kendalltau(x, y).statistic


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_intervals_cover_the_initialisation(seeds):
    """The mean over initialisations of the coefficient, which intervals over cells alone often miss."""
    rng = np.random.default_rng(seeds)
    truth = np.mean([_tau(x.mean(0), y) for y, x in (_scores(rng, 1000, seeds) for _ in range(300))])
    over_cells, over_both = 0, 0
    for trial in range(60):
        y, x = _scores(rng, 200, seeds)
        alone = estimate("kendall", x.mean(0), y, draw_resamples(200, 200, trial))
        both = with_seeds(alone, [_tau(np.delete(x, seed, 0).mean(0), y) for seed in range(seeds)])
        over_cells += alone.low <= truth <= alone.high
        over_both += both.low <= truth <= both.high
    assert over_cells < 45
    assert over_both >= 51


def test_the_reach_of_seeds_is_the_jackknifes():
    without = [0.3, 0.4, 0.8]
    error = np.sqrt(2 / 3 * np.sum((np.array(without) - 0.5) ** 2))
    reach = stats.t.ppf(0.975, 2) * error
    got = with_seeds(Estimate(0.0, -0.1, 0.2), [0.03, 0.04, 0.08])
    assert got.low == pytest.approx(-np.hypot(0.1, reach / 10))
    assert got.high == pytest.approx(np.hypot(0.2, reach / 10))
    assert with_seeds(Estimate(0.9, 0.8, 0.95), without).high == 1.0
    assert with_seeds(Estimate(0.5, 0.4, 0.6), [0.5, np.nan]) == Estimate(0.5)
    assert with_seeds(Estimate(0.5), [0.1, 0.2]) == Estimate(0.5)


def _table(seeds, **columns):
    y, x = _scores(np.random.default_rng(0), 60, seeds, moved=1.0)
    scores = pd.DataFrame(x.T).rename_axis("cell").stack().rename_axis(["cell", "seed"]).rename("value").reset_index()
    return scores.assign(measure="mine", setting="s", status="ok", recipe="r", **columns), pd.Series(y)


def test_what_an_interval_covers_is_said():
    scores, accuracies = _table(3)
    (row,) = correlate(scores, accuracies, resamples=200).rows
    (alone,) = correlate(scores[scores["seed"] == 0], accuracies, resamples=200).rows
    assert row.interval_covers == "cells and initialisation"
    assert alone.interval_covers == "cells"
    over_cells = estimate(
        "kendall", scores.groupby("cell")["value"].mean().to_numpy(), accuracies.to_numpy(), draw_resamples(60, 200, 0)
    )
    assert row.kendall.value == pytest.approx(over_cells.value)
    assert row.kendall.low < over_cells.low
    assert row.kendall_top25.low < row.kendall_top25.value < row.kendall_top25.high


def test_seeds_of_each_networks_own_are_covered_by_cells():
    scores, accuracies = _table(2, space="nb201", dataset="cifar10", cell_seeds="independent")
    networks = pd.factorize(pd.Series(map(network_of(load_space("nb201")), range(60))))[0]
    for chosen in (scores, scores[scores["seed"] == 0]):
        (row,) = correlate(chosen, accuracies, resamples=200).rows
        assert row.interval_covers == "cells and initialisation"
        values = chosen.groupby("cell")["value"].mean().to_numpy()
        alone = estimate("kendall", values, accuracies.to_numpy(), Draws.of(networks, 200, 0))
        assert row.kendall.as_json() == pytest.approx(vars(alone))
        assert (row.resampled, row.networks) == ("networks", networks.max() + 1)


def test_cells_that_lack_a_seed_leave_the_initialisation_out():
    scores, accuracies = _table(2)
    partial = scores[(scores["seed"] == 0) | (scores["cell"] > 20)]
    (row,) = correlate(partial, accuracies, resamples=200).rows
    assert row.interval_covers == "cells"
