import bz2
import gzip
import io
import lzma
import os
import re
import zipfile

import numpy as np
import pytest

from ntknas import load_space
from ntknas.benchmarks import columns, read_accuracies
from ntknas.core.errors import DataError

SPACE = load_space("nb201")


def _read(tmp_path, text, column=None, name="accuracies.csv"):
    path = tmp_path / name
    path.write_text(text)
    return read_accuracies(path, SPACE, column)


def test_by_index_and_by_string(tmp_path):
    by_index = _read(tmp_path, "index,value\n3,91.5\n0,85\n7,\n")
    assert by_index.to_dict() == {3: 91.5, 0: 85.0}
    by_string = _read(tmp_path, f"cell,accuracy,note\n{SPACE[5]},70,x\n{SPACE[9]},71,y\n")
    assert by_string.to_dict() == {5: 70.0, 9: 71.0}
    assert _read(tmp_path, "index,mine\n1,2\n").name == "mine"


def test_a_named_column_of_a_compressed_file(tmp_path):
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress(b"index,params,test\n4,1.5,90\n"))
    assert read_accuracies(path, SPACE, "test").to_dict() == {4: 90.0}


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("index,a,b\n1,2,3\n", None, r"2 columns that could be the accuracies \(a, b\): name one with `column`"),
        ("index,a,b\n1,2,3\n", "c", "no column 'c' of accuracies: it has a, b"),
        ("number,value\n1,2\n", None, "expected a column 'index' or 'cell', got number, value"),
        ("place,value\n1,2\n", "value", "names no cells: expected a column 'index' or 'cell'"),
        ("index,value\n1,2\n1,3\n", None, "cell 1 more than once"),
        ("index,value\n15625,2\n", None, "line 2, column 'index': Cell index out of range: expected 0 to 15624"),
        ("index,value\n1.5,2\n", None, "line 2: expected a cell index"),
        ("index,value\nx,2\n", None, "line 2: expected a cell index"),
        ("index,value\n1,good\n", None, r"line 2: expected a number from -1e\+150 to 1e\+150 .* got 'good'"),
        ("cell,value\n|none~0|,2\n", None, "line 2, column 'cell': Not a NAS-Bench-201 cell"),
        ("index,value\n100,x,91\n", None, "line 2: expected 2 fields as in its header, got 3"),
        ("index,value\n1,inf\n", None, "expected a number from .* in column 'value', got 'inf'"),
        ("index,value\ninf,1\n", None, "line 2: expected a cell index"),
        ("index,value\n", None, "holds no rows"),
        ("", None, "not a CSV file"),
    ],
)
def test_files_that_are_not_what_they_should_be(tmp_path, text, column, message):
    with pytest.raises(DataError, match=message):
        _read(tmp_path, text, column)


def test_no_file(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        read_accuracies(tmp_path / "none.csv", SPACE)
    with pytest.raises(DataError, match="not a CSV file that can be read"):
        read_accuracies(tmp_path, SPACE)


def test_the_real_table(test_data):
    series = read_accuracies(test_data / "nb201_cifar10.csv.gz", SPACE, "cifar10_test200")
    assert len(series) == 15_625
    assert series.max() == pytest.approx(94.37, abs=0.005)
    disconnected = [cell.index for cell in SPACE if SPACE.is_disconnected(cell)]
    assert (series.loc[disconnected].round(2) == 10.0).all()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"index": [1, 2], "value": np.array([[80], [64]], np.uint8)}, "'value' is an array of uint8"),
        ({"index": [1, 2], "value": np.array([[80, 64]] * 2, np.uint8)}, "expected a number"),
        ({"index": [1, 2], "value": np.array([1 + 2j, 3])}, "'value' is an array of complex128"),
        ({"index": [1, 2], "value": np.array(["2020-01-01", "2021-01-01"], "datetime64[D]")}, "'value' is an array"),
        ({"index": [True, False], "value": [1.0, 2.0]}, "'index' is an array of bool"),
        ({"index": [1, 2], "value": np.float64(3)}, "'value' is an array of float64 ()"),
        ({"index": [1, 2], "value": np.array([{}, {}])}, "is an array of Python objects, which are not read"),
        ({"index": [1, 2], "value": [1.0, 2.0, 3.0]}, "different lengths: index 2, value 3"),
    ],
)
def test_archives_that_are_no_table(tmp_path, columns, message):
    path = tmp_path / "mine.npz"
    np.savez(path, **columns)
    with pytest.raises(DataError, match=re.escape(message)):
        read_accuracies(path, load_space("nb201"))


