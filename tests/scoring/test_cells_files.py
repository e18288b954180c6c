"""Files of cells: every way to name one, and what is no such file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ntknas import load_space
from ntknas.core.errors import DataError
from ntknas.scoring import cells
from ntknas.scoring.cells import read_cells_file

SPACE = load_space("nb201")


def test_a_cell_by_any_of_its_names_is_one_cell(tmp_path: Path) -> None:
    path = tmp_path / "cells.txt"
    path.write_text(f"\ufeff# comment\r\n0\r\n{SPACE[0]}\r\n(4, 3, 3, 0, 0, 0)\r\n[4,3,3,0,0,0]\r\n7\r\n", "utf-8")
    assert read_cells_file(SPACE, path) == [0, 7]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("403143", r"line 2: Cell index out of range: .* write \(4, 0, 3, 1, 4, 3\)"),
        ("000284", r"line 2: Not an index: '000284'. An index has no zeros before it: 284"),
        ("(4, 0, 3, 1, 4, 5)", "line 2: Not a NAS-Bench-201 cell"),
        ("(4, 0, 3, 1, 4, 3, 3)", "line 2: Not a NAS-Bench-201 cell"),
        ("9" * 400, "line 2: Not a NAS-Bench-201 cell: '9999"),
        ("x" * 100_000, "line 2: Not a NAS-Bench-201 cell: 'xxxx"),
    ],
)
def test_lines_that_name_none(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "cells.txt"
    path.write_text(f"1\n{line}\n")
    with pytest.raises(DataError, match=message) as error:
        read_cells_file(SPACE, path)
    assert len(str(error.value)) < 1000


def test_only_regular_files_of_a_size_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b"1\n" * 5000)
    monkeypatch.setattr(cells, "_MIN_BYTES", 100)
    monkeypatch.setattr(cells, "_BYTES_PER_CELL", 0)
    for path, message in (
        (tmp_path / "pipe", "it is a named pipe"),
        (tmp_path, "it is a folder"),
        (Path("/dev/zero"), "it is a device"),
        (tmp_path / "large", "it holds more than 100 bytes"),
    ):
        with pytest.raises(DataError, match=f"Cannot read the cells file .*: {message}"):
            read_cells_file(SPACE, path)


def test_a_file_in_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "cells.txt").write_text("1\n2\n", encoding="utf-16")
    with pytest.raises(DataError, match=r"cells.txt is no text in UTF-8: save it as plain text in UTF-8\.$"):
        read_cells_file(SPACE, tmp_path / "cells.txt")
