"""The JSON of ``ntknas correlate``: its keys, their order, and what stands in each."""

import json

import pytest

from ntknas.cli.main import run
from ntknas.core.score import Status
from ntknas.spaces.structure import COUNTS
from tests.correlation.stores import NB201, NETWORK, OWN_TRAINING, TRAINING, fill, value

TARGET = "cifar10-valid/valid/200"
CELLS = range(100, 148)
NUMBER, TEXT, COUNT, NONE = float, str, int, type(None)
INTERVAL = {"value": NUMBER, "low": NUMBER, "high": NUMBER}
UNSURE = {"value": NUMBER, "low": NONE, "high": NONE}
ROW = {
    "measure": TEXT,
    "recipe": TEXT,
    "target": TEXT,
    "setting": TEXT,
    "kernel": TEXT,
    "epoch": COUNT,
    "n": COUNT,
    "left_out": {"singular": COUNT, "disconnected": COUNT},
    "ties": COUNT,
    "tied_accuracies": COUNT,
    "kendall": INTERVAL,
    "spearman": INTERVAL,
    "pearson": UNSURE,
    "kendall_top10": NONE,
    "kendall_top10_low": NONE,
    "kendall_top10_high": NONE,
    "kendall_top25": NONE,
    "kendall_top25_low": NONE,
    "kendall_top25_high": NONE,
    "interval_covers": TEXT,
    "best_cell": COUNT,
    "regret": NUMBER,
    "regret_best_of_5": NUMBER,
    "regret_best_of_10": NUMBER,
    "partial_kendall": NUMBER,
    "partial_given": [TEXT, TEXT],
    "baseline_kendall": dict.fromkeys(COUNTS, NUMBER),
    "seed_kendall": NUMBER,
    "seed_variance": NUMBER,
    "seconds_per_cell": NUMBER,
    "weighted_kendall": NUMBER,
    "ndcg": {"10": NUMBER, "100": NONE, "1000": NONE},
    "precision": {"10": NUMBER, "100": NONE},
    "precision_top10": NUMBER,
    "best_of": {"1": NUMBER, "10": NUMBER, "50": NONE, "100": NONE},
    "population": TEXT,
    "chosen_cells": NONE,
    "networks": COUNT,
    "resampled": TEXT,
    "partial_n": COUNT,
    "partial_dropped": {},
    "partial": INTERVAL,
    "higher_is_better": bool,
    "placed_last": {},
    "fitted": TEXT,
    "measurements": NONE,
}
ONE_SEED = {"seed_kendall": NONE, "seed_variance": NONE}
COMPLETE = {"left_out": {}, "kendall_top25": NUMBER, "kendall_top25_low": NUMBER, "kendall_top25_high": NUMBER}
AGREEMENT = {"kendall": NUMBER, "spearman": NUMBER, "pearson": NUMBER}
ENDS = {"low": NUMBER, "high": NUMBER}
TARGETS = {
    "seed_agreement": AGREEMENT,
    "seed_agreement_interval": dict.fromkeys(AGREEMENT, ENDS),
    "ceiling": dict.fromkeys([*AGREEMENT, "kendall_top25"], INTERVAL),
    "cells_scored": COUNT,
    "cells_with_accuracy": COUNT,
    "quantity": {
        **{"name": TEXT, "unit": TEXT, "higher_is_better": bool, "measured_on": TEXT},
        **{"decimals": NONE, "missing": TEXT, "is_score": bool},
    },
    "measurements": NONE,
}
COMPARISON = {
    "first": TEXT,
    "second": TEXT,
    "n": COUNT,
    "difference": NUMBER,
    "low": NUMBER,
    "high": NUMBER,
    "p": NUMBER,
    "p_holm": NUMBER,
    "p_is_bound": bool,
    "p_holm_is_bound": bool,
}
GAIN = {"n": COUNT, "value": NUMBER, "low": NUMBER, "high": NUMBER, "p": NUMBER, "p_is_bound": bool}
FIRST_POINT = {"epoch": COUNT, "steps": COUNT, "n": COUNT, "kendall": INTERVAL, "gain": NONE}
POINT = FIRST_POINT | {"gain": GAIN}
CURVE = {"measure": TEXT, "name": TEXT, "target": TEXT}


def shape(data):
    """The types in some JSON, in place of what has them."""
    if isinstance(data, dict):
        return {name: shape(part) for name, part in data.items()}
    return [shape(part) for part in data] if isinstance(data, list) else type(data)


def same(data, expected):
    """Whether the types, the keys and the order of keys are those expected."""
    assert shape(data) == expected
    assert list(data) == list(expected)


def some_fail(cell, seed, measure):
    if cell < 111:
        return Status.SINGULAR if measure == "cond" else value(cell, seed, measure)
    return Status.DISCONNECTED if cell == 111 and measure == "cond" else value(cell, seed, measure)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("contract")


def answer(capsys, *arguments):
    assert run(["correlate", "--json", "--resamples", "200", *map(str, arguments)]) == 0
    return json.loads(capsys.readouterr().out)


