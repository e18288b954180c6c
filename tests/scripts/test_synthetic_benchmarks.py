"""The files that importers are measured on are in the official layouts."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ntknas import load_benchmark
from ntknas.benchmarks.importing import import_file

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("synthetic")
    names = ["nb201", "nats-tss", "nats-sss", "nb101-only108"]
    command = [sys.executable, SCRIPTS / "synthetic_benchmarks.py", folder, *names, "--cells", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(zip(names, map(Path, done.stdout.split()), strict=True))


@pytest.mark.parametrize(("name", "runs"), [("nb201", 34), ("nats-tss", 34), ("nats-sss", 40), ("nb101-only108", 6)])
def test_each_is_imported_whole(files, tmp_path, name, runs):
    made = import_file(files[name], tmp_path)
    assert (made.cells, made.runs) == (2, runs)


def test_the_stream_reads_what_torch_reads(files, tmp_path):
    """torch.load, trusted here, builds the whole object."""
    import_file(files["nb201"], tmp_path)
    content = torch.load(files["nb201"], weights_only=False)
    benchmark = load_benchmark("nb201", folder=tmp_path)
    for cell in (0, 1):
        for (dataset, seed), record in content["arch2infos"][cell]["full"]["all_results"].items():
            assert benchmark.accuracy(cell, "train", 200, seed, dataset) == record["train_acc1es"][199]
            assert benchmark.accuracy(cell, "test", 200, seed, dataset) in record["eval_acc1es"].values()


def test_imports_are_measured(files, tmp_path):
    command = [sys.executable, SCRIPTS / "import_benchmarks.py", files["nats-sss"]]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    header, _, row, *_ = done.stdout.splitlines()
    figures = dict(zip(header.split("|"), row.split("|"), strict=True))
    assert json.loads(figures[" peak memory (MiB) "]) > 50
