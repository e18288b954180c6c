"""``ntknas bench`` of targets other than accuracies: what they are, in which unit and direction, what is missing."""

import json
from dataclasses import fields
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

from ntknas import load_space
from ntknas.benchmarks.quantity import Quantity
from tests.benchmarks import made_targets as made
from tests.cli.test_commands import fails, ntknas

CELLS = 15_625


@cache
def hardware_rows():
    return made.hardware_rows(size=CELLS)


@pytest.fixture(scope="module")
def bench_data(tmp_path_factory):
    return tmp_path_factory.mktemp("tables")


@pytest.fixture(scope="module")
def official(tmp_path_factory):
    """A file of HW-NAS-Bench, and two of TransNAS-Bench-101 in a folder of their own."""
    folder = tmp_path_factory.mktemp("official")
    made.save_csv(folder / "hw_cifar10.csv", hardware_rows())
    (folder / "transnas").mkdir()
    for task in ("jigsaw", "room_layout"):
        made.save_json(folder / "transnas" / f"micro_{task}.json", made.transnas_entries(task))
    return folder


@pytest.fixture
def run(capsys, monkeypatch, tmp_path, bench_data, official):
    monkeypatch.chdir(tmp_path)
    if not (bench_data / "hw-nas-bench.h5").exists():
        for file in ("hw_cifar10.csv", "transnas"):
            assert ntknas(capsys, "bench", "import", official / file, "--bench-data", bench_data)[0] == 0

    def run(*arguments):
        code, out, err = ntknas(capsys, "bench", *arguments, "--bench-data", bench_data)
        assert code == 0, err
        return json.loads(out) if "--json" in arguments else out

    return run


@pytest.fixture
def fail(capsys, run, bench_data):
    return lambda *arguments: fails(capsys, "bench", *arguments, "--bench-data", bench_data)


def hardware(name):
    """A column of the file."""
    header, *rows = hardware_rows()
    return np.array([float(row[header.index(name)]) for row in rows])


def test_a_list_has_one_row_for_many_targets_and_json_has_them_all(run):
    lines = run("list").splitlines()
    rows = [line for line in lines if line.startswith("hw-nas-bench ")]
    assert len(rows) == 1
    assert "10 targets" in rows[0]
    assert (
        "latency (ms), energy (mJ), arithmetic intensity" in " ".join(" ".join(lines).split()) or "latency" in rows[0]
    )
    assert "15624 to 15625" in rows[0]
    assert len([line for line in lines if line.startswith("transnas-micro ")]) == 2
    assert any("cifar10-valid/valid/200" in line and "91.61" in line for line in lines)
    answer = run("list", "--json")
    listed = [row for row in answer["rows"] if row["benchmark"] == "hw-nas-bench"]
    assert len(listed) == 10
    for row in listed:
        assert row["quantity"].keys() == {field.name for field in fields(Quantity)}
    overview = {row["benchmark"]: row["targets"] for row in answer["benchmarks"]}
    assert (overview["hw-nas-bench"], overview["transnas-micro"], overview["nb101"]) == (10, 2, 0)


def test_the_best_of_a_latency_is_the_smallest(run):
    rows = {row["target"]: row for row in run("info", "hw-nas-bench", "--json")["rows"]}
    for name, best in (("edgegpu_energy", np.argmin), ("eyeriss_latency", np.argmin)):
        row, values = rows[f"cifar10/{name}"], hardware(name)
        assert (row["best_cell"], row["best"]) == (best(values), pytest.approx(values.min(), abs=1e-9))
        assert not row["quantity"]["higher_is_better"]
        assert row["best_accuracy_percent"] is None
    intensity = rows["cifar10/eyeriss_arithmetic_intensity"]
    assert intensity["best_cell"] == np.argmax(hardware("eyeriss_arithmetic_intensity"))
    tpu = rows["cifar10/edgetpu_latency"]
    assert (tpu["cells"], tpu["missing"], tpu["distinct"]) == (15_624, 1, 15_624)
    assert (tpu["quantity"]["missing"], tpu["quantity"]["unit"]) == ("-1", "ms")