def test_at_initialisation(folder, capsys):
    path = folder / "initial.h5"
    kernel = fill(path, ("trace", "cond"), CELLS, seeds=(0, 1), recipe="te-nas", scores=some_fail)
    network = fill(path, ("linear_regions",), CELLS, fields=NETWORK, recipe="te-nas")
    result = answer(capsys, path, "--compare")
    parts = "rows targets settings interval resamples curves notes ndcg_unit left_out comparisons unmeasured".split()
    assert list(result) == parts
    rows = {row["measure"]: row for row in result["rows"]}
    assert list(rows) == ["trace", "cond", "linear_regions", "tenas_rank", *COUNTS]
    same(rows["cond"], ROW)
    same(rows["trace"], ROW | COMPLETE)
    same(rows["linear_regions"], ROW | COMPLETE | ONE_SEED)
    same(rows["tenas_rank"], ROW | ONE_SEED)
    alike = {"partial_kendall": NONE, "partial": UNSURE | {"value": NONE}}
    alone = alike | {"partial_given": []}
    of_counts = {"effective_parameters": alone, "live_layers": alone, "effective_flops": alike}
    for name in COUNTS:
        same(rows[name], ROW | COMPLETE | ONE_SEED | of_counts.get(name, {}))
    assert [rows[name]["setting"] for name in ("cond", "linear_regions", "tenas_rank")] == [kernel, network, kernel]
    assert (rows["tenas_rank"]["recipe"], rows["flops"]["recipe"]) == ("te-nas", "baseline")
    assert rows["tenas_rank"]["kernel"] == rows["cond"]["kernel"] == "sum/frozen/weights"
    assert rows["flops"]["kernel"] == ""
    assert list(result["targets"]) == [TARGET]
    same(result["targets"][TARGET], TARGETS)
    assert result["settings"] == {kernel: NB201, network: NETWORK}
    assert (result["resamples"], result["curves"], result["left_out"], result["unmeasured"]) == (200, [], 0, [])
    assert result["interval"].startswith("95 % bootstrap over cells")
    assert list(result["comparisons"]) == [TARGET]
    assert len(result["comparisons"][TARGET]) == 45
    for pair in result["comparisons"][TARGET]:
        same(pair, COMPARISON)


def test_of_trained_networks(folder, capsys):
    path = folder / "trained.h5"
    fill(path, ("trace", "cond"), CELLS)
    for epoch in (1, 5):
        trained = TRAINING | {"epoch": epoch}
        fill(path, ("trace", "cond"), CELLS, fields=NB201 | trained)
        fill(path, ("valid_accuracy",), CELLS, fields=OWN_TRAINING | trained)
    result = answer(capsys, path)
    assert [(row["measure"], row["epoch"]) for row in result["rows"]] == [
        *(("trace", epoch) for epoch in (0, 1, 5)),
        *(("cond", epoch) for epoch in (0, 1, 5)),
        *(("valid_accuracy", epoch) for epoch in (1, 5)),
        *((name, 0) for name in COUNTS),
    ]
    assert [curve["measure"] for curve in result["curves"]] == ["trace", "cond", "valid_accuracy"]
    for curve in result["curves"][:2]:
        same(curve, CURVE | {"points": [FIRST_POINT, POINT, POINT]})
    same(result["curves"][2], CURVE | {"points": [FIRST_POINT, FIRST_POINT]})
    assert [(point["epoch"], point["steps"]) for point in result["curves"][0]["points"]] == [(0, 0), (1, 20), (5, 100)]


def test_without_runs_intervals_and_counts(folder, capsys):
    path = folder / "few.h5"
    fill(path, ("trace",), range(100, 105))
    (folder / "own.csv").write_text("index,mine\n" + "\n".join(f"{cell},{cell % 7}" for cell in range(100, 105)))
    result = answer(capsys, path, "--accuracies", folder / "own.csv", "--compare")
    nothing = {"spearman": UNSURE, "kendall": UNSURE, "pearson": UNSURE, "regret_best_of_10": NONE, "left_out": {}} | {
        name: dict.fromkeys(numbers, NONE) for name, numbers in ROW.items() if name in ("ndcg", "precision")
    }
    nothing["partial"] = UNSURE
    nothing["best_of"] = {"1": NUMBER, "10": NONE, "50": NONE, "100": NONE}
    same(result["rows"][0], ROW | ONE_SEED | nothing)
    same(
        result["targets"]["mine"],
        TARGETS | {"seed_agreement": NONE, "seed_agreement_interval": NONE, "ceiling": NONE},
    )
    assert result["comparisons"] == {"mine": []}


def test_of_several_spaces(folder, capsys):
    path = folder / "spaces.h5"
    fill(path, ("trace",), CELLS)
    fill(path, ("trace",), range(12), fields=NB201 | {"space": "nb101", "channels": 128, "cells_per_stage": 3})
    result = answer(capsys, path)
    assert list(result) == ["spaces", "not_shown", "unmeasured"]
    assert list(result["spaces"]) == ["nb201"]
    assert list(result["not_shown"]) == ["nb101"]
    assert "`" not in result["not_shown"]["nb101"]
    assert "--accuracies" in result["not_shown"]["nb101"]
    parts = "rows targets settings interval resamples curves notes ndcg_unit left_out".split()
    assert list(result["spaces"]["nb201"]) == parts
