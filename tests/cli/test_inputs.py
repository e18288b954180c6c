"""Accuracies, data sets and hints on the command line, as a user types them."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from ntknas import load_space
from ntknas.cli.next_step import after_scoring
from tests.cli.test_commands import SMALL, fails, ntknas, score


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("dataset", ["cifar10", "cifar10-valid"])
@pytest.mark.parametrize("more", [[], ["--split", "valid"], ["--epochs", "200"]])
def test_query_of_a_data_set_by_its_own_name(capsys: pytest.CaptureFixture[str], dataset: str, more: list[str]) -> None:
    """Without an import there is one split, which is therefore the default."""
    code, out, err = ntknas(capsys, "bench", "query", "nb201", 6111, "--dataset", dataset, *more)
    assert code == 0, err
    assert "cifar10-valid/valid/200: 91.60" in out


@pytest.mark.parametrize("cell", ["(4, 3, 3, 0, 0, 0)", "0", str(load_space("nb201")[0])])
def test_a_cell_by_any_of_its_names(capsys: pytest.CaptureFixture[str], cell: str) -> None:
    answer = json.loads(ntknas(capsys, "bench", "query", "nb201", cell, "--dataset", "cifar10", "--json")[1])
    assert answer["cell"] == 0


def test_the_kernel_of_a_cell_as_naslib_writes_it(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = ntknas(capsys, "kernel", "(4, 3, 3, 0, 0, 0)", *SMALL, "--json")
    assert code == 0, err
    assert json.loads(out)["cell"] == 0


def test_messages_of_a_query(capsys: pytest.CaptureFixture[str]) -> None:
    message = fails(capsys, "bench", "query", "nb201", 0, *"--dataset cifar10 --split test".split())
    assert "nb201 holds no test accuracies on cifar10: it holds cifar10-valid/valid/200. ntknas bench import" in message
    assert "/0" not in message
    assert "six operations" in fails(capsys, "bench", "query", "nb201", "403143", "--dataset", "cifar10")


def test_the_column_of_cells_that_counts(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    score(capsys)
    space, cells = load_space("nb201"), range(0, 15_625, 5)
    scored = {row["cell"] for row in _rows(capsys)}
    lines = [f"{row},{space[cell]},{cell}" for row, cell in enumerate(sorted({*cells, *scored}))]
    (tmp_path / "mine.csv").write_text("\n".join(["index,arch_str,value", *lines]))
    message = fails(capsys, "correlate", "--accuracies", "mine.csv")
    assert "'index' looks like a row number. Name the column that counts, such as --cell-column arch_str" in message
    code, out, err = ntknas(
        capsys, *"correlate --accuracies mine.csv --cell-column arch_str --resamples 0 --json".split()
    )
    assert code == 0, err
    (tmp_path / "twin.csv").write_text("\n".join(line.partition(",")[2] for line in ["x,arch_str,value", *lines]))
    twin = ntknas(capsys, *"correlate --accuracies twin.csv --resamples 0 --json".split())[1]
    assert json.loads(out)["rows"] == json.loads(twin)["rows"] != []
    assert "--cell-column names a column of --accuracies" in fails(capsys, "correlate", "--cell-column", "x", code=2)


def _rows(capsys: pytest.CaptureFixture[str]) -> list[dict[str, int]]:
    import csv

    ntknas(capsys, "store", "export", "scores.h5", "--csv", "out.csv")
    with Path("out.csv").open() as file:
        return [{"cell": int(row["cell"])} for row in csv.DictReader(file)]


@pytest.mark.parametrize("store", ["my scores.h5", "it's.h5", "$HOME.h5"])
def test_the_next_command_works_when_it_is_typed(capsys: pytest.CaptureFixture[str], store: str) -> None:
    code, out, err = ntknas(capsys, "score", *SMALL, "--cells", 12, "--measures", "trace", "--store", store)
    assert code == 0, err
    command = shlex.split(out.splitlines()[-1].removeprefix("Next: "))
    assert command == ["ntknas", "correlate", store]
    assert ntknas(capsys, *command[1:])[0] == 0


def test_the_next_command_without_accuracies() -> None:
    command, remark = after_scoring("nb101", Path("s.h5"))
    assert command == "ntknas store info s.h5"
    assert "No accuracies of nb101 are here" in remark
    assert after_scoring("mine", Path("s.h5"))[0] == "ntknas store info s.h5"


def test_the_next_command_where_a_table_was_imported(tmp_path: Path) -> None:
    (tmp_path / "nb101.h5").write_bytes(b"")
    assert after_scoring("nb101", Path("s.h5"), tmp_path) == ("ntknas correlate s.h5", "")


@pytest.mark.parametrize(("size", "advice"), [(1400, "random"), (5000, "replacement")])
def test_the_advised_draw_works(capsys: pytest.CaptureFixture[str], size: int, advice: str) -> None:
    probe = ["score", "--probe", "digits", "--probe-size", size, "--cells", 1, "--dry-run"]
    assert f"choose a smaller probe, or --draw {advice}" in fails(capsys, *probe)
    from ntknas.data import Request, make_probe

    assert len(make_probe("digits", size, Request(Path(), "train", 8, 10, 0), advice)) == size
