"""Trade-offs: what scores choose, against the definitions taken literally, and what must not change it."""

import itertools
import json

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from ntknas import figures, load_benchmark, load_space
from ntknas.benchmarks import AccuracyTable, Target
from ntknas.benchmarks.quantity import Quantity
from ntknas.core.errors import ChoiceError, NtknasError
from ntknas.correlation.judge import Judge
from ntknas.correlation.pareto import trade_offs
from ntknas.correlation.plane import Plane
from ntknas.correlation.targets import as_accuracies
from tests.correlation.test_front import slow_fronts

RNG = np.random.default_rng(0)
CELLS = range(100, 160)
ACCURACY = pd.Series(RNG.normal(80, 5, 60).round(1), CELLS)
LATENCY = pd.Series(RNG.gamma(3, 2, 60).round(1), CELLS)
SCORES = pd.DataFrame({"good": ACCURACY + RNG.normal(0, 2, 60), "bad": RNG.normal(0, 1, 60)}).rename_axis("cell")


def column(values, higher_is_better=False, size=15_625, measurements=None, unit="ms"):
    runs = np.full((size, 1), np.nan)
    runs[values.index, 0] = values
    return AccuracyTable(runs, (0,), quantity=Quantity("latency", unit, higher_is_better), measurements=measurements)


TARGETS = {"accuracy": ACCURACY, "latency": column(LATENCY)}


def made(scores=SCORES, targets=TARGETS, **options):
    options = {"resamples": 0, "space": "nb201"} | options
    return trade_offs(scores, targets, **options)


def row_of(result, measure, stand_in="measured"):
    (place,) = (i for i, row in enumerate(result.rows) if (row.measure, row.stand_in) == (measure, stand_in))
    return result.rows[place], result.plane.cells[result.chosen[place]]


def slow_area(accuracies, latencies, worst):
    """The area that cells dominate: corner by corner, from the lowest latency on."""
    area, best = 0.0, worst[0]
    for latency, accuracy in sorted(zip(latencies, accuracies, strict=True), key=lambda pair: (pair[0], -pair[1])):
        if accuracy > best:
            area += (accuracy - best) * (worst[1] - latency)
            best = accuracy
    return area


WORST = (ACCURACY.min(), LATENCY.max())


def slow_reached(score, other, cells, budget=None):
    """What is reached by the first front of a score and a stand-in of which lower is better, in the targets' units."""
    cells = list(cells)
    x, y = score[cells].to_numpy(), -other[cells].to_numpy()
    chosen = [cells[i] for i in slow_fronts(x, y, range(len(cells)))[0]]
    whole = slow_area(ACCURACY[cells], LATENCY[cells], WORST)
    return slow_area(ACCURACY[chosen], LATENCY[chosen], WORST) / whole, chosen


def flops():
    space = load_space("nb201")
    return pd.Series([float(space.flops(space[cell])) for cell in CELLS], CELLS)


def test_what_is_chosen_and_what_it_reaches():
    result = made()
    for measure, (stand_in, other) in itertools.product(SCORES, {"measured": LATENCY, "flops": flops()}.items()):
        row, chosen = row_of(result, measure, stand_in)
        reached, expected = slow_reached(SCORES[measure], other, CELLS)
        assert sorted(chosen) == sorted(expected)
        assert row.reached.value == pytest.approx(reached, rel=1e-12)
        assert row.chosen == len(expected)
        assert (row.n, row.left_out, row.reached.low) == (60, {}, None)
    front = slow_fronts(ACCURACY.to_numpy(), -LATENCY.to_numpy(), range(60))[0]
    assert [int(cell) for cell in result.plane.cells[result.plane.on_front]] == [CELLS[i] for i in front]


def test_ranks_are_shares_of_the_cells_that_are_worse():
    row, chosen = row_of(made(), "good")
    worse = [[np.mean(values < value) * 60 / 59 for value in values] for values in (ACCURACY, -LATENCY)]
    ranks = [pd.Series(values, CELLS) for values in worse]
    front = [CELLS[i] for i in slow_fronts(ACCURACY.to_numpy(), -LATENCY.to_numpy(), range(60))[0]]
    areas = [slow_area(ranks[0][cells], -ranks[1][cells], (0.0, 0.0)) for cells in (list(chosen), front)]
    assert row.reached_ranks.value == pytest.approx(areas[0] / areas[1], rel=1e-12)


