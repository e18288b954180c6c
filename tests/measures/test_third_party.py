"""A package of somebody else's adds measures by its entry point alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "example_package"
SCORE = "score --probe digits --probe-size 10 --channels 2 --cells-per-stage 1 --cells 12".split()


def _ntknas(folder, *arguments):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(PACKAGE), *sys.path])}
    command = [sys.executable, "-m", "ntknas", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_its_measures_are_scored_and_correlated(tmp_path):
    done = _ntknas(tmp_path, *SCORE, "--measures", "diagonal_spread,depth,trace")
    assert done.returncode == 0, done.stderr
    done = _ntknas(tmp_path, "correlate", "--json", "--resamples", "0")
    rows = json.loads(done.stdout)["rows"]
    assert {"diagonal_spread", "depth", "trace"} <= {row["measure"] for row in rows}


def test_without_the_package_there_are_none(tmp_path):
    command = [sys.executable, "-m", "ntknas", *SCORE, "--measures", "diagonal_spread"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Unknown measure 'diagonal_spread'" in done.stderr
