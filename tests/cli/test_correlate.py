"""``ntknas correlate`` on stores of several spaces, settings, recipes and seeds; nothing is scored here."""

import json
from pathlib import Path

import pytest

from ntknas import load_benchmark
from tests.benchmarks import official
from tests.cli.test_commands import fails, ntknas
from tests.correlation import stores
from tests.correlation.stores import NB201, value

SIZES = NB201 | {"space": "nats-sss", "channels": 64, "cells_per_stage": 1}
NB101 = NB201 | {"space": "nb101", "channels": 128, "cells_per_stage": 3}
CELLS = range(100, 140)
TARGET = "cifar10-valid/valid/200"


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def fill(fields, cells=CELLS, measures=("trace", "cond"), path="scores.h5", **how):
    return stores.fill(Path(path), measures, cells, fields=fields, **how)


def answer(capsys, *arguments):
    code, out, err = ntknas(capsys, "correlate", "--json", "--resamples", 0, *arguments)
    assert code == 0, err
    return json.loads(out)


def without_settings(result):
    return {name: part for name, part in result.items() if name not in ("settings", "unmeasured")}


def test_the_spaces_of_a_store_are_taken_apart(capsys, tmp_path):
    sizes = list(range(0, 30_000, 2000))
    official.save_nats(tmp_path / "sss", cells=sizes, budgets=((90, "90"),))
    assert ntknas(capsys, "bench", "import", tmp_path / "sss")[0] == 0
    fill(NB201, path="alone.h5")
    fill(SIZES, sizes, path="sizes.h5")
    fill(NB201)
    fill(SIZES, sizes)
    fill(NB101, range(12))
    together = answer(capsys)
    assert list(together["spaces"]) == ["nb201", "nats-sss"]
    assert "nb101 is not there yet" in together["not_shown"]["nb101"]
    for space, path in (("nb201", "alone.h5"), ("nats-sss", "sizes.h5")):
        expected = without_settings(answer(capsys, path))
        assert without_settings(together["spaces"][space]) == expected
        assert without_settings(answer(capsys, "--space", space)) == expected
    code, out, err = ntknas(capsys, "correlate", "--resamples", 0, "--plots", "pictures")
    assert code == 0
    assert out.index("nb201\n=====") < out.index(TARGET) < out.index("nats-sss\n====")
    assert err.startswith("Correlating scores.h5 with accuracies.\nnb101 is not shown: nb101 is not there yet")
    assert {path.parent.name for path in (tmp_path / "pictures").rglob("*.png")} == {"nb201", "nats-sss"}
    rows = ntknas(capsys, "correlate", "--csv", "--resamples", 0)[1].splitlines()
    assert rows[0].endswith(",space")
    assert {row.rsplit(",", 1)[1] for row in rows[1:]} == {"nb201", "nats-sss"}
    assert {row["target"].split("/")[0] for row in answer(capsys, "--bench", "nats-sss")["rows"]} == {
        "cifar10",
        "cifar10-valid",
    }


def test_a_space_without_accuracies_is_said(capsys):
    fill(NB101, range(12))
    assert "nb101 is not there yet" in fails(capsys, "correlate")
    fill(SIZES, range(12))
    err = fails(capsys, "correlate")
    assert "nb101 is not shown" in err
    assert "nats-sss is not shown" in err


def test_accuracies_are_of_one_space(capsys, tmp_path):
    fill(NB201)
    fill(SIZES)
    lines = [f"{cell},{80 + cell % 7}" for cell in CELLS]
    (tmp_path / "own.csv").write_text("\n".join(["index,mine", *lines]))
    assert "choose one with --space" in fails(capsys, "correlate", "--accuracies", "own.csv", code=2)
    assert list(answer(capsys, "--accuracies", "own.csv", "--space", "nb201")["targets"]) == ["mine"]