def test_the_targets_themselves_reach_the_whole_front():
    result = made(ACCURACY.rename("oracle"))
    row, chosen = row_of(result, "oracle")
    assert (row.reached.value, row.reached_ranks.value, row.missed) == (1, 1, 0)
    assert row.found == len({(ACCURACY[cell], LATENCY[cell]) for cell in chosen})
    assert 0 < row.random < 1


def test_every_cell_reaches_all_of_it_and_no_random_choice_is_worse():
    row, _ = row_of(made(budget=60), "bad")
    assert (row.chosen, row.reached.value, row.missed) == (60, 1, 0)
    assert row.random == pytest.approx(1, rel=1e-12)


def test_random_cells_reach_what_drawn_ones_do_on_average():
    result = made(budget=7)
    row, _ = row_of(result, "good")
    rng = np.random.default_rng(0)
    drawn = [rng.choice(60, 7, replace=False) for _ in range(4000)]
    for scale, expected in (("values", row.random), ("ranks", row.random_ranks)):
        areas = np.array([result.plane.reached(scale, places) for places in drawn])
        assert expected == pytest.approx(areas.mean(), abs=4 * areas.std() / np.sqrt(len(areas)))


@pytest.mark.parametrize("probability", [0.025, 0.5, 0.975])
def test_the_line_of_random_cells_has_its_probability(probability):
    plane = made().plane
    rng = np.random.default_rng(1)
    drawn = np.array([rng.choice(60, 7, replace=False) for _ in range(3000)])
    accuracy, latency = ACCURACY.to_numpy()[drawn], LATENCY.to_numpy()[drawn]
    for corner in plane.random_line(7, probability):
        attained = np.mean(((accuracy >= corner[0]) & (latency <= corner[1])).any(axis=1))
        assert attained >= probability - 4 * np.sqrt(probability * (1 - probability) / 3000)
        beyond = np.mean(((accuracy > corner[0]) & (latency < corner[1])).any(axis=1))
        assert beyond <= probability + 4 * np.sqrt(probability * (1 - probability) / 3000)


def test_ends_are_those_of_the_same_resamples_taken_literally():
    result = made(resamples=200, stand_ins=["measured"])
    drawn = Judge(result.plane, result.choice, 200, 0).drawn
    row, _ = row_of(result, "good")
    ratios = [slow_reached(SCORES["good"], LATENCY, np.array(CELLS)[present])[0] for present in drawn]
    assert (row.reached.low, row.reached.high) == pytest.approx(np.quantile(ratios, [0.025, 0.975]))
    assert row.reached_ranks.interval is not None
    assert made(resamples=199, stand_ins=["measured"]).rows[0].reached.interval is None


def test_cells_of_one_network_or_measurement_are_drawn_together():
    space = load_space("nb201")
    cells = [0, *range(1, 30), 1651, *range(200, 240)]
    values = pd.Series(RNG.normal(size=len(cells)), cells)
    shared = np.arange(15_625)
    shared[200:240] = 200
    shared_latency = values.copy()
    shared_latency[range(200, 240)] = 3.0
    result = made(values.rename("s"), {"a": values, "b": column(shared_latency, measurements=shared)}, resamples=200)
    assert len(set(result.plane.units[-40:])) == 1
    assert len(set(result.plane.units)) == result.as_json()["units"] < len(cells)
    for present in Judge(result.plane, result.choice, 200, 0).drawn:
        assert len(set(present[-40:])) == 1
    alone = made(values.rename("s"), {"a": values, "b": column(shared_latency)}, space=None, stand_ins=["measured"])
    assert len(set(alone.plane.units)) == len(cells)
    assert space.name == "nb201"


