"""Correlations of a population: which cells, what a network counts as, what is held fixed, and what is refused."""

import csv
import io
import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ntknas import correlate, load_benchmark, load_space, load_store
from ntknas.core.errors import ChoiceError, DataError, NtknasError
from ntknas.core.score import Status
from ntknas.correlation import comparisons, difference_to
from ntknas.correlation.counts import Counts, NetworkSize
from ntknas.correlation.populations import Restriction
from ntknas.correlation.targets import Accuracies
from ntknas.data import make_probe
from ntknas.measures import all_derived, register_derived, registry
from ntknas.report import correlation_figures, scatter_figures
from ntknas.scoring import Recipe
from ntknas.scoring.cells import sample
from ntknas.scoring.inputs import inputs_of
from ntknas.spaces.populations import POPULATIONS, is_member, network_of
from ntknas.spaces.structure import COUNTS
from tests.cli.typed import ntknas
from tests.correlation.stores import NB201, fill, value

CELLS = range(200, 320)
ACCURACIES = pd.Series({cell: 10 + 80 * value(cell, 0, "accuracy") for cell in range(600)}, name="mine")


@pytest.fixture(scope="module")
def space():
    return load_space("nb201")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("populations") / "s.h5"
    fill(path, ("trace", "cond"), CELLS)
    return path


@pytest.fixture(scope="module")
def scores(store):
    return load_store(store)


def rows_of(scores, **options):
    result = correlate(scores, ACCURACIES, resamples=0, **options)
    return {row.measure: row for row in result.rows}, result


@pytest.mark.parametrize("population", [name for name in POPULATIONS if name != "distinct"])
def test_a_population_is_those_of_the_scored_cells_that_are_in_it(space, scores, population):
    rows, result = rows_of(scores, population=population)
    kept = list(filter(is_member(space, population), CELLS))
    assert {row.n for row in rows.values()} == {len(kept)}
    assert {row.population for row in rows.values()} == {population}
    assert rows["trace"].networks == len(set(map(network_of(space), kept)))
    x = [value(cell, 0, "trace") for cell in kept]
    assert rows["trace"].kendall.value == pytest.approx(stats.kendalltau(x, ACCURACIES[kept]).statistic)
    assert (result.targets["mine"].cells_scored, rows["trace"].chosen_cells) == (len(kept), None)


def test_with_distinct_a_network_counts_once(space, scores):
    """Its first scored cell stands for it, with the mean over all its cells that have an accuracy."""
    rows, result = rows_of(scores, population="distinct")
    network = network_of(space)
    first, all_of = {}, {}
    for cell in CELLS:
        first.setdefault(network(cell), cell)
    for cell in ACCURACIES.index:
        all_of.setdefault(network(cell), []).append(cell)
    assert len(first) < len(CELLS)
    assert any(len(all_of[form]) > sum(cell in CELLS for cell in all_of[form]) for form in first)
    points = next(frame for key, frame in result.points.items() if key.measure == "trace")
    assert points.index.tolist() == sorted(first.values())
    for form, cell in first.items():
        assert points.loc[cell, "accuracy"] == pytest.approx(ACCURACIES[all_of[form]].mean())
        assert points.loc[cell, "score"] == pytest.approx(value(cell, 0, "trace"))
    assert (rows["trace"].n, rows["trace"].networks, rows["trace"].resampled) == (len(first), len(first), "cells")


def test_with_distinct_a_score_is_that_of_the_first_cell_that_has_one(space, tmp_path):
    network = network_of(space)
    pairs = {}
    for cell in CELLS:
        pairs.setdefault(network(cell), []).append(cell)
    several = next(cells for cells in pairs.values() if len(cells) > 1)

    def some(cell, seed, measure):
        return Status.SINGULAR if cell == several[0] and measure == "cond" else value(cell, seed, measure)

    fill(tmp_path / "s.h5", ("trace", "cond"), CELLS, scores=some)
    rows, result = rows_of(load_store(tmp_path / "s.h5"), population="distinct")
    points = {key.measure: frame for key, frame in result.points.items()}
    assert points["cond"].loc[several[0], "score"] == pytest.approx(-value(several[1], 0, "cond"))
    assert points["trace"].loc[several[0], "score"] == pytest.approx(value(several[0], 0, "trace"))
    assert rows["cond"].left_out == {}
    fill(
        tmp_path / "none.h5",
        ("cond", "trace"),
        CELLS,
        scores=lambda c, s, m: Status.SINGULAR if (c in several and m == "cond") else value(c, s, m),
    )
    rows, _ = rows_of(load_store(tmp_path / "none.h5"), population="distinct")
    assert rows["cond"].left_out == {"singular": 1}


