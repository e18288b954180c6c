"""Combinations of scores of cells: against ranks made by hand, and what is said where they do not go together."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import ntknas
from ntknas.core.errors import ChoiceError, DataError
from ntknas.core.score import Status
from ntknas.correlation.seeds import BOTH
from ntknas.measures import register_derived
from ntknas.measures.registry import _DERIVED
from tests.correlation.stores import NB201, NETWORK, TRAINING, fill

CELLS = range(100, 160)
RNG = np.random.default_rng(4)
ACCURACIES = pd.Series(RNG.uniform(60, 90, len(CELLS)), CELLS, name="mine")
TABLE = pd.DataFrame({"a": RNG.random(60), "b": np.round(RNG.random(60), 1)}, CELLS)


def _row(scores, text, accuracies=ACCURACIES, **options):
    result = ntknas.correlate(scores, accuracies, **{"resamples": 0, "combine": [text]} | options)
    (row,) = [row for row in result.rows if row.recipe == "combined"]
    return row, result


def test_a_rank_sum_is_that_of_the_cells_that_are_correlated():
    """A rank among more cells, those without an accuracy, would be another."""
    table = TABLE.copy()
    table.loc[100:104, "b"] = np.nan
    known = ACCURACIES.iloc[7:]
    row, result = _row(table, "rank(a) - rank(b)", known)
    cells = table.index[7:]
    expected = stats.rankdata(table["a"][cells]) - stats.rankdata(table["b"][cells])
    np.testing.assert_array_equal(result.points[row.key]["score"], expected)
    assert row.n == len(cells)
    assert row.left_out == {"undefined": 5, "no accuracy": 2}
    assert row.kendall.value == pytest.approx(stats.kendalltau(expected, known).statistic)
    assert result.notes == ("rank(a) - rank(b): a has 60, b has 55 cells with a score; 55 have all of them.",)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("a - a", "a - a ranks nothing: its 60 scores are all 0."),
        ("rank(a)/rank(a)", "rank(a)/rank(a) ranks nothing: its 60 scores are all 1."),
        ("a/0", "a/0 ranks nothing: none of its 60 cells has a value."),
    ],
)
def test_a_combination_that_ranks_nothing_is_pointed_at(text, note):
    _, result = _row(TABLE, text)
    assert result.notes == (note,)


def test_a_plain_score_and_accuracies_that_rank_nothing_are_pointed_at():
    one = pd.Series(1.0, CELLS, name="one")
    assert ntknas.correlate(one, ACCURACIES, resamples=0).notes == ("one ranks nothing: its 60 scores are all 1.",)
    (note,) = ntknas.correlate(TABLE, one.rename("mine"), resamples=0).notes
    assert note.endswith("its 60 accuracies are all 1, and rank nothing.")


def test_scores_are_signed_before_they_are_combined(tmp_path):
    fill(tmp_path / "s.h5", ("cond", "trace"), CELLS)
    store = ntknas.load_store(tmp_path / "s.h5")
    row, result = _row(store, "rank(cond)+rank(trace)")
    cond, trace = (store[store["measure"] == name].set_index("cell")["value"] for name in ("cond", "trace"))
    assert ntknas.measures.get_measure("cond").sign == -1
    np.testing.assert_array_equal(result.points[row.key]["score"], stats.rankdata(-cond) + stats.rankdata(trace))
    own, _ = _row(TABLE, "a - b", combine="a - b", lower_is_better="b")  # one name, which no list is needed for
    assert own.kendall.value == pytest.approx(stats.kendalltau(TABLE["a"] + TABLE["b"], ACCURACIES).statistic)


def test_counts_and_derived_measures_are_combined_too(tmp_path):
    fill(tmp_path / "s.h5", ("cond",), CELLS, recipe="te-nas")
    fill(tmp_path / "s.h5", ("linear_regions",), CELLS, fields=NETWORK, recipe="te-nas")
    row, result = _row(ntknas.load_store(tmp_path / "s.h5"), "rank(tenas_rank) + rank(effective_parameters)")
    points = {other.measure: result.points[other.key]["score"] for other in result.rows}
    expected = stats.rankdata(points["tenas_rank"]) + stats.rankdata(points["effective_parameters"])
    np.testing.assert_array_equal(result.points[row.key]["score"], expected)
    assert (row.setting, row.fitted) == (next(r.setting for r in result.rows if r.measure == "cond"), "")


def test_of_several_seeds_the_initialisation_is_in_the_interval(tmp_path):
    fill(tmp_path / "s.h5", ("cond", "trace"), CELLS, seeds=(0, 1, 2))
    store = ntknas.load_store(tmp_path / "s.h5")
    row, _ = _row(store, "rank(cond)+rank(parameters)", resamples=200)
    alone, _ = _row(store[store["seed"] == 0], "rank(cond)+rank(parameters)", resamples=200)
    assert row.interval_covers == BOTH != alone.interval_covers
    assert row.kendall.interval is not None


def test_numbers_and_fitted_measures_are_warned_of(tmp_path):
    register_derived(
        "chosen", inputs=("cond", "trace"), formula="f", better="higher", source="s", fitted="its constant, on 20 cells"
    )(lambda cond, trace: trace - cond)
    try:
        fill(tmp_path / "s.h5", ("cond", "trace"), CELLS)
        row, result = _row(ntknas.load_store(tmp_path / "s.h5"), "2*rank(chosen) + rank(cond)")
    finally:
        del _DERIVED["chosen"]
    assert row.fitted == "the numbers in it: 2; chosen: its constant, on 20 cells"
    fitted = {other.measure: other.fitted for other in result.rows if other.fitted and other is not row}
    assert fitted == {"chosen": "its constant, on 20 cells"}
    assert row.as_json()["fitted"] == row.fitted


def test_a_combination_without_a_number_is_undefined_and_counted():
    row, result = _row(TABLE, "rank(log(b)) + rank(a)")
    positive = TABLE["b"] > 0
    assert 0 < positive.sum() < 60
    assert row.left_out == {"undefined": 60 - positive.sum()}
    expected = stats.rankdata(TABLE["b"][positive]) + stats.rankdata(TABLE["a"][positive])  # ranks of these cells alone
    np.testing.assert_array_equal(result.points[row.key]["score"], expected)


def test_scores_of_different_cells():
    long = pd.DataFrame(
        {"cell": [*range(100, 130), *range(125, 160)], "measure": ["a"] * 30 + ["b"] * 35, "value": RNG.random(65)}
    )
    message = "combines scores of different cells: a has 30, b has 35, and 5 have all of them, where 10 are needed"
    with pytest.raises(DataError, match=message):
        _row(long, "rank(a)+rank(b)")
    few = ntknas.correlate(TABLE[:8], ACCURACIES, resamples=0, combine=["a+b"])  # few, but the same
    assert [row.n for row in few.rows] == [8, 8, 8]
    wider = pd.concat([long, pd.DataFrame({"cell": range(130, 140), "measure": "a", "value": RNG.random(10)})])
    row, result = _row(wider, "rank(a)+rank(b)")
    assert (row.n, row.left_out) == (15, {"no b": 25, "no a": 20})
    assert result.notes == ("rank(a)+rank(b): a has 40, b has 35 cells with a score; 15 have all of them.",)
    last, _ = _row(wider, "rank(a)+rank(b)", unscored="last")  # what was not scored did not fail
    assert (last.n, last.left_out, last.placed_last) == (15, {"no b": 25, "no a": 20}, {})


def test_a_measure_of_several_settings_has_to_be_chosen(tmp_path):
    fill(tmp_path / "s.h5", ("trace", "cond"), CELLS)
    fill(tmp_path / "s.h5", ("trace",), CELLS, fields=NB201 | {"batch_norm": "coupled"}, recipe="other")
    store = ntknas.load_store(tmp_path / "s.h5")
    message = (
        r"trace was scored in 2 ways \(custom .*frozen.*, other .*coupled.*\)\. Choose one by `setting` or `recipe`"
    )
    with pytest.raises(ChoiceError, match=message):
        _row(store, "rank(trace)+rank(cond)")
    assert _row(store[store["recipe"] == "custom"], "rank(trace)+rank(cond)")[0].n == 60


def test_the_aggregate_of_az_nas_written_out(tmp_path):
    parts = ("az_expressivity", "az_progressivity", "az_trainability")
    fill(tmp_path / "s.h5", parts, CELLS, fields=NETWORK, recipe="az-nas")
    text = "+".join(f"log(rank({name})/60)" for name in (*parts, "flops"))
    row, result = _row(ntknas.load_store(tmp_path / "s.h5"), text)
    (derived,) = [other for other in result.rows if other.measure == "az_nas"]
    np.testing.assert_allclose(result.points[row.key]["score"], result.points[derived.key]["score"], rtol=1e-12)


def test_a_score_of_ones_own_hides_the_count_of_its_name():
    table = TABLE.rename(columns={"a": "flops"})
    row, result = _row(table, "rank(flops)+rank(live_layers)", space="nb201")
    assert result.notes == ("rank(flops)+rank(live_layers): flops is your own score here, and not the count.",)
    layers = next(result.points[other.key]["score"] for other in result.rows if other.measure == "live_layers")
    expected = stats.rankdata(table["flops"]) + stats.rankdata(layers)
    np.testing.assert_array_equal(result.points[row.key]["score"], expected)


def test_every_data_set_and_epoch_has_its_own(tmp_path):
    other = NB201 | {"dataset": "cifar100", "num_classes": 100}
    fields = {"first": NB201, "other": other, "later": NB201 | TRAINING | {"epoch": 1}}
    digests = {name: fill(tmp_path / "s.h5", ("trace", "cond"), CELLS, fields=fields[name]) for name in fields}
    fill(tmp_path / "s.h5", ("snip",), CELLS, fields=NETWORK)
    store = ntknas.load_store(tmp_path / "s.h5")
    texts = ["rank(trace)+rank(cond)", "rank(trace)+rank(snip)", "rank(flops)+live_layers"]
    result = ntknas.correlate(store, ACCURACIES, resamples=0, combine=texts)
    settings = {text: [row.setting for row in result.rows if row.measure == text] for text in texts}
    assert settings[texts[0]] == list(digests.values())
    assert settings[texts[1]] == [digests["first"]]
    assert len(settings[texts[2]]) == 1
    points = {row.key: result.points[row.key]["score"] for row in result.rows}
    for digest in digests.values():
        ranks = [stats.rankdata(points[name, digest, "mine"]) for name in ("trace", "cond")]
        np.testing.assert_array_equal(points[texts[0], digest, "mine"], sum(ranks))


def test_unknown_names():
    with pytest.raises(ChoiceError, match="Unknown name in the combination 'a [+] bb', 'bb': .* Did you mean 'b'"):
        _row(TABLE, "a + bb")


def test_combinations_are_shown_whatever_measures_are():
    result = ntknas.correlate(TABLE, ACCURACIES, resamples=0, measures=["b"], combine=["a+b", " a+b ", "a-b"])
    assert [row.measure for row in result.rows] == ["b", "a+b", "a-b"]


def _failing(cell, seed, measure):
    return Status.SINGULAR if cell < 103 else float(cell)


def test_cells_without_a_score_are_placed_last(tmp_path):
    fill(tmp_path / "s.h5", ("cond",), CELLS, scores=_failing)
    store = ntknas.load_store(tmp_path / "s.h5")
    row = ntknas.correlate(store, ACCURACIES, resamples=200, unscored="last").rows[0]
    scores = np.concatenate([[-1e9] * 3, -np.array(CELLS[3:], float)])
    assert (row.n, row.left_out, row.placed_last) == (60, {}, {"singular": 3})
    assert row.kendall.value == pytest.approx(stats.kendalltau(scores, ACCURACIES).statistic)
    assert row.spearman.value == pytest.approx(stats.spearmanr(scores, ACCURACIES).statistic)
    assert row.ties == 3
    assert row.pearson.value is None
    left_out = ntknas.correlate(store, ACCURACIES, resamples=0).rows[0]
    assert (left_out.n, left_out.left_out, left_out.placed_last) == (57, {"singular": 3}, {})
    with pytest.raises(ChoiceError, match="`unscored`"):
        ntknas.correlate(store, ACCURACIES, unscored="first")


def test_a_combination_without_a_score_is_placed_last_too():
    table = TABLE.copy()
    table.loc[100:104, "b"] = np.nan
    row, _ = _row(table, "rank(a)+rank(b)", unscored="last")
    assert (row.n, row.left_out, row.placed_last) == (60, {}, {"undefined": 5})
