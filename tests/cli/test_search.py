"""``ntknas search``: tables, JSON, CSV and pictures; what is asked wrongly; searches without a benchmark."""

import json

import numpy as np
import pandas as pd
import pytest

import ntknas
from ntknas.benchmarks import OwnTable, import_own
from ntknas.benchmarks.quantity import Quantity
from ntknas.cli.main import run
from ntknas.search import Objective, Problem, known_scores, search

SPACE = ntknas.load_space("nb201")
LATENCY = Quantity("latency", "ms", higher_is_better=False)
SMALL = ["--searches", "10", "--budget", "12", "--at", "5,12"]


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    """A score of all cells, and one of few."""
    file = tmp_path_factory.mktemp("search") / "mine.csv"
    values = np.random.default_rng(0).normal(size=len(SPACE))
    few = np.where(np.arange(len(SPACE)) < 100, values, np.nan)
    pd.DataFrame({"index": range(len(SPACE)), "mine": values, "few": few}).to_csv(file, index=False)
    return file


def answer(capsys, *arguments, code=0):
    assert run(["search", *map(str, arguments)]) == code
    printed = capsys.readouterr()
    return printed.out if code == 0 else printed.err


def test_the_command_finds_what_the_library_finds(capsys, mine):
    given = json.loads(answer(capsys, "--scores", mine, "--score", "mine", "--json", *SMALL))
    objective = Objective.of(ntknas.load_benchmark("nb201", "cifar10", folder=None), "cifar10")
    table = pd.read_csv(mine).set_index("index")[["mine"]].rename_axis("cell")
    scores = known_scores(["effective_parameters", "mine"], SPACE, table)
    expected = search(Problem(SPACE, objective, 12), ["random", "best-scored"], scores, seeds=10)
    standings = {(one["strategy"], one["spent"]): one["median"] for one in given["standings"]}
    for name in ("random", "best-scored by mine", "best-scored by effective_parameters"):
        assert standings[name, 12.0] == pytest.approx(np.quantile(expected.found(name, 12), 0.5, method="lower"))
    assert given["best"] == pytest.approx(objective.best)
    assert given["reported"] == given["chosen_by"] == "cifar10-valid/valid/200"


def test_csv_has_every_training_and_pictures_are_drawn(capsys, mine, tmp_path):
    text = answer(capsys, "--scores", mine, "--score", "mine", "--csv", "--plots", tmp_path, *SMALL)
    rows = pd.read_csv(pd.io.common.StringIO(text))
    assert (rows.groupby(["strategy", "seed"]).size() == 12).all()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["search-regret-trainings.png", "search-trainings.png"]


def test_the_table_says_what_is_reported(capsys, mine):
    text = answer(capsys, "--scores", mine, "--score", "mine", *SMALL)
    assert "after 5 trainings" in text
    assert "best-scored by mine" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--budget", "0"], "`?-?-?budget`? must be from 1 to 15,625"),
        (["--budget", "15626"], "must be from 1 to 15,625, the cells of nb201 that can be trained, got 15626"),
        (["--pool", "0"], "pool"),
        (["--score", "few"], "few"),
        (["--axis", "seconds"], "no training seconds"),
        (["--strategy", "halving"], "one budget alone"),
        (["--strategy", "nowhere"], "Unknown strategy 'nowhere'"),
        (["--at", "13", "--budget", "12"], "from 1 to the budget"),
        (["--choose", "cifar10-valid/test/3"], "has no table"),
    ],
)
def test_what_is_asked_wrongly(capsys, mine, arguments, message):
    import re

    text = answer(capsys, "--scores", mine, "--score", "mine", "--searches", "10", *arguments, code=1)
    assert re.search(message, text)
    assert "Traceback" not in text


def test_strategies_are_listed(capsys):
    assert {"random", "local-search", "prune", "halving"} <= {
        one["name"] for one in json.loads(answer(capsys, "--list", "--json"))
    }


def test_without_a_benchmark_the_score_is_searched(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = ["--bench", "nb-macro", "--without-benchmark", "--score", "parameters", "--budget", "60"]
    text = answer(capsys, *options, "--strategy", "local-search", "--top", "3", "--save", "found.csv")
    found = pd.read_csv("found.csv")
    assert len(found) == 3
    assert found["score"].is_monotonic_decreasing
    macro = ntknas.load_space("nb-macro")
    assert found["score"].tolist() == [macro.parameters(int(cell)) for cell in found["cell"]]
    assert found["architecture"].astype(str).str.zfill(8).tolist() == [str(macro[int(cell)]) for cell in found["cell"]]
    built = eval(found["code"][0], {"ntknas": ntknas})
    assert sum(parameter.numel() for parameter in built.parameters()) == found["score"][0]
    assert str(macro[int(found["cell"][0])]) in text


def test_an_imported_table_stands_in_place_of_a_file(capsys, mine, tmp_path):
    import_own([mine], OwnTable("latency", "nb201", columns=("mine",), quantity=LATENCY), tmp_path)
    options = ["--score", "mine", "--json", *SMALL]
    named = json.loads(answer(capsys, "--scores", "latency", "--bench-data", tmp_path, *options))
    given = json.loads(answer(capsys, "--scores", mine, "--lower-is-better", "mine", *options))
    assert named["standings"] == given["standings"]
    import_own([mine], OwnTable("other", "nats-sss", columns=("mine",)), tmp_path)
    error = answer(capsys, "--scores", "latency", "--bench-data", tmp_path, "--bench", "other", *options, code=1)
    assert "latency holds scores of nb201's cells, and nats-sss is searched" in error