def test_runs_of_a_network_are_the_means_of_its_cells_runs(space):
    runs = np.random.default_rng(0).uniform(50, 90, (600, 3))
    target = Accuracies("t", pd.Series(runs.mean(axis=1)), runs)
    shown = pd.Index(
        sorted({min(c for c in CELLS if network_of(space)(c) == network_of(space)(cell)) for cell in range(200, 230)})
    )
    (found,) = Restriction.of("distinct", space, None).accuracies([target], shown)
    assert found.means.index.tolist() == shown.tolist()
    for cell in shown[:8]:
        same = [other for other in range(600) if network_of(space)(other) == network_of(space)(cell)]
        np.testing.assert_allclose(found.runs[cell], runs[same].mean(axis=0))
        assert found.means[cell] == pytest.approx(runs[same].mean())
    assert np.isnan(found.runs[[cell for cell in range(600) if cell not in shown]]).all()


def test_with_a_benchmark_populations_have_a_ceiling(scores):
    for population in ("reachable", "distinct"):
        result = correlate(scores, load_benchmark("nb201", dataset="cifar10-valid"), resamples=0, population=population)
        (summary,) = result.targets.values()
        assert 0.5 < summary.seed_agreement["kendall"].value < 1
        assert 0.5 < summary.ceiling["kendall"].value < 1


def test_chosen_cells_narrow_a_population(space, scores):
    chosen = [*range(230, 290), 5_000]
    rows, _ = rows_of(scores, population="connected", cells=chosen)
    kept = list(filter(is_member(space, "connected"), range(230, 290)))
    assert (rows["trace"].n, rows["trace"].chosen_cells) == (len(kept), 61)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"population": "reachable", "cells": range(200, 206)},
            "Of the 120 scored cells . are in `population` reachable of nb201 and among the 6 that were chosen",
        ),
        ({"cells": [1, 2]}, "Of the 120 scored cells 0 are among the 2 that were chosen: at least 10"),
        ({"population": "reachabel"}, "Unknown population 'reachabel'"),
        ({"given": ["nothing"]}, "Unknown count or measure of these scores 'nothing': .*live_layers.*trace"),
    ],
)
def test_what_is_refused(scores, options, message):
    with pytest.raises(NtknasError, match=message):
        rows_of(scores, **options)


def test_too_few_accuracies_of_a_population_are_said(scores):
    with pytest.raises(
        NtknasError, match="Of the scored cells with an accuracy in few 7 are in `population` connected"
    ):
        correlate(scores, ACCURACIES[200:207].rename("few"), population="connected")


def test_plain_scores_have_populations_where_their_space_is_said(space):
    plain = pd.Series({cell: value(cell, 0, "trace") for cell in CELLS}, name="mine_too")
    with pytest.raises(ChoiceError, match="do not say of which space they are: `population` connected needs it"):
        rows_of(plain, population="connected")
    rows, _ = rows_of(plain, population="connected", space="nb201")
    assert {row.n for row in rows.values()} == {sum(map(is_member(space, "connected"), CELLS))}
    assert set(rows) == {"mine_too", *COUNTS}
    with pytest.raises(DataError, match="a cell 15625: nb201 has cells 0 to 15624"):
        rows_of(pd.Series({15_625: 1.0, 3: 2.0}), space="nb201")


def test_partial_correlations_are_given_what_is_asked_for(scores):
    default, _ = rows_of(scores)
    assert default["trace"].partial_given == ("effective_parameters", "live_layers")
    assert default["effective_flops"].partial_kendall is None
    assert default["effective_parameters"].partial_given == ()
    asked, result = rows_of(scores, given=["cond", "flops", "parameters"])
    points = {key.measure: frame["score"] for key, frame in result.points.items()}
    assert asked["trace"].partial_given == ("cond", "flops")
    assert asked["trace"].partial_dropped == {"parameters": "flops"}
    variables = [points["trace"], ACCURACIES[list(CELLS)], points["cond"], points["flops"]]
    matrix = [[stats.kendalltau(a, b).statistic for b in variables] for a in variables]
    inverse = np.linalg.inv(matrix)
    assert asked["trace"].partial_kendall == pytest.approx(-inverse[0, 1] / np.sqrt(inverse[0, 0] * inverse[1, 1]))
    assert asked["cond"].partial_kendall is None
    assert asked["trace"].partial_n == 120