def test_settings_recipes_and_measures_are_chosen(capsys):
    frozen = fill(NB201, recipe="one")
    fill(NB201 | {"batch_norm": "eval"}, recipe="other", measures=("trace", "lga"))

    def shown(*arguments):
        rows = answer(capsys, *arguments)["rows"]
        return [(row["measure"], row["recipe"]) for row in rows if row["recipe"] != "baseline"]

    assert shown() == [("trace", "one"), ("trace", "other"), ("cond", "one"), ("lga", "other")]
    assert shown("--setting", frozen[:6]) == shown("--recipe", "one") == [("trace", "one"), ("cond", "one")]
    assert shown("--measures", "trace,lga") == [("trace", "one"), ("trace", "other"), ("lga", "other")]
    assert shown("--recipe", "one", "--recipe", "other") == shown()
    for arguments, message in {
        ("--space", "nb2O1"): "Did you mean 'nb201'",
        ("--recipe", "on"): "Unknown recipe",
        ("--measures", "snip"): "snip",
        ("--measures", "cnd"): "Did you mean 'cond'",
        ("--measures", ""): "--measures names none",
        ("--measures", " , "): "--measures names none",
    }.items():
        assert message in fails(capsys, "correlate", *arguments)
    assert "Did you mean 'kendall'" in fails(capsys, "correlate", "--sort", "kendal", code=2)


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A store of four measures, from the tenths of which rows have figures of their own."""
    path = tmp_path_factory.mktemp("many") / "scores.h5"
    fill(NB201, range(100, 220), ("trace", "cond", "lga", "naswot"), path)
    return path


@pytest.mark.parametrize("sort", ["kendall", "spearman", "pearson", "top10", "top25", "partial", "regret", "seconds"])
def test_rows_are_sorted_the_best_first(capsys, many, sort):
    key, rises = {
        "top10": ("kendall_top10", False),
        "top25": ("kendall_top25", False),
        "partial": ("partial_kendall", False),
        "regret": ("regret", True),
        "seconds": ("seconds_per_cell", True),
    }.get(sort, (sort, False))
    rows = answer(capsys, many, "--sort", sort)["rows"]
    figures = [row[key]["value"] if isinstance(row[key], dict) else row[key] for row in rows]
    known = [figure for figure in figures if figure is not None]
    assert figures[: len(known)] == known == sorted(known, reverse=not rises)


def test_a_folder_that_cannot_be_written_costs_no_table(capsys, tmp_path):
    fill(NB201)
    (tmp_path / "file").write_text("")
    for form, text in (((), "parameters"), (("--json",), '"rows"'), (("--csv",), "measure,recipe,target")):
        code, out, err = ntknas(capsys, "correlate", "--resamples", 0, "--plots", "file/x", *form)
        assert code == 1
        assert text in out
        assert "Cannot write the picture" in err


def test_few_resamples_give_no_interval(capsys):
    fill(NB201)
    code, out, err = ntknas(capsys, "correlate", "--json", "--resamples", 199)
    assert "199 resamples give no intervals: they need 200 or more" in err
    result = json.loads(out)
    assert result["rows"][0]["kendall"]["low"] is None
    assert result["interval"].startswith("none")
    assert "There are no intervals" in ntknas(capsys, "correlate", "--resamples", 199)[1]
    code, out, err = ntknas(capsys, "correlate", "--json", "--resamples", 200)
    assert ("intervals" in err, json.loads(out)["rows"][0]["kendall"]["low"] is None) == (False, False)


def test_what_the_intervals_cover_is_said(capsys):
    fill(NB201, path="one.h5")
    fill(NB201, seeds=(0, 1, 2), path="three.h5")
    fill(NB201 | {"cell_seeds": "independent"}, path="own.h5")
    for path, covers, text in (
        ("one.h5", "cells", "alone: the initialisation"),
        ("three.h5", "cells and initialisation", "and initialisations."),
        ("own.h5", "cells and initialisation", "and initialisations."),
    ):
        out = ntknas(capsys, "correlate", path, "--resamples", 200)[1]  # some of these cells are one network
        assert f"over networks {text}" in out
        assert "intervals are over cells" not in out
        assert (
            f"over cells {text}" in ntknas(capsys, "correlate", path, "--resamples", 200, "--population", "distinct")[1]
        )
        assert answer(capsys, path)["rows"][0]["interval_covers"] == covers
    assert "networks are resampled" not in ntknas(capsys, "correlate", "one.h5", "--resamples", 0)[1]
    fill(NB201, measures=("lga",), seeds=(0, 1), path="one.h5")
    assert "where every cell has several seeds" in ntknas(capsys, "correlate", "one.h5", "--resamples", 200)[1]


def test_accuracies_of_few_cells_are_said(capsys, tmp_path):
    fill(NB201)
    lines = [f"{cell},{80 + cell % 7}" for cell in range(100, 112)]
    (tmp_path / "own.csv").write_text("\n".join(["index,mine", *lines]))
    code, out, err = ntknas(capsys, "correlate", "--accuracies", "own.csv", "--json", "--resamples", 0)
    assert "own.csv has accuracies for 12 of 40 scored cells" in err
    known = json.loads(out)["targets"]["mine"]
    assert (known["cells_scored"], known["cells_with_accuracy"]) == (40, 12)
    assert "accuracies for" not in ntknas(capsys, "correlate", "--resamples", 0)[2]


@pytest.mark.parametrize("values", [("nan", ""), ("1e308", "-1e308"), ("1e400", "1"), ("-inf", "1")])
def test_accuracies_that_cannot_be_computed_with(capsys, tmp_path, values):
    fill(NB201)
    lines = [f"{cell},{values[cell % 2]}" for cell in CELLS]
    (tmp_path / "own.csv").write_text("\n".join(["index,mine", *lines]))
    for form in ("--json", "--csv"):
        err = fails(capsys, "correlate", "--accuracies", "own.csv", form)
        assert "not foresee" not in err
        assert "own.csv" in err or "mine" in err


def test_tests_between_measures_can_be_significant(capsys):
    """Of 91 pairs of measures and counts, one that ranks as accuracies do is better than all others, corrected."""
    table = next(iter(load_benchmark("nb201", folder=None).tables.values())).mean

    def scores(cell, seed, measure):
        return float(table[cell]) if measure == "trace" else value(cell, seed, measure)

    names = ("trace", "mean", "fro", "lambda_max", "logdet", "lga", "cka", "naswot")
    fill(NB201, measures=names, scores=scores)
    code, out, err = ntknas(capsys, "correlate", "--compare", "--json", "--resamples", 200)
    assert code == 0, err
    pairs = json.loads(out)["comparisons"][TARGET]
    assert len(pairs) == 91
    best = [pair for pair in pairs if pair["first"] == "trace"]
    assert all(pair["p_holm"] < 0.05 for pair in best)
    least = min(pair["p"] for pair in pairs)
    assert least == pytest.approx(2 / 20_001)
    assert {pair["p_is_bound"] for pair in pairs if pair["p"] == least} == {True}
    assert {pair["p_is_bound"] for pair in pairs if pair["p"] > least} == {False}


def test_bounds_of_p_are_said_in_the_table(capsys):
    table = next(iter(load_benchmark("nb201", folder=None).tables.values())).mean
    fill(NB201, measures=("trace",), scores=lambda cell, seed, measure: float(table[cell]))
    code, out, err = ntknas(capsys, "correlate", "--compare", "--resamples", 200)
    assert code == 0, err
    least = 2 / 20_001  # 21 pairs are tested by 20,000 resamples
    assert f"≤ {least:.3g}" in out
    assert f" {least:.3g}" not in out.replace(f"≤ {least:.3g}", "")


@pytest.mark.parametrize(
    ("few", "messages"),
    [
        (20, []),
        (19, ["Some measures have few of the 40 cells: --measures leaves them out."]),
        (9, ["no tests: all measures together have 9 cells, and 10 are needed.", "--measures leaves them out."]),
    ],
)
def test_measures_of_few_cells_are_pointed_at_where_tests_need_all(capsys, few, messages):
    fill(NB201)
    fill(NB201, CELLS[:few], measures=("lga",))
    out = ntknas(capsys, "correlate", "--compare", "--resamples", 200)[1]
    assert all(message in out for message in messages)
    assert ("leaves them out" in out) == bool(messages)
    assert "leaves them out" not in ntknas(capsys, "correlate", "--compare", "--measures", "trace,cond")[1]


def test_a_folder_of_tables_that_is_named_is_there(capsys, tmp_path):
    fill(NB201)
    for command in (["correlate"], ["bench", "list"], ["bench", "info", "nb201"]):
        err = fails(capsys, *command, "--bench-data", "nope", code=2)
        assert "Invalid value for '--bench-data': no such folder: nope" in err
    assert ntknas(capsys, "correlate", "--resamples", 0)[0] == 0
    (tmp_path / "nope").mkdir()
    assert ntknas(capsys, "correlate", "--resamples", 0, "--bench-data", "nope")[0] == 0
