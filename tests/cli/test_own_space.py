"""``--space FILE.py:NAME``, from scores to correlations."""

import json

import pytest

from ntknas.spaces import own_file
from ntknas.store import load_store
from tests.cli.typed import SMALL, ntknas, without_variables
from tests.spaces.test_own_file import SOURCE

OWN = ["--space", "chains.py:Chains"]


@pytest.fixture(autouse=True)
def _alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    without_variables(monkeypatch)
    monkeypatch.setattr(own_file, "_FILES", {})
    (tmp_path / "chains.py").write_text(SOURCE)


def test_from_scores_to_correlations(capsys, tmp_path, monkeypatch):
    workers = ["--cells", "all", "--measures", "trace", "--workers", 2]
    code, _, err = ntknas(capsys, "score", *OWN, *SMALL, *workers)
    assert code == 0, err
    frame = load_store("scores.h5")
    assert list(frame["space"].unique()) == ["chains"]
    assert len(frame) == 16
    (run,) = frame.attrs["runs"].values()
    assert run["space_file"] == f"{tmp_path / 'chains.py'}:Chains"
    rows = ["cell,accuracy", *(f"{own_file.file_of('chains').space[cell]},{60 + cell}" for cell in range(16))]
    (tmp_path / "mine.csv").write_text("\n".join(rows))
    monkeypatch.setattr(own_file, "_FILES", {})  # another command does not know it
    code, _, err = ntknas(capsys, "correlate", "--accuracies", "mine.csv")
    assert (code, "--space, FILE.py:NAME" in err) == (1, True)
    code, out, err = ntknas(capsys, "correlate", *OWN, "--accuracies", "mine.csv", "--json", "--resamples", 0)
    assert code == 0, err
    assert {row["measure"]: row["n"] for row in json.loads(out)["rows"]}["trace"] == 16
    assert ntknas(capsys, "bench", "import", "mine.csv", "--as", "mine", *OWN, "--bench-data", ".")[0] == 0
    code, out, err = ntknas(capsys, "correlate", *OWN, "--bench", "mine", "--bench-data", ".", "--resamples", 0)
    assert code == 0, err


def test_one_kernel(capsys):
    code, out, err = ntknas(capsys, "kernel", "conv3x3-skip", *OWN, *SMALL)
    assert code == 0, err
    assert out.startswith("chains cell 8: conv3x3-skip")
    code, _, err = ntknas(capsys, "kernel", "--model", "chains.py:make", *OWN)
    assert (code, "--space is of cells" in err) == (2, True), err


def test_both_ways_to_say_whose_cells(capsys):
    code, _, err = ntknas(capsys, "score", *OWN, "--bench", "nb201")
    assert code == 2
    assert "--bench and --space both say whose cells are meant" in err


@pytest.mark.parametrize("command", ["score", "correlate"])
def test_a_found_settings_file_runs_nothing(capsys, tmp_path, command):
    (tmp_path / "ntknas.toml").write_text(f"[{command}]\nspace = 'chains.py:Chains'\n")
    (tmp_path / "chains.py").write_text("open('ran', 'w')\n")
    code, _, err = ntknas(capsys, command)
    assert code == 1
    assert "space is not taken" in err
    assert not (tmp_path / "ran").exists()
