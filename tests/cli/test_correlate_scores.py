"""``ntknas correlate`` on a user's own scores, alone and beside a store's, and on combinations."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

from ntknas import load_benchmark, load_space
from ntknas.spaces.structure import COUNTS
from tests.cli.test_commands import fails, ntknas
from tests.correlation import stores

CELLS = range(100, 140)
RNG = np.random.default_rng(0)
TARGET = "cifar10-valid/valid/200"


@pytest.fixture(autouse=True)
def _own_scores(tmp_path, monkeypatch):
    """Two scores of one's own, and a file in the place of the default store that is none."""
    monkeypatch.chdir(tmp_path)
    table = pd.DataFrame({"index": CELLS, "mine": RNG.random(40), "flops": RNG.random(40), "cost": RNG.random(40)})
    table.to_csv("mine.csv", index=False)


def answer(capsys, *arguments):
    code, out, err = ntknas(capsys, "correlate", "--json", "--resamples", 0, *arguments)
    assert code == 0, err
    return json.loads(out)


def accuracies():
    table = load_benchmark("nb201", folder=None).tables
    return pd.Series(next(table[target] for target in table if str(target) == TARGET).mean)[CELLS]


def test_scores_of_ones_own_alone(capsys, tmp_path):
    (tmp_path / "scores.h5").write_text("no store, and not named: not read")
    result = answer(capsys, "--scores", "mine.csv", "--lower-is-better", "cost")
    rows = {(row["measure"], row["setting"]): row for row in result["rows"]}
    assert list(rows) == [*((name, "given") for name in ("mine", "flops", "cost")), *((c, "official") for c in COUNTS)]
    table = pd.read_csv("mine.csv", index_col="index")
    for name, sign in (("mine", 1), ("flops", 1), ("cost", -1)):
        row = rows[name, "given"]
        tau = scipy_stats.kendalltau(sign * table[name], accuracies()).statistic
        assert row["kendall"]["value"] == pytest.approx(tau)
        assert row["higher_is_better"] == (sign > 0)
        assert row["partial_given"] == ["effective_parameters", "live_layers"]
    space = load_space("nb201")
    flops = scipy_stats.kendalltau([space.flops(space[cell]) for cell in CELLS], accuracies()).statistic
    assert rows["flops", "official"]["kendall"]["value"] == pytest.approx(flops)
    assert result["settings"] == {"given": {"space": "nb201", "dataset": "cifar10"}}


def test_beside_the_scores_of_a_store(capsys, tmp_path):
    stores.fill(tmp_path / "s.h5", ("trace", "cond"), CELLS)
    result = answer(capsys, "s.h5", "--scores", "mine.csv", "--combine", "rank(mine)+rank(trace)")
    assert [row["measure"] for row in result["rows"]] == [
        *("trace", "cond", "mine", "flops", "cost", "rank(mine)+rank(trace)"),
        *COUNTS,
    ]
    alone = {row["measure"]: row for row in answer(capsys, "s.h5")["rows"]}
    for row in result["rows"][:2]:
        assert row == alone[row["measure"]]
    shown = answer(capsys, "s.h5", "--scores", "mine.csv", "--measures", "mine,cond")["rows"]
    assert [row["measure"] for row in shown] == ["mine", "cond", *COUNTS] or [row["measure"] for row in shown] == [
        "cond",
        "mine",
        *COUNTS,
    ]


def test_a_score_with_a_stores_name_is_told_apart(capsys, tmp_path):
    stores.fill(tmp_path / "s.h5", ("trace",), CELLS)
    pd.DataFrame({"index": CELLS, "trace": RNG.random(40)}).to_csv("trace.csv", index=False)
    code, out, _ = ntknas(capsys, "correlate", "s.h5", "--scores", "trace.csv", "--resamples", 200, "--compare")
    assert code == 0
    assert "trace (yours)" in out
    assert "trace · yours" in out
    err = fails(capsys, "correlate", "s.h5", "--scores", "trace.csv", "--combine", "rank(trace)+flops")
    assert "trace is a score of your own and one of the store: rename your own" in err