def test_of_a_covariate_that_some_cells_lack_the_others_are_taken(tmp_path):
    def some(cell, seed, measure):
        return Status.SINGULAR if measure == "cond" and cell < 230 else value(cell, seed, measure)

    fill(tmp_path / "s.h5", ("trace", "cond"), CELLS, scores=some)
    rows, _ = rows_of(load_store(tmp_path / "s.h5"), given=["cond"])
    assert (rows["trace"].n, rows["trace"].partial_n) == (120, 90)
    fill(tmp_path / "s.h5", ("cond",), CELLS, fields=NB201 | {"batch_norm": "eval"})
    with pytest.raises(
        ChoiceError, match="`given` cond ranks these cells in 2 ways .*sum/frozen/weights.*sum/eval/weights"
    ):
        rows_of(load_store(tmp_path / "s.h5"), given=["cond"])


@pytest.fixture
def of_counts(monkeypatch):
    """A derived measure of a measure and a count."""
    monkeypatch.setattr(registry, "_DERIVED", dict(all_derived()))

    @register_derived("with_layers", inputs=("lga", "trainable_layers"), formula="a", better="higher", source="test")
    def with_layers(lga, layers):
        return stats.rankdata(lga) + stats.rankdata(layers)

    return with_layers


def test_derived_measures_take_counts_and_rank_within_the_population(space, tmp_path, of_counts):
    fill(tmp_path / "s.h5", ("lga",), CELLS, seeds=(0, 1))
    frame = load_store(tmp_path / "s.h5")
    for population in ("all", "reachable"):
        result = correlate(frame, ACCURACIES, resamples=200, population=population, measures=["with_layers"])
        row = result.rows[0]
        kept = list(filter(is_member(space, population), CELLS))
        lga = [np.mean([value(cell, seed, "lga") for seed in (0, 1)]) for cell in kept]
        layers = [space.structure(space[cell]).trainable_layers for cell in kept]
        expected = stats.rankdata(lga) + stats.rankdata(layers)
        assert result.points[row.key]["score"].tolist() == pytest.approx(expected.tolist())
        assert (row.measure, row.interval_covers) == ("with_layers", "cells and initialisation")


def test_counts_follow_the_size_of_the_networks(space):
    size = NetworkSize("nb201", 16, 120, 8, 2)
    counts = Counts(size)
    options = {"num_classes": 120, "channels": 8, "cells_per_stage": 2}
    found = {name: counts.of(name, [7, 284]) for name in counts.names}
    assert found["parameters"].tolist() == [space.parameters(cell, **options) for cell in (7, 284)]
    assert found["flops"].tolist() == [space.flops(cell, image_size=16, **options) for cell in (7, 284)]
    structures = [space.structure(cell, image_size=16, **options) for cell in (7, 284)]
    assert [list(column) for column in zip(*structures, strict=True)] == [
        found[name].tolist() for name in structures[0]._fields
    ]
    assert NetworkSize.official(space, "ImageNet16-120") == NetworkSize("nb201", 16, 120, 16, 5)


def test_a_row_is_tested_against_a_count_by_network(scores):
    result = correlate(scores, ACCURACIES, resamples=300)
    row = result.rows[0]
    found = difference_to(result, row, "effective_parameters")
    counted = next(rival for rival in result.rows if rival.measure == "effective_parameters")
    assert found.value == pytest.approx(row.kendall.value - counted.kendall.value)
    assert found.low < found.value < found.high
    assert row.resampled == "networks"
    pairs = [{pair.first, pair.second} for pair in comparisons(result, "mine")]
    assert {"trace", "live_layers"} in pairs
    with pytest.raises(ChoiceError, match="Unknown row to compare with 'fro'"):
        difference_to(result, row, "fro")


def test_a_count_is_meant_where_a_score_of_ones_own_has_its_name(scores, tmp_path):
    own = pd.DataFrame({"flops": [value(cell, 0, "cond") for cell in CELLS], "x": range(120)}, index=CELLS)
    result = correlate(own, ACCURACIES, resamples=300, space="nb201")
    row = next(row for row in result.rows if row.measure == "x")
    counted = next(rival for rival in result.rows if rival.measure == "flops" and rival.is_baseline)
    assert difference_to(result, row, "flops").value == pytest.approx(row.kendall.value - counted.kendall.value)
    fill(tmp_path / "s.h5", ("trace", "cond"), CELLS)
    fill(tmp_path / "s.h5", ("cond",), CELLS, fields=NB201 | {"batch_norm": "eval"})
    twice = correlate(load_store(tmp_path / "s.h5"), ACCURACIES, resamples=300)
    with pytest.raises(ChoiceError, match="cond has 2 rows of mine: choose one"):
        difference_to(twice, twice.rows[0], "cond")
    with pytest.raises(ChoiceError, match="expected one of (?!.*cond.*cond)"):
        difference_to(twice, twice.rows[0], "nope")


