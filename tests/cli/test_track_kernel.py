"""``ntknas track-kernel`` as a user types it."""

import json

import pandas as pd
import pytest

from ntknas import load_space
from ntknas.cli.main import run as command
from ntknas.kernels import memory
from ntknas.tracking.track import read
from ntknas.training import Trainer

SMALL = ["--probe", "digits", "--channels", "2", "--cells-per-stage", "1", "--probe-size", "5", "--device", "cpu"]
SHORT = [*SMALL, "--epochs", "2", "--train-size", "40", "--batch-size", "20", "--measures", "trace,lga"]
DISCONNECTED = str(next(cell.index for cell in load_space("nb201") if load_space("nb201").is_disconnected(cell)))


def track(tmp_path, *options):
    return command(["track-kernel", *SHORT, *options, "--store", str(tmp_path / "tracks")])


def test_a_sample_of_every_bin_then_from_the_folder(tmp_path, capsys, monkeypatch):
    plots = ["--plots", str(tmp_path / "plots"), "--keep-kernels", "--bins", "2", "--per-bin", "1"]
    assert track(tmp_path, *plots) == 0
    captured = capsys.readouterr()
    assert "2 trainings of 2 epochs: 0 tracks are there" in captured.err
    assert captured.out.count(" % ") >= 2
    drawn = sorted(path.name for path in (tmp_path / "plots").iterdir())
    assert len(drawn) == 5 + 2  # cells fill two pages
    assert {"drift-by-bin.png", "drift-by-cell.png", "spectrum.png", "label-alignment.png"} <= set(drawn)
    assert all((tmp_path / "plots" / name).stat().st_size > 5000 for name in drawn)
    monkeypatch.setattr(Trainer, "train_epoch", lambda *_: pytest.fail("trained again"))
    assert track(tmp_path, "--bins", "2", "--per-bin", "1", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert [each["status"] for each in answer["tracks"]] == ["ok"] * 2
    assert len({each["bin"] for each in answer["tracks"]}) == 2
    assert answer["steps_an_epoch"] == 2
    for each in answer["tracks"]:
        assert each["alignment"]["steps"] == [0, 4]
        assert all(sum(each["alignment"][end]) == pytest.approx(1.0) for end in ("first", "last"))
    quantities = {row["quantity"] for row in answer["averages"]}
    assert {
        "kernel_correlation",
        "relative_difference/previous",
        "trace",
        "train_loss",
        "label_alignment",
    } <= quantities


def test_cells_by_index_and_string_as_csv(tmp_path, capsys):
    architecture = str(load_space("nb201")[11])
    assert track(tmp_path, "284", architecture, "--seeds", "2", "--csv") == 0
    (tmp_path / "rows.csv").write_text(capsys.readouterr().out)
    frame = pd.read_csv(tmp_path / "rows.csv")
    assert set(frame["cell"]) == {11, 284}
    assert set(frame["seed"]) == {0, 1}
    assert set(frame["step"]) == {0, 2, 4}
    paths = sorted((tmp_path / "tracks").iterdir())
    assert len(paths) == 4
    known = read(paths[0])
    assert known.kernels is None
    assert {"torch", "device", "seconds"} <= set(known.about)


def test_kernels_that_are_to_be_kept_are_made_again(tmp_path, capsys):
    assert track(tmp_path, "284") == 0
    capsys.readouterr()
    assert track(tmp_path, "284", "--keep-kernels") == 0
    assert "1 trainings of 2 epochs: 0 tracks are there" in capsys.readouterr().err
    (path,) = (tmp_path / "tracks").iterdir()
    assert read(path).kernels.shape == (3, 5, 5)


def test_a_disconnected_cell_has_a_status(tmp_path, capsys):
    assert track(tmp_path, DISCONNECTED, "284") == 0
    assert f"cell {DISCONNECTED}, seed 0: disconnected" in capsys.readouterr().out


def test_a_learning_rate_that_explodes_is_a_status_and_nothing_is_lost(tmp_path, capsys):
    assert track(tmp_path, "284", "--learning-rate", "1e30", "--plots", str(tmp_path / "plots")) == 0
    printed = capsys.readouterr().out
    assert "diverged: the training loss is nan" in printed
    assert "After 0 epochs (0 steps)" in printed


def test_a_failure_is_not_kept_and_told_by_the_exit_code(tmp_path, capsys, monkeypatch):
    def broken(*_):
        raise RuntimeError("broken")

    monkeypatch.setattr(Trainer, "train_epoch", broken)
    assert track(tmp_path, "284") == 3
    assert "error: broken" in capsys.readouterr().out
    assert not (tmp_path / "tracks").exists()


def test_the_setting_of_mok_et_al(tmp_path, capsys):
    options = ["--channels", "2", "--cells-per-stage", "1", "--probe", "digits", "--train-size", "20"]
    options += ["--epochs", "1", "--store", str(tmp_path / "tracks"), "--keep-kernels"]
    assert command(["track-kernel", "284", "--recipe", "mok-track", *options]) == 0
    assert "relative_difference_entrywise" in capsys.readouterr().out
    (path,) = (tmp_path / "tracks").iterdir()
    found = read(path)
    assert found.kernels.shape == (2, 10, 10)
    wanted = {"batch_norm": "as-eval-mode", "variant": "zero-cost", "parameters": "weights-no-head", "output": "full"}
    assert {name: found.identity[name] for name in wanted} == wanted
    assert found.identity["training_batch_size"] == 1024
    assert found.about["recipe"].startswith("mok-track+")


def test_a_probe_larger_than_memory(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 10_000)
    assert track(tmp_path, "284", "--output", "full") == 1
    message = capsys.readouterr().err
    assert "6 kernels of 50 rows need 0.0 GiB" in message
    assert "a smaller --probe-size" in message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["99999"], "Cell index out of range"),
        (["nonsense"], "nonsense"),
        (["--bins", "1", "--per-bin", "20000"], "were asked for"),
        (["--target", "cifar10/test/12"], "Bins need accuracies"),
        (["284", "--measures", "synflow"], "needs more than one"),
        (["284", "--momentum", "2"], "momentum must be"),
        (["284", "--train-size", "100000"], "Training on 100000 images"),
    ],
)
def test_bad_input(tmp_path, capsys, options, message):
    assert track(tmp_path, *options) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "tracks").exists()


def test_two_formats(tmp_path, capsys):
    assert track(tmp_path, "284", "--json", "--csv") == 2
    assert "give one of them" in capsys.readouterr().err