def test_table_and_pictures(capsys, tmp_path):
    combined = "rank(mine)+2*rank(cost)"
    arguments = ("--scores", "mine.csv", "--resamples", 200, "--plots", "pictures", "--combine", combined)
    code, out, err = ntknas(capsys, "correlate", *arguments)
    assert code == 0, err
    lines = out.splitlines()
    assert any(line.startswith("flops (yours) ") for line in lines)
    assert any(line.startswith("rank(mine)+2*rank(cost)* ") for line in lines)
    assert "* rank(mine)+2*rank(cost): the numbers in it: 2." in out
    assert "looks better on them than it is" in out
    assert "nDCG@10" in out
    assert "held against accuracies on cifar10 (--dataset)" in err
    assert {path.name for path in (tmp_path / "pictures").iterdir()} == {
        "correlations.png",
        "scatter-cifar10-valid-valid-200.png",
        "best-of-k-cifar10-valid-valid-200.png",
    }


def test_columns_may_have_any_names(capsys, tmp_path):
    names = ["value", "seed", "status", "measure", "$a_$", "a b, c"]
    table = pd.DataFrame(RNG.random((40, 6)), CELLS, names).rename_axis("index")
    table.to_csv("names.csv")
    options = ("--resamples", 0, "--csv", "--plots", "p", "--combine", "'$a_$'+seed")
    code, out, err = ntknas(capsys, "correlate", "--scores", "names.csv", *options)
    assert code == 0, err
    Path("out.csv").write_text(out)
    taus = pd.read_csv("out.csv", index_col="measure")["kendall"]
    assert list(taus.index[:7]) == [*names, "'$a_$'+seed"]
    for name in names:
        assert taus[name] == pytest.approx(scipy_stats.kendalltau(table[name], accuracies()).statistic)
    assert len(list((tmp_path / "p").iterdir())) == 3


def test_csv_has_what_a_score_puts_first(capsys):
    code, out, _ = ntknas(capsys, "correlate", "--scores", "mine.csv", "--csv", "--resamples", 0, "--sort", "ndcg10")
    assert code == 0
    Path("out.csv").write_text(out)
    frame = pd.read_csv("out.csv")
    assert frame["ndcg_10"].is_monotonic_decreasing
    assert frame["best_of_1"].notna().all()
    assert frame["ndcg_100"].isna().all()
    assert {"weighted_kendall", "precision_10", "precision_top10", "best_of_10", "placed_last", "fitted"} <= set(frame)


def test_another_data_set_and_population(capsys):
    result = answer(capsys, "--scores", "mine.csv", "--dataset", "cifar100", "--population", "reachable")
    assert list(result["targets"]) == ["cifar100/valid/200"]
    assert {row["population"] for row in result["rows"]} == {"reachable"}
    assert result["settings"]["given"]["dataset"] == "cifar100"


def test_cells_without_a_score_placed_last(capsys):
    Path("gaps.csv").write_text("index,a\n" + "".join(f"{cell},{cell if cell % 4 else ''}\n" for cell in CELLS))
    (row, *_) = answer(capsys, "--scores", "gaps.csv", "--unscored", "last")["rows"]
    assert (row["n"], row["left_out"], row["placed_last"]) == (40, {}, {"undefined": 10})
    _, out, _ = ntknas(capsys, "correlate", "--scores", "gaps.csv", "--unscored", "last", "--resamples", 0)
    assert "10 undefined (placed last)" in out