def test_tables_json_csv_and_pictures_name_the_population(capsys, store, tmp_path):
    (tmp_path / "cells.txt").write_text("\n".join(map(str, range(200, 290))))
    (tmp_path / "own.csv").write_text("index,mine\n" + "\n".join(f"{c},{a}" for c, a in ACCURACIES.items()))
    arguments = ["correlate", store, "--accuracies", tmp_path / "own.csv", "--population", "connected"]
    arguments += ["--cells-file", tmp_path / "cells.txt", "--resamples", "200"]
    code, out, err = ntknas(capsys, *arguments, "--given", "cond,parameters,flops")
    assert code == 0, err
    rows = json.loads(ntknas(capsys, *arguments, "--json")[1])["rows"]
    n, networks = rows[0]["n"], rows[0]["networks"]
    assert (
        f"population connected ({POPULATIONS['connected']}): {n} cells in {networks} networks, of 90 that were" in out
    )
    assert "partial τ: given cond and parameters" in out
    assert "flops ranks these cells as parameters does" in out
    assert "networks are resampled, not cells" in out
    assert {(row["population"], row["chosen_cells"], row["n"]) for row in rows} == {("connected", 90, n)}
    assert {row["resampled"] for row in rows} == {"networks"}
    table = list(csv.DictReader(io.StringIO(ntknas(capsys, *arguments, "--csv")[1])))
    assert {(row["population"], row["n"]) for row in table} == {("connected", str(n))}
    result = correlate(load_store(store), ACCURACIES, resamples=0, population="connected")
    bars, clouds = correlation_figures.bars(result), scatter_figures.scatter(result, "mine")
    assert bars.title.endswith(f"{result.rows[0].n} cells of NAS-Bench-201, population connected")
    assert clouds.title.endswith(f"{result.rows[0].n} cells of NAS-Bench-201, population connected")


def test_a_sample_is_scored_within_a_population(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = "--probe noise --probe-size 4 --channels 2 --cells-per-stage 1 --measures trace".split()
    assert ntknas(capsys, "score", *small, "--cells", "6", "--population", "reachable", "--cells-seed", "2")[0] == 0
    frame = load_store("scores.h5")
    member = is_member(load_space("nb201"), "reachable")
    assert len(frame) == 6
    assert all(map(member, frame["cell"]))
    (run,) = frame.attrs["runs"].values()
    assert (run["population"], run["cells"]) == ("reachable", "6")
    code, _, err = ntknas(capsys, "correlate", "--population", "reachable")
    assert code == 1
    assert "Of the 6 scored cells 6 are in --population reachable of nb201: at least 10 are needed" in err


def test_the_library_draws_within_a_population_too():
    space = load_space("nb201")
    recipe, probe = Recipe(measures=("trace",)), make_probe("noise", 2)
    drawn = inputs_of("nb201", "20", recipe=recipe, probe=probe, population="distinct")
    assert drawn.cells == sample(space, 20, 0, "distinct")
    named = inputs_of(space, [1651, 3, "4", space[5]], recipe=recipe, probe=probe, population="connected")
    assert named.cells == [3, 4, 5]
    assert inputs_of(space, [1651, 3], recipe=recipe, probe=probe).cells == [1651, 3]


def test_cells_of_a_file_are_of_one_space(capsys, tmp_path):
    fill(tmp_path / "s.h5", ("trace",), CELLS)
    fill(tmp_path / "s.h5", ("trace",), range(12), fields=NB201 | {"space": "nats-sss", "channels": 64})
    (tmp_path / "cells.txt").write_text("\n".join(map(str, CELLS)))
    arguments = ["correlate", tmp_path / "s.h5", "--cells-file", tmp_path / "cells.txt", "--resamples", "0"]
    code, _, err = ntknas(capsys, *arguments)
    assert code == 2
    assert "--cells-file names cells of one space, and the scores are of nb201 and nats-sss" in err
    assert ntknas(capsys, *arguments, "--space", "nb201")[0] == 0
    (tmp_path / "cells.txt").write_text("no cell\n")
    code, _, err = ntknas(capsys, *arguments, "--space", "nb201")
    assert code == 1
    assert "cells.txt, line 1: Not a NAS-Bench-201 cell" in err
