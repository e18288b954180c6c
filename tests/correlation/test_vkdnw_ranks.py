"""What VKDNW makes of its scores, from stored components and from counts; and formulas of HNAS and NASI in numbers."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ntknas import correlate, load_space, load_store
from ntknas.core.score import Status
from ntknas.correlation.derived import combine
from ntknas.measures import all_derived
from tests.correlation.stores import NETWORK, fill, value

CELLS = range(40)
COMPONENTS = ("vkdnw", "vkdnw_code", "jacob_cov", "az_expressivity", "az_trainability")
ACCURACIES = pd.Series({cell: value(cell, 0, "accuracy") for cell in CELLS}, name="mine")


@pytest.fixture
def points(tmp_path):
    """Scores by measure, made of a store that has no aggregate."""
    fill(tmp_path / "s.h5", COMPONENTS, CELLS, fields=NETWORK, recipe="vkdnw")
    result = correlate(load_store(tmp_path / "s.h5"), ACCURACIES, resamples=0)
    return {key.measure: frame["score"] for key, frame in result.points.items()}


def _layers(cell):
    """Weight, scale and shift of every convolution on an edge in 15 cells, and 21 tensors around them."""
    return 21 + 45 * str(load_space("nb201")[cell]).count("nor_conv")


def _rank(values):
    """1 for the worst; ties share the mean of their places."""
    below = (values[:, None] > values[None, :]).sum(1)
    return below + ((values[:, None] == values[None, :]).sum(1) + 1) / 2


def test_layers_plus_entropy(points):
    for name, entropy in (("vkdnw_single", "vkdnw_code"), ("vkdnw_single_true", "vkdnw")):
        expected = [_layers(cell) + value(cell, 0, entropy) for cell in CELLS]
        assert points[name].loc[list(CELLS)].tolist() == pytest.approx(expected, rel=1e-12)


def test_the_aggregate_of_five_ranks(points):
    flops = {"nor_conv_3x3": 35.38944, "nor_conv_1x1": 3.93216}
    cells = [str(load_space("nb201")[cell]) for cell in CELLS]
    columns = [
        [_layers(cell) + value(cell, 0, "vkdnw_code") for cell in CELLS],
        *([value(cell, 0, name) for cell in CELLS] for name in COMPONENTS[2:]),
        [sum(cell.count(operation) * cost for operation, cost in flops.items()) for cell in cells],
    ]
    expected = sum(np.log(_rank(np.round(column, 9))) for column in map(np.array, columns))
    assert points["vkdnw_agg"].loc[list(CELLS)].tolist() == pytest.approx(expected.tolist(), rel=1e-9)


def test_layers_decide_and_entropy_breaks_their_ties(points):
    """The code ranks pairs (layers, entropy); an entropy below log 9 makes no step of 45."""
    entropy = np.linspace(0, math.log(9), len(CELLS))
    layers = np.array([_layers(cell) for cell in CELLS], dtype=float)
    single = all_derived()["vkdnw_single"].compute(entropy, layers)
    assert np.argsort(single).tolist() == sorted(CELLS, key=lambda cell: (layers[cell], entropy[cell]))
    assert stats.kendalltau(single, layers).statistic > 0.5 > abs(stats.kendalltau(entropy, layers).statistic)


def test_a_cell_without_a_component_has_no_aggregate_and_counts_in_no_rank():
    measure = all_derived()["vkdnw_agg"]
    frames = [pd.DataFrame({"value": np.arange(5.0) + number, "status": "ok"}) for number in range(len(measure.inputs))]
    frames[4].loc[2, ["value", "status"]] = [np.nan, "undefined"]  # az_trainability, where blocks are the identity
    got = combine(measure, frames)
    assert got["status"].tolist() == [Status.OK, Status.OK, Status.UNDEFINED, Status.OK, Status.OK]
    assert got["value"].dropna().tolist() == pytest.approx([5 * math.log(rank) for rank in (1, 2, 3, 4)])


def test_combinations_with_constants(tmp_path):
    """Every name stands for a score of which higher is better: hnas_cond for −κ."""
    path = tmp_path / "s.h5"
    fill(path, ("hnas_trace", "hnas_cond", "nasi"), CELLS, fields=NETWORK, recipe="hnas")
    hnas = "-0.01*abs(hnas_trace*hnas_trace - 1.5) + hnas_cond/(hnas_trace + 1e-6)"
    nasi = "nasi - 2*(nasi - 1.1 + abs(nasi - 1.1))/2"
    result = correlate(load_store(path), ACCURACIES, resamples=0, combine=(hnas, nasi))
    rows = {row.measure: row.kendall.value for row in result.rows}
    m, k, t = (np.array([value(cell, 0, name) for cell in CELLS]) for name in ("hnas_trace", "hnas_cond", "nasi"))
    lower = 0.01 * np.abs(m**2 - 1.5) + k / (m + 1e-6)
    assert rows[hnas] == pytest.approx(-stats.kendalltau(lower, ACCURACIES).statistic)
    penalised = t - 2 * np.maximum(0, t - 1.1)
    assert rows[nasi] == pytest.approx(stats.kendalltau(penalised, ACCURACIES).statistic)
