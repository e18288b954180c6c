"""Whole spaces: standard errors against the bootstrap on real accuracies; rows that share against rows made alone."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import ntknas
from ntknas.core.errors import NtknasError
from ntknas.correlation import bootstrap, noise, shared
from ntknas.correlation.asymptotic import concordance
from ntknas.correlation.bootstrap import draw_any, estimate
from ntknas.correlation.coefficients import COEFFICIENTS
from ntknas.correlation.drawn import repeated
from ntknas.correlation.targets import Accuracies
from ntknas.correlation.variable import Variable
from ntknas.spaces import load_space
from ntknas.spaces.populations import network_of

TARGET = "cifar10-valid/valid/200"


@pytest.fixture(scope="module")
def accuracies():
    benchmark = ntknas.load_benchmark("nb201")
    return pd.Series(benchmark.table(benchmark.main_targets("cifar10")[0]).mean)


@pytest.fixture(scope="module")
def networks():
    identity, numbers = network_of(load_space("nb201")), {}
    return np.array([numbers.setdefault(identity(cell), len(numbers)) for cell in range(15625)])


def scored(accuracies, networks, seed, noise=1.0):
    """A score that every network has one of, as good as the noise lets it."""
    mean = accuracies.groupby(networks).transform("mean").rank(pct=True)
    own = np.random.default_rng(seed).standard_normal(networks.max() + 1)[networks]
    return mean + noise * own / 3


@pytest.mark.parametrize("by_network", [False, True])
@pytest.mark.parametrize("name", ["kendall", "spearman"])
def test_either_interval_of_a_thousand_real_cells(name, by_network, accuracies, networks, monkeypatch):
    """By cells the two are one to a hundredth; by networks, one of which is dozens of cells, to a few."""
    cells = np.random.default_rng(0).choice(15625, 1200, replace=False)
    x, y = (values.to_numpy()[cells] for values in (scored(accuracies, networks, 1), accuracies))
    same = repeated(networks[cells]) if by_network else None
    assert (same is not None) == by_network
    by_error = estimate(name, x, y, draw_any(1200, 300, 0, same))
    monkeypatch.setattr(bootstrap, "LARGE", 1200)
    resampled = estimate(name, x, y, draw_any(1200, 300, 0, same))
    tolerance = 0.035 if by_network else 0.01
    assert by_error.value == resampled.value
    assert by_error.interval == pytest.approx(resampled.interval, abs=tolerance)
    assert by_error.interval != resampled.interval


def test_standard_errors_hold_the_truth_of_real_cells(accuracies, networks):
    """Samples with replacement from all cells, whose own coefficients are the truth."""
    x, y, rng, held = scored(accuracies, networks, 2).to_numpy(), accuracies.to_numpy(), np.random.default_rng(3), []
    truth = {name: compute(x, y) for name, compute in COEFFICIENTS.items()}
    for _ in range(100):
        rows = rng.integers(0, 15625, 1001)
        found = {name: estimate(name, x[rows], y[rows], draw_any(1001, 200, 0, None)).interval for name in truth}
        held.append([low <= truth[name] <= high for name, (low, high) in found.items()])
    assert (np.mean(held, axis=0) > 0.87).all()  # of 95 in truth: 2e-3 by chance
    assert np.mean(held) < 1.0


@settings(deadline=None)
@given(st.lists(st.floats(-3, 3).map(lambda value: round(value, 1)), min_size=1, max_size=40))
def test_what_an_order_says_is_scipys(values):
    got, values = Variable(np.array(values)), np.array(values)
    np.testing.assert_array_equal(got.mid_ranks, stats.rankdata(values))
    np.testing.assert_array_equal(got.dense, stats.rankdata(values, "dense") - 1)
    np.testing.assert_array_equal(got.below, stats.rankdata(values, "min") - 1)
    np.testing.assert_array_equal(got.same, (values == values[:, None]).sum(0))
    assert got.is_constant == (np.ptp(values) == 0)
    assert got.tied_pairs == (((values == values[:, None]).sum()) - len(values)) / 2
    signs = np.sign(np.subtract.outer(values, values))
    other = Variable(values[::-1].copy())
    np.testing.assert_array_equal(concordance(got, other), (signs * signs[::-1, ::-1]).sum(1))


def table(cells, accuracies, seeds=2):
    """Measures that fail on different cells, of two seeds each."""
    rng, rows = np.random.default_rng(5), []
    for number, missing in enumerate(([], [], cells[:3], cells[5:7], cells[:3], cells[9:10], cells[20:30])):
        for seed in range(seeds):
            values = accuracies[cells].to_numpy() + 5 * rng.standard_normal(len(cells))
            values[np.isin(cells, missing)] = np.nan
            rows.append(pd.DataFrame({"cell": cells, "measure": f"m{number}", "seed": seed, "value": values}))
    return pd.concat(rows, ignore_index=True)


@pytest.mark.parametrize(("number", "given"), [(60, None), (1100, None), (1100, ["flops", "m3"])])
def test_rows_that_share_are_rows_made_alone(number, given, accuracies, monkeypatch):
    """More sets of cells than are kept; covariates that some cells lack; two targets, one without some accuracies."""
    cells = np.sort(np.random.default_rng(4).choice(15625, number, replace=False))
    targets = {"a": accuracies, "b": -accuracies.drop(cells[40:45])}
    scores, options = table(cells, accuracies), {"space": "nb201", "resamples": 200, "given": given}
    together = ntknas.correlate(scores, targets, **options)
    monkeypatch.setattr(shared.Sharing, "of", lambda self, target, points: self._make(target, points))
    alone = ntknas.correlate(scores, targets, **options)
    assert together.rows == alone.rows
    assert len({row.n for row in together.rows}) > 3
    assert all(row.partial.interval for row in together.rows if row.partial_kendall is not None)


def test_each_set_of_cells_is_kept_while_it_is_asked_for():
    sharing = shared.Sharing(None)
    points = [pd.DataFrame({"accuracy": [1.0, 2.0]}, index=[0, cell]) for cell in range(1, 9)]
    t, u = (Accuracies(name, pd.Series(dtype=float)) for name in "tu")
    first = sharing.of(t, points[0])
    for other in points[1:]:
        assert sharing.of(t, other) is not first
        assert sharing.of(t, points[0].copy()) is first
    assert sharing.of(u, points[0]) is not first
    assert sharing.of(t, points[1]).cells.tolist() == [0, 2]


def test_few_runs_in_a_large_table_have_no_interval_of_agreement():
    """Of 1,500 cells 50 were trained twice: r has no interval of 50 cells."""
    rng = np.random.default_rng(6)
    runs = rng.standard_normal((1500, 1)) + 0.3 * rng.standard_normal((1500, 2))
    full = noise.seed_agreement_interval(runs)
    assert set(full) == set(COEFFICIENTS)
    runs[50:, 1] = np.nan
    assert noise.seed_agreement_interval(runs) is None
    assert noise.seed_agreement_with_interval(runs)["kendall"].value == pytest.approx(
        stats.kendalltau(*runs[:50].T).statistic
    )


def test_measures_that_are_not_there_are_named():
    scores = pd.DataFrame({"one": range(20), "two": range(20)}, index=range(100, 120))
    accuracies = pd.Series(range(20), index=range(100, 120))
    found = ntknas.correlate(scores, accuracies, measures=["one", "nope", "nor_that"])
    assert [row.measure for row in found.rows] == ["one"]
    assert found.notes == ("Not shown, for these scores have none of it: nope, nor_that.",)
    assert ntknas.correlate(scores, accuracies, measures=["one", "two"]).notes == ()
    with pytest.raises(NtknasError, match="none of the measures: nope"):
        ntknas.correlate(scores, accuracies, measures=["nope"])
    many = ntknas.correlate(scores, accuracies, measures=["one", *(f"n{number}" for number in range(14))])
    assert many.notes[0].endswith("n9 and 4 more.")
