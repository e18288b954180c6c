"""Accuracies whose columns name the cells twice, and the ways in which people name cells."""

from __future__ import annotations

import csv
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ntknas import load_space
from ntknas.benchmarks import read_accuracies
from ntknas.core.errors import DataError

SPACE = load_space("nb201")
CELLS = random.Random(0).sample(range(len(SPACE)), 40)
VALUES = [float(10 + cell % 80) for cell in CELLS]
STRINGS = [str(SPACE[cell]) for cell in CELLS]
RIGHT = dict(zip(CELLS, VALUES, strict=True))

_NASLIB_CODES = {"skip_connect": 0, "none": 1, "nor_conv_3x3": 2, "nor_conv_1x1": 3, "avg_pool_3x3": 4}


def naslib_tuple(cell: int) -> str:
    """Six numbers as NASLib writes them: edges 0→1, 0→2, 0→3, 1→2, 1→3, 2→3, read off the architecture string."""
    edges = [edge for node in str(SPACE[cell]).split("+") for edge in node.strip("|").split("|")]
    codes = [_NASLIB_CODES[edge.split("~")[0]] for edge in edges]  # 0→1, 0→2, 1→2, 0→3, 1→3, 2→3
    return str((codes[0], codes[1], codes[3], codes[2], codes[4], codes[5]))


TUPLES = [naslib_tuple(cell) for cell in CELLS]


def _write(path: Path, columns: Mapping[str, Sequence[Any]]) -> Path:
    if path.suffix == ".npz":
        np.savez(path, **{name: np.array(column) for name, column in columns.items()})
    else:
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([list(columns), *zip(*columns.values(), strict=True)])
    return path


@pytest.mark.parametrize("suffix", [".csv", ".npz"])
@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"index": range(40), "arch_str": STRINGS},
            r"'index' looks like a row number. Name the column that counts, such as `cell_column` arch_str",
        ),
        ({"index": range(1, 41), "net": TUPLES}, "'index' looks like a row number"),
        ({"arch": STRINGS, "index": range(40)}, "such as `cell_column` arch"),
        ({"cell": STRINGS, "hash": STRINGS[::-1]}, "'cell' cell .* 'hash' cell"),
        ({"net": TUPLES, "net_str": STRINGS[:39] + STRINGS[:1]}, "(line 41|row 39): its columns name different cells"),
        ({"cell": CELLS, "architecture": STRINGS[1:] + STRINGS[:1]}, "(line 2|row 0): its columns name different"),
    ],
)
def test_columns_that_name_different_cells_are_refused(
    columns: dict[str, Sequence[Any]], message: str, suffix: str, tmp_path: Path
) -> None:
    path = _write(tmp_path / f"mine{suffix}", {**columns, "value": VALUES})
    with pytest.raises(DataError, match=message):
        read_accuracies(path, SPACE)


@pytest.mark.parametrize("suffix", [".csv", ".npz"])
@pytest.mark.parametrize(
    "columns",
    [
        {"index": CELLS, "arch_str": STRINGS},
        {"net": TUPLES, "net_str": STRINGS},
        {"cell": CELLS},
        {"cell": [float(cell) for cell in CELLS]},
        {"cell": CELLS, "architecture": STRINGS, "net": TUPLES},
        {"net": [text.replace("(", "[").replace(")", "]") for text in TUPLES]},
    ],
)
def test_columns_that_agree_are_read(columns: dict[str, Sequence[Any]], suffix: str, tmp_path: Path) -> None:
    path = _write(tmp_path / f"mine{suffix}", {**columns, "value": VALUES})
    assert read_accuracies(path, SPACE).to_dict() == RIGHT


@pytest.mark.parametrize("suffix", [".csv", ".npz"])
@pytest.mark.parametrize("chosen", ["arch_str", "mine"])
def test_the_column_that_counts_can_be_named(chosen: str, suffix: str, tmp_path: Path) -> None:
    path = _write(tmp_path / f"mine{suffix}", {"index": range(40), chosen: STRINGS, "value": VALUES})
    assert read_accuracies(path, SPACE, cell_column=chosen).to_dict() == RIGHT
    with pytest.raises(DataError, match="no column 'other', which `cell_column` asks for: it has index"):
        read_accuracies(path, SPACE, cell_column="other")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([CELLS[0], STRINGS[1]], "line 3, column 'cell': .* is no index, where .* is one: expected a column of one"),
        ([STRINGS[0], CELLS[1]], "line 3, column 'cell': .* is an index, where .* in line 2, column 'cell' is none"),
        (["403143", "1"], r"expected 0 to 15624 .* If these are six operations .* write \(4, 0, 3, 1, 4, 3\)"),
        (["000123", "15624"], r"'000123'. An index has no zeros before it: 123.*\(0, 0, 0, 1, 2, 3\)"),
        (["(4, 0, 3, 1, 4)", TUPLES[0]], "Not a NAS-Bench-201 cell"),
        (["(4, 0, 3, 1, 4, 5)", TUPLES[0]], "Not a NAS-Bench-201 cell"),
    ],
)
def test_no_name_is_guessed(names: list[Any], message: str, tmp_path: Path) -> None:
    path = _write(tmp_path / "mine.csv", {"cell": names, "value": [1.0, 2.0]})
    with pytest.raises(DataError, match=message):
        read_accuracies(path, SPACE)


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("index,value,value\n1,2,3\n")
    with pytest.raises(DataError, match="it has 2 columns named 'value': which one counts"):
        read_accuracies(tmp_path / "mine.csv", SPACE)


def test_tuples_of_the_published_proxies_name_the_cells_of_their_strings(test_data: Path) -> None:
    path = test_data / "targets" / "nb_suite_zero" / "nb201_zc_proxies.csv"
    assert len(read_accuracies(path, SPACE, "synflow")) == 9445


def test_tuples_of_the_published_latencies_are_in_official_order(test_data: Path) -> None:
    path = test_data / "targets" / "hw_nas_bench" / "hw_cifar10.csv"
    latencies = read_accuracies(path, SPACE, "raspi4_latency")
    assert latencies.index.tolist() == list(range(15_625))
    assert latencies[0] == 10.481976820010459


def test_a_space_of_a_third_party_that_knows_no_such_cell(tmp_path: Path) -> None:
    class Lookup:
        name = "mine"

        def __len__(self) -> int:
            return 2

        def index(self, text: str) -> int:
            return {"a": 0, "b": 1}[text]

    path = _write(tmp_path / "mine.csv", {"cell": ["a", "c"], "value": [1.0, 2.0]})
    with pytest.raises(DataError, match="line 3, column 'cell': mine has no cell 'c'"):
        read_accuracies(path, Lookup())