def test_info_says_what_the_values_are(run):
    lines = run("info", "hw-nas-bench").splitlines()
    row = next(line for line in lines if "cifar10/edgetpu_latency" in line)
    for text in ("latency (ms)", "lower", "Edge TPU", "15624", "1 (-1)"):
        assert text in row
    assert "Eyeriss, estimated by a model" in next(line for line in lines if "eyeriss_energy" in line)
    assert "best accuracy (%)" not in lines[1]
    lines = run("info", "transnas-micro").splitlines()
    assert any("negative loss" in line and "higher" in line and "11529" in line for line in lines)


def test_accuracies_alone_are_shown_as_ever(run):
    assert "best accuracy (%)" in run("info", "nb201").splitlines()[1].replace("  ", " ")


def test_all_values_of_a_cell(run):
    answer = run("query", "hw-nas-bench", 3, "--json")
    values = {row["target"]: row["value"] for row in answer["answers"]}
    assert len(values) == 10
    assert values["cifar10/edgetpu_latency"] is None
    assert values["cifar10/raspi4_latency"] == hardware("raspi4_latency")[3]
    out = run("query", "hw-nas-bench", 3)
    assert "|" in out.splitlines()[0]
    assert out.splitlines()[-1].startswith("cifar10/raspi4_latency")
    name = "64-41414-1_20_310"
    answers = run("query", "transnas-micro", name, "--json")["answers"]
    expected = dict(made.transnas_entries("jigsaw"))[name]
    assert {row["target"]: row["value"] for row in answers}["jigsaw/top1"] == expected


def test_one_value_of_a_cell(run, fail):
    out = run("query", "hw-nas-bench", 4, "--split", "edgetpu_latency")
    value = hardware("edgetpu_latency")[4]
    assert f"cifar10/edgetpu_latency: {value:.4f} ms (one run; " in out
    assert "latency (ms) on Edge TPU, lower is better" in out
    assert "15,624 cells have a value, 1 have none (-1 in the file)" in out
    answer = run("query", "hw-nas-bench", 4, "--split", "edgetpu_latency", "--json")
    assert (answer["value"], answer["accuracy_percent"], answer["missing_cells"]) == (value, None, 1)
    message = fail("query", "hw-nas-bench", 3, "--split", "edgetpu_latency")
    assert "no value of cell 3 for cifar10/edgetpu_latency (the official file has -1 in its place)" in message
    assert "no value of cell 0 for jigsaw/top1" in fail("query", "transnas-micro", 0)
    message = fail("query", "hw-nas-bench", 3, "--split", "latency")
    assert "hw-nas-bench holds no latency values on cifar10: it holds cifar10/edgegpu_energy|edgegpu_latency" in message
    assert "cifar10/raspi4_latency" not in fail("query", "hw-nas-bench", CELLS)


def test_verify_counts_targets(run):
    out = run("verify")
    assert "hw-nas-bench.h5: as it was written, 10 targets" in out
    assert "transnas-micro.h5: as it was written, 2 targets" in out


def test_scores_of_cells_are_held_against_other_tasks(capsys, run, bench_data):
    """Without a target or data set all of a benchmark that has none on the scores' own: transfer."""
    entries = dict(made.transnas_entries("jigsaw"))
    names = list(entries)[:4096:100]
    space = load_space("nb201")
    cells = [space.index(name) for name in names]
    scores = np.random.default_rng(2).random(len(cells))
    table = pd.DataFrame({"index": [*cells, 0], "mine": [*scores, 0.5]})
    table.to_csv("mine.csv", index=False)
    options = ("--bench", "transnas-micro", "--bench-data", bench_data, "--resamples", 0, "--json")
    code, out, err = ntknas(capsys, "correlate", "--scores", "mine.csv", *options)
    assert code == 0, err
    rows = {(row["measure"], row["target"]): row for row in json.loads(out)["rows"]}
    assert {target for _, target in rows} == {"jigsaw/top1", "room_layout/negative_loss"}
    row = rows["mine", "jigsaw/top1"]
    assert row["n"] == len(cells)
    assert row["kendall"]["value"] == pytest.approx(kendalltau(scores, [entries[name] for name in names]).statistic)
