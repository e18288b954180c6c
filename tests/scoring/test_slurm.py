"""Shards as a Slurm job array, on a cluster of one node started here; skipped where Slurm is not installed."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from ntknas import load_store

SCRIPTS = Path(__file__).parents[2] / "scripts" / "slurm"
INSTALLED = all(shutil.which(name) for name in ("slurmctld", "slurmd", "munged", "sbatch"))
pytestmark = pytest.mark.skipif(not INSTALLED or os.geteuid() != 0, reason="needs root, slurm-wlm and munge")
OPTIONS = "--probe digits --probe-size 8 --channels 2 --cells-per-stage 1 --measures trace,cond".split()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slurm")
    subprocess.run([SCRIPTS / "here.sh", "start", folder], check=True)
    yield {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}
    subprocess.run([SCRIPTS / "here.sh", "stop", folder], check=True)


@pytest.fixture
def command(tmp_path):
    """A command ``ntknas`` that a batch script can call, whatever is installed."""
    file = tmp_path / "ntknas"
    file.write_text(f'#!/bin/sh\nexec {sys.executable} -m ntknas "$@"\n')
    file.chmod(0o755)
    return file


def submit(cluster, command, folder, array, *options, **environment):
    """Submit an array and wait until it is gone."""
    environment = {**cluster, "NTKNAS": str(command), "PYTHONPATH": os.pathsep.join(sys.path), **environment}
    limits = ["--cpus-per-task=1", f"--chdir={folder}", f"--array={array}", "--parsable"]
    done = subprocess.run(
        ["sbatch", *limits, SCRIPTS / "score.sbatch", *options],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    job = done.stdout.strip()
    while subprocess.run(["squeue", "--noheader", "--job", job], env=cluster, capture_output=True, text=True).stdout:
        time.sleep(0.5)
    return "\n".join(file.read_text() for file in sorted(folder.glob(f"ntknas-{job}_*.log")))


@pytest.mark.parametrize("array", ["1-3", "0-4:2"])
def test_an_array_scores_what_one_process_scores(cluster, command, tmp_path, array):
    options = [*OPTIONS, "--cells", "12"]
    log = submit(cluster, command, tmp_path, array, *options, "--store", str(tmp_path / "s.h5"))
    shards = sorted(tmp_path.glob("s.shard-*-of-3.h5"))
    assert len(shards) == 3, log
    run = [sys.executable, "-m", "ntknas"]
    subprocess.run([*run, "store", "merge", "--into", tmp_path / "all.h5", *shards], check=True)
    subprocess.run([*run, "score", *options, "--store", tmp_path / "one.h5"], check=True)
    merged, one = (
        load_store(tmp_path / name).astype({"measure": str}).set_index(["cell", "measure"])["value"].sort_index()
        for name in ("all.h5", "one.h5")
    )
    pd.testing.assert_series_equal(merged, one, rtol=1e-5)


def test_a_task_that_is_submitted_again_goes_on(cluster, command, tmp_path):
    store = tmp_path / "s.h5"
    submit(cluster, command, tmp_path, "2", *OPTIONS, "--cells", "9", "--store", str(store), SHARDS="3")
    log = submit(cluster, command, tmp_path, "2", *OPTIONS, "--cells", "9", "--store", str(store), SHARDS="3")
    assert "nothing was missing" in log
    assert [file.name for file in tmp_path.glob("*.h5")] == ["s.shard-2-of-3.h5"]
