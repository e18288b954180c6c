"""The commands as a user types them: results, exit codes, messages."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import h5py
import pytest

from ntknas import load_space, load_store
from ntknas.cli.main import _COMMANDS, run
from ntknas.core.sealed_file import seal
from ntknas.spaces.structure import COUNTS
from tests.cli.absent import without
from tests.cli.typed import SMALL, ntknas, without_variables

FEW = ["--cells", "5", "--measures", "trace,cond"]


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    without_variables(monkeypatch)


def score(capsys, *more):
    code, out, err = ntknas(capsys, "score", *SMALL, *FEW, *more)
    assert code == 0, err
    return out, err


def fails(capsys, *arguments, code=1):
    got, out, err = ntknas(capsys, *arguments)
    assert got == code, err
    assert out == ""
    return err


def test_the_main_job(capsys):
    out, err = score(capsys)
    assert "scores.h5" in out
    assert "ntknas correlate scores.h5" in out
    assert "kernels/s" in err
    assert "s left" in err
    assert len(load_store("scores.h5")) == 10
    out, err = score(capsys)
    assert "nothing was missing" in out
    assert "10 of 10" not in err
    assert "5 of 5 kernels stored, 0 to get" in err
    err = ntknas(capsys, "score", *SMALL, "--cells", "1", "--seeds", "2", "--measures", "cond,class_lambda_min")[2]
    assert "1 cells × 2 seed(s) × 2 kinds: " in err


def test_score_as_json(capsys):
    out, _ = score(capsys, "--json", "--seeds", 2)
    summary = json.loads(out)
    assert summary["cells"] == 5
    assert summary["seeds"] == 2
    assert summary["failed"] == 0
    assert sum(summary["scores_by_status"].values()) == 20


def test_cells_of_a_file_that_are_not_of_the_population_are_said(capsys, tmp_path):
    (tmp_path / "cells.txt").write_text("0\n11\n1651\n1\n")
    options = ["--measures", "trace", "--cells-file", "cells.txt", "--population", "connected"]
    code, _, err = ntknas(capsys, "score", *SMALL, *options)
    assert code == 0, err
    assert "1 of the 4 cells of cells.txt are not of population connected: left out." in err
    assert sorted(load_store("scores.h5")["cell"]) == [0, 1, 11]
    code, out, _ = ntknas(capsys, "score", *SMALL, *options, "--json")
    assert (code, json.loads(out)["cells_left_out"]) == (0, 1)
    code, _, err = ntknas(capsys, "score", *SMALL, *options, "--dry-run")
    assert (code, "1 of the 4 cells of cells.txt are not of" in err) == (0, True)


def test_a_cells_file_and_what_a_run_is_recorded_with(capsys, tmp_path):
    (tmp_path / "cells.txt").write_text("0\n11\n")
    code, _, _ = ntknas(capsys, "score", *SMALL, "--measures", "trace", "--cells-file", "cells.txt")
    assert code == 0
    frame = load_store("scores.h5")
    assert set(frame["cell"]) == {0, 11}
    (recorded,) = frame.attrs["runs"].values()
    assert recorded["cells_file"] == "cells.txt"
    assert {"ntknas", "torch", "device", "threads", "started"} <= set(recorded)


def test_correlate_prints_a_table_json_and_csv(capsys):
    score(capsys, "--cells", 14)
    code, out, _ = ntknas(capsys, "correlate")
    assert code == 0
    assert "cifar10-valid/valid/200  (τ between training seeds" in out
    assert "parameters" in out
    code, out, _ = ntknas(capsys, "correlate", "scores.h5", "--json", "--resamples", 50)
    answer = json.loads(out)
    assert [row["measure"] for row in answer["rows"]] == ["trace", "cond", *COUNTS]
    assert answer["rows"][0]["target"] == "cifar10-valid/valid/200"
    assert answer["targets"]["cifar10-valid/valid/200"]["ceiling"]["kendall"]["value"] > 0
    code, out, _ = ntknas(capsys, "correlate", "--csv", "--dataset", "all", "--resamples", 0)
    assert out.splitlines()[0].startswith("measure,recipe,target")
    assert len(out.splitlines()) == 1 + 3 * 8
    code, out, _ = ntknas(capsys, "correlate", "--target", "cifar100/valid/200", "--json", "--resamples", 0)
    assert list(json.loads(out)["targets"]) == ["cifar100/valid/200"]


def test_correlate_with_own_accuracies_and_plots(capsys, tmp_path):
    score(capsys, "--cells", 12)
    space = load_space("nb201")
    cells = sorted(set(load_store("scores.h5")["cell"]))
    lines = [f"{space[cell]},{80 + cell % 7}" for cell in cells]
    (tmp_path / "own.csv").write_text("\n".join(["cell,mine", *lines]))
    code, out, err = ntknas(capsys, "correlate", "--accuracies", "own.csv", "--plots", "pictures")
    assert code == 0
    assert "mine  (no noise figures" in out
    pictures = {"correlations.png", "scatter-mine.png", "best-of-k-mine.png"}
    assert {path.name for path in (tmp_path / "pictures").iterdir()} == pictures
    assert "pictures/correlations.png" in err


def test_kernel(capsys, tmp_path):
    code, out, err = ntknas(capsys, "kernel", 8216, *SMALL, "--plot")
    assert code == 0
    assert "nb201 cell 8216: |nor_conv_3x3~0|+" in out
    assert "−Σ [log(λ+k) + 1/(λ+k)]" in out
    assert "lower" in out
    assert (tmp_path / "kernel.png").exists()
    text = str(load_space("nb201")[8216])
    code, out, _ = ntknas(capsys, "kernel", text, *SMALL, "--json", "--output", "label", "--plot", "other.png")
    answer = json.loads(out)
    assert answer["cell"] == 8216
    assert len(answer["matrix"]) == 10
    assert "class_lambda_min" in [row["measure"] for row in answer["measures"]]
    assert (tmp_path / "other.png").exists()


def test_kernel_of_a_disconnected_cell(capsys):
    nothing = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
    code, out, _ = ntknas(capsys, "kernel", nothing, *SMALL, "--json", "--plot")
    assert code == 0
    statuses = {row["measure"]: row["status"] for row in json.loads(out)["measures"]}
    assert statuses["cond"] == "singular"
    assert statuses["lga"] == "undefined"
    code, out, _ = ntknas(capsys, "kernel", nothing, *SMALL)
    assert code == 0
    assert re.search(r"(?m)^cond .* singular +–$", out), "a reason in a column of the table makes it as wide as itself"
    assert re.search(r"(?m)^cond, neg_cond, logdet.*: λ_n = ", out)


def test_bench_list_and_store_info(capsys):
    code, out, _ = ntknas(capsys, "bench", "list")
    assert code == 0
    assert "ImageNet16-120/valid/200" in out
    assert "46.73" in out
    rows = json.loads(ntknas(capsys, "bench", "list", "--json")[1])["rows"]
    assert [row["best_cell"] for row in rows] == [6111, 9930, 10676]
    score(capsys)
    code, out, _ = ntknas(capsys, "store", "info")
    assert code == 0
    assert "10 scores" in out
    answer = json.loads(ntknas(capsys, "store", "info", "--json")[1])
    assert answer["settings"][0]["fields"]["probe_source"] == "digits"
    assert answer["runs"][0]["ntknas"]


def test_the_demo(capsys, tmp_path, monkeypatch):
    from ntknas.cli import demo

    monkeypatch.setattr(demo, "CELLS", 12)
    monkeypatch.setattr(demo, "PROBE_SIZE", 10)
    code, out, err = ntknas(capsys, "demo")
    assert code == 0
    for text in ("cifar10-valid/valid/200", "cifar100/valid/200", "ImageNet16-120/valid/200", *demo.MEASURES):
        assert text in out
    assert len(demo.MEASURES) == 8
    assert len(list((tmp_path / "ntknas-demo").glob("*.png"))) == 1 + 3 + 3  # bars, scatters, best of k


SCORE = ["score", *SMALL, *FEW]
BAD = {
    "bench": (["score", "--bench", "nb2O1"], 1, "Unknown space 'nb2O1'.*Did you mean 'nb201'"),
    "dataset": ([*SCORE, "--dataset", "cifar"], 1, "Unknown data set 'cifar'"),
    "measure": ([*SCORE, "--measures", "cnd"], 1, "Unknown measure 'cnd'.*Did you mean 'cond'"),
    "probe": (["score", "--probe", "svhn"], 1, "Unknown image source 'svhn'"),
    "two ways to say which cells": ([*SCORE, "--cells-file", __file__], 2, "give one of them"),
    "init": ([*SCORE, "--init", "zero"], 1, "Unknown initialisation 'zero'"),
    "cells": ([*SCORE, "--cells", "some"], 1, "--cells must be 'all' or a number"),
    "cells file": (["score", *SMALL, "--cells-file", "none.txt"], 1, "Cannot read the cells file none.txt"),
    "device": ([*SCORE, "--device", "tpu"], 1, "Unknown device 'tpu'"),
    "option": (["score", "--colour", "red"], 2, "No such option"),
    "choice": ([*SCORE, "--batch-norm", "train"], 2, "'train' is not one of"),
    "number": ([*SCORE, "--seeds", "0"], 2, "0 is not in the range"),
    "command": (["scores"], 2, "No such command"),
    "images": (
        ["score", "--probe", "cifar10"],
        1,
        "image_data/cifar-10-batches-py/data_batch_1.*--download.*--probe digits",
    ),
    "images of another set": (
        ["score", "--dataset", "cifar100", "--probe", "cifar100"],
        1,
        "image_data/cifar-100-python/train",
    ),
    "a benchmark without accuracies": (["bench", "info", "nb101"], 1, "nb101 is not there yet.*ntknas bench import"),
    "a benchmark that is none": (["bench", "query", "nb301", "0"], 1, "Unknown benchmark 'nb301'"),
    "a target": (
        ["bench", "query", "nb201", "0", "--dataset", "cifar100", "--split", "test"],
        1,
        "no test accuracies on cifar100: it holds cifar100/valid/200",
    ),
    "a target without a data set": (["bench", "query", "nb201", "0"], 1, "Name a data set with --dataset"),
    "no official file": (["bench", "import", "none.pth"], 1, "No such file: none.pth. ntknas bench import takes"),
    "nothing to verify": (["bench", "verify"], 1, "nothing to verify"),
    "no images to verify": (["data", "verify"], 1, "nothing to verify"),
    "images that are missing": (["data", "verify", "mnist"], 1, "4 are missing, the first image_data/MNIST/raw"),
    "images that cannot be fetched": (["data", "fetch", "ImageNet16-120"], 1, "cannot be fetched by this tool"),
    "probe too large": (
        ["score", "--probe", "digits", "--probe-size", "9999"],
        1,
        "needs 999 of class|needs 1000 of class",
    ),
    "store folder": ([*SCORE, "--store", "none/scores.h5"], 1, "No folder none"),
    "no store": (["correlate", "none.h5"], 1, "No score store at none.h5.*ntknas score --store none.h5"),
    "no store to show": (["store", "info", "none.h5"], 1, "No score store at none.h5"),
    "cell index": (["kernel", "15625", *SMALL], 1, "Cell index out of range: expected 0 to 15624"),
    "cell string": (["kernel", "|x~0|", *SMALL], 1, "Not a NAS-Bench-201 cell"),
    "picture": (["kernel", "0", *SMALL, "--json", "--plot", "x.doc"], 1, "Use .png"),
}


@pytest.mark.parametrize("name", list(BAD))
def test_bad_input_meets_a_clear_message_and_an_exit_code(capsys, name):
    arguments, expected, message = BAD[name]
    code, out, err = ntknas(capsys, *arguments)
    assert code == expected
    assert re.search(message, err.replace("\n", " ")), err


def test_bad_input_to_correlate(capsys, tmp_path):
    score(capsys)
    assert "cannot be combined" in fails(capsys, "correlate", "--accuracies", "a.csv", "--dataset", "all", code=2)
    assert "--column names a column" in fails(capsys, "correlate", "--column", "x", code=2)
    both = fails(capsys, "correlate", "--dataset", "cifar100", "--target", "cifar10-valid/valid/200", code=2)
    assert "--target names its data set" in both
    assert "--accuracies stands alone" in fails(
        capsys, "correlate", "--accuracies", "a.csv", "--bench", "nb201", code=2
    )
    assert "No such file: a.csv" in fails(capsys, "correlate", "--accuracies", "a.csv")
    assert "no table cifar10/test/200: it holds" in fails(capsys, "correlate", "--target", "cifar10/test/200")
    assert "Not a target" in fails(capsys, "correlate", "--target", "cifar10")
    assert "no accuracies on mnist: it holds" in fails(capsys, "correlate", "--dataset", "mnist")


@pytest.mark.skipif("__import__('torch').cuda.is_available()", reason="there is a GPU here")
def test_no_gpu(capsys):
    assert "sees 0 GPU(s) here. Use --device cpu" in fails(capsys, *SCORE, "--device", "cuda")
    assert "No device 'cuda:3'" in fails(capsys, *SCORE, "--device", "cuda:3")


def test_stores_that_are_damaged_or_foreign_are_left_alone(capsys, tmp_path):
    score(capsys)
    path = tmp_path / "scores.h5"
    data = path.read_bytes()
    for content, message in [(data[: len(data) // 2], "cannot be opened"), (b"hello", "cannot be opened")]:
        path.write_bytes(content)
        for command in (SCORE, ["correlate"], ["store", "info"]):
            assert message in fails(capsys, *command)
        assert path.read_bytes() == content
    path.write_bytes(data)
    with h5py.File(path, "r+") as file:
        file.attrs["version"] = 2
    path.write_bytes(seal(path.read_bytes()))
    assert "version 2, expected 1" in fails(capsys, *SCORE)


def test_a_torn_journal_is_mended_and_said_so(capsys, tmp_path):
    score(capsys)
    journal = tmp_path / "scores.h5.journal"
    with journal.open("ab") as stream:
        stream.write(b'0123abcd {"type":')
    _, err = score(capsys, "--seeds", 2)
    assert "unfinished line" in err
    assert len(load_store("scores.h5")) == 20


def test_what_nobody_foresaw_is_still_one_message(capsys, monkeypatch):
    from ntknas.cli import main

    def fault(name):
        raise ZeroDivisionError("odd")

    monkeypatch.setattr(main, "_load", fault)
    assert "ZeroDivisionError: odd" in fails(capsys, "demo")
    monkeypatch.setenv("NTKNAS_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        run(["demo"])


def test_output_where_there_are_no_greek_letters(tmp_path):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "ntknas", "data", "list"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert "ImageNet at 16" in done.stdout  # × 16


def test_each_setting_is_held_against_its_own_data_set(capsys):
    for dataset in ("cifar10", "cifar100"):
        assert ntknas(capsys, "score", *SMALL, *FEW, "--dataset", dataset)[0] == 0
    rows = json.loads(ntknas(capsys, "correlate", "--json", "--resamples", 0)[1])["rows"]
    pairs = {(row["target"], row["kernel"].split("/")[3]) for row in rows if row["recipe"] != "baseline"}
    assert pairs == {("cifar10-valid/valid/200", "cifar10"), ("cifar100/valid/200", "cifar100")}
    assert len({row["kernel"] for row in rows if row["measure"] == "trace"}) == 2


def test_the_help_names_every_measure(capsys):
    from ntknas.measures import expand

    assert run(["score", "--help"]) == 0
    assert f"by commas: {', '.join(expand(['all']))}; the groups" in " ".join(capsys.readouterr().out.split())


def test_the_help_has_no_ranges_without_bounds(capsys):
    assert run(["score", "--help"]) == 0
    assert "None" not in capsys.readouterr().out


HELP = [[], ["correlate"], ["demo"], ["bench"], ["bench", "list"], ["store"], ["store", "info"], ["study"]]
HELP_OF_SCORING = [["score"], ["kernel"], ["track-kernel"], ["sensitivity"], ["data", "fetch"]]
HEAVY = ["torch", "pandas", "h5py", "matplotlib", "scipy"]


@pytest.mark.parametrize(
    ("commands", "absent"),
    [(HELP, [*HEAVY, "numpy"]), (HELP_OF_SCORING, HEAVY)],  # whose options are fields of what holds arrays
    ids=["light", "of scoring"],
)
def test_help_is_everywhere_and_needs_no_torch(commands, absent, tmp_path):
    answers = without(absent, [[*command, "--help"] for command in commands], tmp_path)
    for command, (code, out, err) in zip(commands, answers, strict=True):
        assert code == 0, (command, err)
        assert out.startswith("Usage: "), command


def test_every_command_is_on_the_page_of_commands():
    from pathlib import Path

    page = (Path(__file__).parents[2] / "docs" / "commands.md").read_text()
    for name in _COMMANDS:
        assert f"ntknas {name}" in page


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_keeps_what_was_done_and_says_how_to_go_on(tmp_path, number, code):
    command = [sys.executable, "-m", "ntknas", "score", *SMALL, "--cells", "0:1000", "--measures", "trace"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    journal = tmp_path / "scores.h5.journal"
    while process.poll() is None and (not journal.exists() or journal.read_bytes().count(b"\n") < 8):
        time.sleep(0.05)
    process.send_signal(number)
    _, err = process.communicate()  # pytest's own time-out guards against a command that hangs
    assert process.returncode == code
    assert "the same command goes on from there" in err
    assert "Traceback" not in err
    assert len(load_store(tmp_path / "scores.h5")) >= 5


def test_output_into_a_closed_pipe(tmp_path):
    done = subprocess.run(
        f"{sys.executable} -m ntknas bench list --json | head -1",
        shell=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert done.stdout == "{\n"
