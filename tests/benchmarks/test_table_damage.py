"""An imported table that is not what was written, or is somebody else's, under every command that reads it."""

import functools
import os
import tempfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntknas.benchmarks import table_file
from ntknas.benchmarks.formats.collection import Collection, Run
from ntknas.benchmarks.table import Target
from ntknas.benchmarks.table_file import TableFile
from ntknas.core.errors import DataError
from ntknas.core.sealed_file import HEAD, head_of
from tests.damage import cuts, few, flips, ntknas

CELLS = 15_625
TARGET = Target("cifar10", "test", 200)
QUERY = ["bench", "query", "nb201", "7", "--dataset", "cifar10", "--json"]


@functools.cache
def whole():
    made = Collection("nb201", "nb201", CELLS)
    for cell in range(0, CELLS, 500):
        made.add(cell, Run("cifar10", 200, 777, {"test": cell / 200, "valid": 50.0}, 1.0, 1000 + cell, 5.0))
    made.add(7, Run("cifar10", 200, 777, {"test": 91.25, "valid": 50.0}, 1.0, 1007, 5.0))
    with tempfile.TemporaryDirectory() as name:
        table_file.write(Path(name) / "nb201.h5", made, "official.pth", 123)
        return (Path(name) / "nb201.h5").read_bytes()


@few(40)
@given(damage=flips() | cuts(), command=st.sampled_from(["verify", "query", "list"]))
def test_any_damage_is_noticed_before_hdf5_reads_it(damage, command):
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setenv("NTKNAS_TRACEBACK", "1")
        path = Path(name) / "nb201.h5"
        path.write_bytes(damage(whole()))
        patch.setattr(table_file.h5py, "File", lambda *_, **__: pytest.fail("a damaged file was opened"))
        arguments = QUERY if command == "query" else ["bench", command]
        code, out, err = ntknas(*arguments, "--bench-data", name)
        assert code == 1 or command == "list"
        assert str(path) in out + err
        assert "91.25" not in out


def changed(path, change):
    path.write_bytes(whole())
    with h5py.File(path, "r+") as file:
        change(file)
    body = path.read_bytes()[HEAD:]
    path.write_bytes(head_of(body, table_file._MAGICS[table_file.FORMAT]) + body)


def put(place, values, **options):
    def change(file):
        del file[place]
        file.create_dataset(place, data=values, **options)

    return change


def external(file):
    del file["runs/cifar10/200/test"]
    file["runs/cifar10/200/test"] = h5py.ExternalLink("secret.h5", "x")


def other_storage(file):
    del file["runs/cifar10/200/test"]
    file.create_dataset("runs/cifar10/200/test", (CELLS, 1), "<f8", external=[("/etc/passwd", 0, CELLS * 8)])


def virtual(file):
    layout = h5py.VirtualLayout(shape=(CELLS, 1), dtype="<f8")
    layout[:] = h5py.VirtualSource("secret.h5", "x", shape=(CELLS, 1))
    del file["runs/cifar10/200/test"]
    file.create_virtual_dataset("runs/cifar10/200/test", layout)


def infinite(file):
    file["runs/cifar10/200/test"][3] = np.inf


def attribute(place, **values):
    return lambda file: (file[place] if place else file).attrs.update(values)


WRONG = {
    "an external link": (external, "/runs/cifar10/200/test is a link that leads elsewhere"),
    "external storage": (other_storage, "takes its bytes from another file"),
    "a virtual data set": (virtual, "is a virtual data set"),
    "an infinite accuracy": (infinite, "test holds an infinite number"),
    "too few cells": (put("runs/cifar10/200/test", np.ones((3, 1))), f"is 3 × 1, expected {CELLS} × 1"),
    "integers": (put("runs/cifar10/200/test", np.ones((CELLS, 1), int)), "is int64, expected float64"),
    "seeds that are a text": (attribute("runs/cifar10/200", seeds="many"), "seeds are no list of integers"),
    "cells that are a text": (attribute("", cells="many"), "the attribute cells is 'many', expected int"),
    "a space that is a number": (attribute("", space=5), "the attribute space is 5, expected str"),
    "epochs that are a text": (lambda file: file.move("runs/cifar10/200", "runs/cifar10/many"), "no number of epochs"),
    "runs elsewhere": (lambda file: file.update({"runs/x": h5py.SoftLink("/costs")}), "/runs/x is a link"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_right_checksum_and_wrong_content(tmp_path, case):
    path = tmp_path / "nb201.h5"
    change, message = WRONG[case]
    changed(path, change)
    with pytest.raises(DataError, match=rf"nb201.h5 is damaged .*{message}.*bench import, and `replace`"):
        TableFile(path, "nb201").read(TARGET)


def test_without_permission_and_no_file(tmp_path, monkeypatch):
    path = tmp_path / "nb201.h5"
    os.mkfifo(path)
    with pytest.raises(DataError, match="Cannot read .*it is a named pipe"):
        TableFile(path, "nb201")
    path.unlink()
    path.write_bytes(whole()[HEAD:])
    with pytest.raises(DataError, match="is not a table of ntknas: it is plain HDF5"):
        TableFile(path, "nb201")


def test_what_is_whole_is_read(tmp_path):
    (tmp_path / "nb201.h5").write_bytes(whole())
    code, out, _ = ntknas(*QUERY, "--bench-data", tmp_path)
    assert code == 0
    assert "91.25" in out
