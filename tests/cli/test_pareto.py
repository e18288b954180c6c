"""``ntknas pareto``: tables, JSON, CSV and pictures, and what is said where something is missing."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from ntknas import load_benchmark
from ntknas.core.score import Status
from tests.cli.test_commands import fails, ntknas
from tests.correlation import stores
from tests.correlation.stores import NB201, value

CELLS = range(100, 140)
ACCURACY, LATENCY = "cifar10-valid/valid/200", "phone:cifar10/latency"
TARGETS = ("--target", ACCURACY, "--target", LATENCY)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A store and a benchmark of latencies of its cells, of which one has no value, and of a constant."""
    folder = tmp_path_factory.mktemp("pareto")
    stores.fill(folder / "scores.h5", ("trace", "cond"), CELLS, scores=_score)
    rng = np.random.default_rng(3)
    rows = [f"{cell},{'' if cell == 101 else rng.gamma(3, 4):.3}" for cell in range(100, 200)]
    (folder / "phone.csv").write_text("\n".join(["index,latency", *rows]))
    return folder


def _score(cell, seed, measure):
    return Status.DISCONNECTED if cell == 102 and measure == "cond" else value(cell, seed, measure)


@pytest.fixture(autouse=True)
def _in_folder(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    if not Path("bench_data/phone.h5").exists():
        options = "--as phone --space nb201 --quantity latency --unit ms --lower-is-better --measured-on phone".split()
        code, _, err = ntknas(capsys, "bench", "import", "phone.csv", *options)
        assert code == 0, err


def answer(capsys, *arguments):
    code, out, err = ntknas(capsys, "pareto", "--json", "--resamples", 0, *TARGETS, *arguments)
    assert code == 0, err
    return json.loads(out)


def latencies():
    lines = list(csv.DictReader(Path("phone.csv").read_text().splitlines()))
    return {int(line["index"]): float(line["latency"]) for line in lines if line["latency"]}


def on_front(cells, first, second):
    """Cells that no other beats, both being better when higher."""

    def beaten(cell):
        return any(
            first(o) >= first(cell)
            and second(o) >= second(cell)
            and (first(o), second(o)) != (first(cell), second(cell))
            for o in cells
        )

    return {cell for cell in cells if not beaten(cell)}


def test_the_answer_is_that_of_the_definition(capsys):
    result, latency = answer(capsys, "--measures", "cond"), latencies()
    accuracy = {str(target): table for target, table in load_benchmark("nb201", folder=None).tables.items()}[
        ACCURACY
    ].mean
    cells = [cell for cell in CELLS if cell != 101]
    front = on_front(cells, lambda cell: accuracy[cell], lambda cell: -latency[cell])
    assert {entry["cell"] for entry in result["front"]} == front
    assert all(entry[LATENCY] == latency[entry["cell"]] for entry in result["front"])
    scored = [cell for cell in cells if cell != 102]
    (row,) = (row for row in result["rows"] if (row["measure"], row["stand_in"]) == ("cond", "measured"))
    assert set(row["cells"]) == on_front(scored, lambda cell: -value(cell, 0, "cond"), lambda cell: -latency[cell])
    assert (row["n"], row["left_out"]) == (38, {"disconnected": 1})
    assert result["targets"][LATENCY] | {"unit": "ms", "higher_is_better": False} == result["targets"][LATENCY]
    assert {row["stand_in"] for row in result["rows"]} == {"flops", "measured"}


def test_a_table_says_what_it_is_about(capsys, tmp_path):
    code, out, err = ntknas(capsys, "pareto", *TARGETS, "--resamples", 0, "--budget", 5, "--plots", tmp_path / "p")
    assert code == 0, err
    assert f"first target {ACCURACY}: accuracy (%), higher is better" in out
    assert f"second target {LATENCY}: latency (ms) on phone, lower is better" in out
    assert "5 cells chosen by score and flops in place of the second target" in out
    assert "5 cells chosen by score and the second target itself" in out
    assert "39 of 40 scored cells have both" in err
    line = next(line for line in out.splitlines() if line.startswith("trace"))
    assert line.split()[1] == "5"
    assert {path.name for path in (tmp_path / "p").iterdir()} == {"fronts-flops.png", "fronts-measured.png"}
    assert all(f"Drew {path}" in err for path in (tmp_path / "p").iterdir())


def test_as_csv(capsys):
    code, out, err = ntknas(capsys, "pareto", *TARGETS, "--csv", "--resamples", 0, "--stand-in", "measured")
    assert code == 0, err
    rows = list(csv.DictReader(io.StringIO(out)))
    assert {row["stand_in"] for row in rows} == {"measured"}
    expected = answer(capsys, "--stand-in", "measured")["rows"]
    assert [float(row["reached"]) for row in rows] == pytest.approx([row["reached"]["value"] for row in expected])
    assert rows[1]["left_out"] == "disconnected:1"


def test_own_scores_and_another_target(capsys, tmp_path):
    own = tmp_path / "mine.csv"
    own.write_text("\n".join(["index,mine", *(f"{cell},{value(cell, 0, 'cond')}" for cell in CELLS)]))
    result = answer(capsys, "--scores", own, "--lower-is-better", "mine", "--stand-in", "cifar100/valid/200")
    assert result["rows"][0]["stand_in"] == "cifar100/valid/200"
    result = answer(capsys, "--scores", own, "--lower-is-better", "mine")
    mine, cond = result["rows"][0], answer(capsys, "--measures", "cond")["rows"][0]
    assert set(cond["cells"]) - {102} <= set(mine["cells"])


def test_several_spaces_are_one_too_many(capsys, tmp_path):
    stores.fill(tmp_path / "two.h5", ("trace",), CELLS)
    sizes = NB201 | {"space": "nats-sss", "channels": 64, "cells_per_stage": 1}
    stores.fill(tmp_path / "two.h5", ("trace",), CELLS, fields=sizes)
    assert "choose one with --space" in fails(capsys, "pareto", tmp_path / "two.h5", *TARGETS, code=2)
    assert answer(capsys, tmp_path / "two.h5", "--space", "nb201")["cells"] == 39


USAGE = {
    "got none": [],
    f"got {ACCURACY}": ["--target", ACCURACY],
    f"got {ACCURACY} and {ACCURACY}": ["--target", ACCURACY, "--target", ACCURACY],
    f"got {ACCURACY} and all": ["--target", ACCURACY, "--target", "all"],
    f"got {ACCURACY} and {LATENCY} and x/y": [*TARGETS, "--target", "x/y"],
    "two formats": [*TARGETS, "--json", "--csv"],
    "--seeds chooses of published scores": [*TARGETS, "--seeds", "0"],
    "'--budget': -1": [*TARGETS, "--budget", -1],
    "'--fronts': 0": [*TARGETS, "--fronts", 0],
}
ERRORS = {
    "--budget must be a whole number, 1 or more, got 0": [*TARGETS, "--budget", 0],
    "--budget is 40, and 39 cells have both targets: choose fewer": [*TARGETS, "--budget", 40],
    "--fronts and --budget both say how many": [*TARGETS, "--budget", 3, "--fronts", 2],
    "Did you mean 'cond'?": [*TARGETS, "--measures", "cnd"],
    "Unknown measure of these scores 'lga'": [*TARGETS, "--measures", "lga"],
    "Did you mean 'flops'?": [*TARGETS, "--stand-in", "flop"],
    "have the same values": ["--target", ACCURACY, "--target", f"nb201:{ACCURACY}"],
    "phone has no table cifar10/energy": ["--target", ACCURACY, "--target", "phone:cifar10/energy"],
    "Unknown benchmark 'hpone'": ["--target", ACCURACY, "--target", "hpone:cifar10/latency"],
    "Not a target: 'latency'": ["--target", ACCURACY, "--target", "latency"],
    "No score store at no.h5": ["no.h5", *TARGETS],
    "No such file: no.csv": [*TARGETS, "--scores", "no.csv"],
    "no such folder: nowhere": [*TARGETS, "--bench-data", "nowhere"],
}


@pytest.mark.parametrize("message", list(USAGE))
def test_what_is_wrongly_asked(capsys, message):
    assert message in fails(capsys, "pareto", *USAGE[message], code=2)


@pytest.mark.parametrize("message", list(ERRORS))
def test_what_cannot_be_done(capsys, message):
    code, out, err = ntknas(capsys, "pareto", *ERRORS[message])
    assert (code in (1, 2), out) == (True, ""), err
    assert message in err


def test_targets_that_say_nothing_of_these_cells(capsys, folder):
    for name, cells, text in (
        ("far", range(300, 320), "None of the 40 scored cells has both"),
        ("flat", CELLS, "is 3"),
    ):
        (folder / f"{name}.csv").write_text(
            "\n".join(["index,ms", *(f"{c},{3 if c < 300 else c}" for c in cells), "9,1"])
        )
        options = f"--as {name} --space nb201 --quantity latency --unit ms --lower-is-better --replace".split()
        code, _, err = ntknas(capsys, "bench", "import", f"{name}.csv", *options)
        assert code == 0, err
        assert text in fails(capsys, "pareto", "--target", ACCURACY, "--target", f"{name}:cifar10/ms")
    err = fails(capsys, "pareto", "--target", ACCURACY, "--target", "far:cifar10/ms")
    assert "far:cifar10/ms" in err


def test_a_folder_that_cannot_be_written_costs_no_table(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    code, out, err = ntknas(capsys, "pareto", *TARGETS, "--resamples", 0, "--plots", tmp_path / "file/x")
    assert code == 1
    assert "true front" in out
    assert "Cannot write the picture" in err


def test_few_resamples_give_no_interval(capsys):
    code, out, err = ntknas(capsys, "pareto", *TARGETS, "--resamples", 199, "--json")
    assert code == 0
    assert "199 resamples give no intervals: they need 200 or more (--resamples)" in err
    assert json.loads(out)["rows"][0]["reached"]["low"] is None