@pytest.mark.parametrize("content", [b"", b"junk", b"PK\x03\x04"])
def test_files_that_are_no_archive(tmp_path, content):
    for name in ("mine.npz", "mine.csv.tar", "mine.csv.gz", "mine.csv.zip"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match="can be read"):
            read_accuracies(tmp_path / name, load_space("nb201"))


def test_an_array_that_is_no_archive(tmp_path):
    np.save(tmp_path / "a.npy", [1.0])
    (tmp_path / "a.npy").rename(tmp_path / "mine.npz")
    with pytest.raises(DataError, match="not a numpy archive"):
        read_accuracies(tmp_path / "mine.npz", load_space("nb201"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("index,value\n0,\n1,nan\n2,NA\n", "column 'value' holds no number: all of its 3 values are missing"),
        ("index,value\n0,1e308\n1,-1e308\n", r"line 2: expected a number from -1e\+150 to 1e\+150 .* got '1e308'"),
        ("index,value\n0,1_000\n", "line 2: expected a number from .*, got '1_000'"),
        ("index,value\n0,1\n0x1,2\n", "line 3: expected a cell index"),
        ("index,value\n0,1\n,2\n", "line 3: expected a cell index"),
        ('index,value\n0,"1\n', "line 2: "),
        ("index,value\n" + "0,1," * 300_000, "line 2: a row without an end"),
        ("index,value\n" + '"x\n",' * 2000, "a row without an end"),
        ("index,value\n" + "\n" * 2000 + "0,1\n", "line 1001: a row without an end, or too many empty lines"),
        ("index,value\n" + "x" * 200_000 + ",1\n", "field larger than field limit"),
        (",".join(map(str, range(10_001))), "it has 10,001 columns, expected at most 10,000"),
        ("index,value\n" + "".join(f"{cell},1\n" for cell in range(15_626)), "line 15627: it has more rows than there"),
    ],
)
def test_content_that_no_table_has(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        _read(tmp_path, text)


@pytest.mark.parametrize("name", ["pipe.csv", "pipe.npz"])
def test_pipes_are_not_waited_for(tmp_path, name):
    os.mkfifo(tmp_path / name)
    with pytest.raises(DataError, match="it is a named pipe, expected a regular file"):
        read_accuracies(tmp_path / name, SPACE)


def test_devices_are_not_read():
    with pytest.raises(DataError, match="it is a device, expected a regular file"):
        read_accuracies("/dev/zero", SPACE)


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)])
def test_a_file_unpacks_to_what_its_space_can_fill(tmp_path, suffix, pack, monkeypatch):
    monkeypatch.setattr(columns, "_MIN_BYTES", 1 << 16)
    monkeypatch.setattr(columns, "_BYTES_PER_ROW", 10)
    path = tmp_path / f"mine.csv{suffix}"
    rows = "".join(f"{cell},1,{'x' * 1000}\n" for cell in range(200))
    path.write_bytes(pack(f"index,value,note\n{rows}".encode()))
    with pytest.raises(DataError, match="mine.csv.*: it holds more than 156,250 bytes unpacked"):
        read_accuracies(path, SPACE, None)


def test_an_archive_unpacks_to_what_its_space_can_fill(tmp_path, monkeypatch):
    monkeypatch.setattr(columns, "_MIN_BYTES", 1 << 10)
    monkeypatch.setattr(columns, "_BYTES_PER_VALUE", 1)
    np.savez_compressed(tmp_path / "mine.npz", index=np.arange(3), value=np.zeros(100_000))
    with pytest.raises(DataError, match="'value.npy' is of 800,128 bytes, expected at most 15,625"):
        read_accuracies(tmp_path / "mine.npz", SPACE)


def test_an_archive_whose_head_asks_for_more_than_it_holds(tmp_path):
    path = tmp_path / "mine.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("index.npy", "value.npy"):
            head = io.BytesIO()
            np.lib.format.write_array_header_1_0(head, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)})
            archive.writestr(name, head.getvalue() + bytes(24))
    with pytest.raises(DataError, match="an array of float64 .*, which it has no room for"):
        read_accuracies(path, SPACE)


def test_two_arrays_of_one_name_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "mine.npz", "w") as archive:
        for name in ("index.npy", "value.npy", "value"):
            array = io.BytesIO()
            np.save(array, np.arange(3))
            archive.writestr(name, array.getvalue())
    with pytest.raises(DataError, match="two arrays named 'value': which one counts"):
        read_accuracies(tmp_path / "mine.npz", SPACE)