def _same(a, b):
    for one, other in zip(a.rows, b.rows, strict=True):
        assert (one.measure, one.stand_in, one.chosen) == (other.measure, other.stand_in, other.chosen)
        numbers = [
            (row.reached.value, row.reached.low, row.reached_ranks.value, row.random, row.random_ranks, row.missed)
            for row in (one, other)
        ]
        assert numbers[0] == pytest.approx(numbers[1], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("options", [{}, {"budget": 9}, {"fronts": 3}], ids=str)
def test_neither_units_nor_the_scale_of_a_score_matter(options):
    options = {"resamples": 200, "space": None, **options}
    plain = made(**options)
    other_units = {"accuracy": ACCURACY / 100, "latency": column(LATENCY / 1000 + 7, unit="s")}
    _same(plain, made(targets=other_units, **options))
    _same(plain, made(np.exp(SCORES / 20), **options))
    negated = {"accuracy": ACCURACY, "latency": column(-LATENCY, higher_is_better=True)}
    _same(plain, made(targets=negated, **options))
    _same(plain, made(-SCORES, lower_is_better=list(SCORES), **options))


def test_a_count_has_the_direction_of_the_second_target():
    upwards = {"accuracy": ACCURACY, "robustness": column(-LATENCY, higher_is_better=True)}
    _, chosen = row_of(made(targets=upwards, stand_ins=["flops"]), "good", "flops")
    assert sorted(chosen) == sorted(slow_reached(SCORES["good"], -flops(), CELLS)[1])


def test_a_target_of_another_device_stands_in():
    other = LATENCY + RNG.normal(0, 1, 60)
    result = made(targets=TARGETS | {"elsewhere": column(other)}, stand_ins=["elsewhere", "latency"])
    _, chosen = row_of(result, "good", "elsewhere")
    assert sorted(chosen) == sorted(slow_reached(SCORES["good"], other, CELLS)[1])
    same, measured = row_of(result, "good", "latency"), row_of(made(), "good")
    assert list(same[1]) == list(measured[1])
    with pytest.raises(ChoiceError, match="Unknown stand-in"):
        made(stand_ins=["accuracy"])  # it is what the score stands for


def test_cells_without_a_score_are_not_chosen_and_stay_on_the_true_front():
    scores = SCORES.copy()
    best = int(ACCURACY.idxmax())
    scores.loc[best, "good"] = np.nan
    result = made(scores)
    row, chosen = row_of(result, "good")
    assert (row.n, row.left_out) == (59, {"undefined": 1})
    assert best not in chosen
    assert best in result.plane.cells[result.plane.on_front]
    assert row.found < row_of(made(ACCURACY.rename("oracle")), "oracle")[0].found


@pytest.mark.parametrize("options", [{"resamples": 200}, {"budget": 5}], ids=str)
def test_a_score_that_no_cell_has_chooses_none(options):
    result = made(SCORES.assign(good=np.nan), **options)
    row, chosen = row_of(result, "good")
    assert (row.n, row.chosen, len(chosen), row.found, row.missed) == (0, 0, 0, 0, None)
    assert (row.reached.value, row.random, row.left_out) == (0, 0, {"undefined": 60})
    json.dumps(result.as_json(), allow_nan=False)
    assert isinstance(figures.fronts(result, "measured"), Figure)


def test_within_a_budget_equal_cells_come_in_any_order():
    coarse = (ACCURACY // 10).rename("coarse")
    levels = column(LATENCY // 4)
    targets = {"accuracy": ACCURACY, "latency": column(LATENCY), "levels": levels}
    result, again, other = (
        made(coarse, targets, budget=5, stand_ins=["levels"], space=None, seed=seed) for seed in (1, 1, 2)
    )
    assert [row.reached.value for row in result.rows] == [row.reached.value for row in again.rows]
    assert [row.reached.value for row in result.rows] != [row.reached.value for row in other.rows]


def test_a_count_against_itself_chooses_within_a_budget_alone():
    names = [(row.measure, row.stand_in) for row in made().rows]
    assert ("flops", "flops") not in names
    assert {("flops", "measured"), ("effective_parameters", "flops"), ("parameters", "measured")} <= set(names)
    row, chosen = row_of(made(budget=6), "flops", "flops")
    assert row.chosen == 6
    assert len({flops()[cell] for cell in chosen}) == min(6, flops().nunique())


def test_combinations_choose_too():
    result = made(combine=["rank(good)+rank(flops)"], stand_ins=["measured"])
    _, chosen = row_of(result, "rank(good)+rank(flops)")
    ranks = SCORES["good"].rank() + flops().rank()
    assert sorted(chosen) == sorted(slow_reached(ranks, LATENCY, CELLS)[1])


def test_of_distinct_networks_each_counts_once():
    result = made(population="distinct", stand_ins=["measured"])
    assert result.population == "distinct"
    assert len(result.plane) <= 60
    assert len(set(result.plane.units)) == len(result.plane)


def test_without_a_space_there_are_no_counts():
    result = made(space=None)
    assert [(row.measure, row.stand_in) for row in result.rows] == [("good", "measured"), ("bad", "measured")]


def test_as_data():
    result = made(resamples=200)
    frame, plain = result.frame(), result.as_json()
    assert len(frame) == len(plain["rows"]) == len(result.rows)
    assert {"reached", "reached_low", "reached_high", "reached_ranks", "random", "missed", "found"} <= set(frame)
    first = plain["rows"][0]
    assert first["reached"] == {
        "value": frame["reached"][0],
        "low": frame["reached_low"][0],
        "high": frame["reached_high"][0],
    }
    assert first["cells"] == result.plane.cells[result.chosen[0]].tolist()
    assert plain["targets"]["latency"]["unit"] == "ms"
    assert {entry["cell"]: entry["latency"] for entry in plain["front"]} == {
        int(cell): LATENCY[cell] for cell in result.plane.cells[result.plane.on_front]
    }


BAD = {
    "one target": ({"targets": {"a": ACCURACY}}, "between two different targets, got a"),
    "the same values": ({"targets": {"a": ACCURACY, "b": ACCURACY}}, "a and b have the same values"),
    "all equal": ({"targets": {"a": ACCURACY, "b": LATENCY * 0 + 3}}, "b is 3 for all 60 cells"),
    "no area": (
        {"targets": {"a": pd.Series(np.arange(60.0) % 2, CELLS), "b": pd.Series(1 - np.arange(60.0) % 2, CELLS)}},
        "Each of the 60 cells is the worst in a or in b",
    ),
    "none in common": (
        {"targets": {"a": ACCURACY, "b": pd.Series([1.0, 2.0], [3, 4])}},
        "None of the 60 scored cells has both a and b",
    ),
    "few in common": (
        {"targets": {"a": ACCURACY, "b": LATENCY[:9]}},
        "9 of the 60 scored cells have both a and b, and 10 are needed",
    ),
    "no budget": ({"budget": 0}, "`budget` must be a whole number, 1 or more, got 0"),
    "a budget beyond": ({"budget": 61}, "`budget` is 61, and 60 cells have both targets"),
    "no fronts": ({"fronts": 0}, "`fronts` must be a whole number, 1 or more, got 0"),
    "both": ({"fronts": 2, "budget": 3}, "give one of them"),
    "no such measure": ({"measures": ["cond"]}, "These scores have none of the measures"),
    "no such stand-in": ({"stand_ins": ["flopps"]}, "Unknown stand-in"),
    "no stand-in": ({"stand_ins": []}, "names none"),
    "no scores": ({"scores": SCORES[:0]}, "There are no scores"),
    "resamples": ({"resamples": -1}, "`resamples` must be a whole number"),
}


@pytest.mark.parametrize("name", list(BAD))
def test_what_cannot_be_is_said(name):
    options, message = BAD[name]
    with pytest.raises(NtknasError) as caught:
        made(**options)
    assert message in str(caught.value)


def test_absent_measures_and_cells_without_a_target_are_noted():
    result = made(targets={"a": ACCURACY, "b": LATENCY[:50]}, measures=["good", "cond"])
    assert any("cond" in note for note in result.notes)
    assert any("50 of 60 scored cells have both a and b" in note for note in result.notes)


@pytest.fixture(scope="module")
def edge_gpu(test_data):
    """The latency on the edge GPU of HW-NAS-Bench, in the order of its rows."""
    table = pd.read_csv(test_data / "targets/hw_nas_bench/hw_cifar10.csv")
    return AccuracyTable(table[["edgegpu_latency"]].to_numpy(), (0,), quantity=Quantity("latency", "ms", False))


def test_the_published_front_of_accuracy_and_latency(edge_gpu):
    accuracies = load_benchmark("nb201", folder=None).table(Target.parse("cifar10-valid/valid/200"))
    plane = Plane.of(as_accuracies({"a": accuracies, "b": edge_gpu}), pd.RangeIndex(15_625), None)
    table = (
        pd.DataFrame({"a": accuracies.mean, "b": edge_gpu.mean})
        .dropna()
        .sort_values(["b", "a"], ascending=[True, False])
    )
    best = table["a"].cummax().shift(fill_value=-np.inf)
    assert sorted(plane.cells[plane.on_front]) == sorted(table.index[table["a"] > best])
    assert len(plane) == len(table)