FILES = {
    "disagreeing.csv": "index,net,a\n" + '0,"(4, 3, 3, 0, 0, 0)",1\n2,"(4, 3, 3, 0, 0, 0)",2\n',
    "unknown.csv": "index,a\n0,1\n20000,2\n",
    "twice.csv": "index,a\n0,1\n0,2\n",
    "text.csv": "index,a\n0,1\n1,good\n",
    "constant.csv": "index,a\n0,1\n1,1\n",
    "failed.csv": "index,a\n0,\n1,\n",
    "few.csv": "index,a\n0,1\n1,2\n",
    "two.csv": "index,a,b\n"
    + "".join(f"{c},{c % 7},\n" for c in range(9))
    + "".join(f"{c},,{c}\n" for c in range(9, 18)),
}
BAD = {
    "columns that disagree": (
        ["disagreeing.csv"],
        "disagreeing.csv, line 3: its columns name different cells: 'index' cell 2",
    ),
    "an unknown cell": (["unknown.csv"], "unknown.csv, line 3, column 'index': Cell index out of range"),
    "a cell twice": (["twice.csv"], "it holds cell 0 more than once, in line 2 and line 3"),
    "a text": (["text.csv"], "text.csv, line 3: expected a number in column 'a', got 'good'"),
    "a constant": (["constant.csv"], "constant.csv: column 'a' ranks nothing: its 2 scores are all 1"),
    "failures alone": (["failed.csv"], "failed.csv: column 'a' holds no score: of its 2 values none is a number"),
    "failures by a number": (["few.csv", "--missing", 1, "--missing", 2], "column 'a' holds no score"),
    "no file": (["nowhere.csv"], "No such file: nowhere.csv. --scores takes a CSV file"),
    "another space's cells": (["mine.csv", "--space", "nb102"], "Unknown space 'nb102'"),
    "a name that is none": (
        ["mine.csv", "--lower-is-better", "cots"],
        "Unknown --lower-is-better score 'cots': .*'cost'",
    ),
    "a measure that is none": (["mine.csv", "--measures", "mine,cots"], "Unknown measure 'cots'.* Did you mean 'cost'"),
    "a combination of none": (["mine.csv", "--combine", "rank(mine)+rank(cots)"], "'cots': .* Did you mean 'cost'"),
    "no combination": (["mine.csv", "--combine", "mine.real+1"], "Not in a combination: 'mine.real'"),
    "no combination of cells": (["two.csv", "--combine", "a+b"], "different cells: a has 9, b has 9, and 0 have all"),
    "a small population": (["few.csv", "--population", "reachable"], "at least 10 are needed"),
    "no cell column": (["mine.csv", "--cell-column", "place"], "no column 'place', which --cell-column asks for"),
}


@pytest.mark.parametrize("name", list(BAD))
def test_bad_input(capsys, name):
    for file, text in FILES.items():
        Path(file).write_text(text)
    arguments, message = BAD[name]
    assert re.search(message, fails(capsys, "correlate", "--scores", *arguments))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--lower-is-better", "mine"], "--lower-is-better is of the columns of --scores"),
        (["--scores", "mine.csv", "--given", ","], "--given needs a name"),
        (["--missing", "-1"], "--missing is of the columns of --scores"),
        (["--cell-column", "x"], "--cell-column names a column of --accuracies or --scores"),
        (["--scores", "mine.csv", "--missing", "nan"], "not a finite number"),
        (["--scores", "mine.csv", "--missing", "foo"], "'foo' is not a valid number."),
        (["--scores", "mine.csv", "--recipe", "mok"], "--recipe chooses scores of a store: name it beside --scores"),
        (["--scores", "mine.csv", "--unscored", "first"], "'first' is not one of"),
    ],
)
def test_options_that_do_not_go_together(capsys, arguments, message):
    code, out, err = ntknas(capsys, "correlate", *arguments)
    assert (code, out) == (2, "")
    assert message in err


def test_the_thirteen_proxies_of_nas_bench_suite_zero(capsys, test_data):
    """As published beside the file: τ with CIFAR-10 test accuracy, the failed scores of cell 1651 left out."""
    path = test_data / "targets" / "nb_suite_zero" / "nb201_zc_proxies.csv"
    own = ("--accuracies", test_data / "nb201_cifar10.csv.gz", "--column", "cifar10_test200")
    result = answer(capsys, "--scores", path, "--missing", "-1e8", *own, "--measures", "nwot,zen,synflow,epe_nas,plain")
    taus = {row["measure"]: round(row["kendall"]["value"], 4) for row in result["rows"] if row["setting"] == "given"}
    published = {"nwot": 0.6243, "zen": 0.1097, "synflow": 0.5812, "epe_nas": 0.5781, "plain": -0.2341}
    assert taus == pytest.approx(published, abs=0.0005)
    numbers = {row["measure"]: row["n"] for row in result["rows"]}
    assert (numbers["nwot"], numbers["synflow"]) == (9444, 9445)
