"""The table on disk: what is written is read, and a changed byte is noticed."""

import os
import pickle
import random
import subprocess
import sys

import h5py
import numpy as np
import pytest

from ntknas.benchmarks import table_file
from ntknas.benchmarks.formats.collection import Collection, Run
from ntknas.benchmarks.table import Target
from ntknas.benchmarks.table_file import TableFile
from ntknas.core.errors import DataError


@pytest.fixture
def collection():
    source = random.Random(0)
    made = Collection("nb201", "nb201", 300)
    for cell in range(0, 300, 2):
        for seed in (777, 888):
            values = {"test": source.uniform(0, 100), "train": source.uniform(0, 100)}
            made.add(cell, Run("cifar10", 200, seed, values, source.random(), 1000 + cell, float("nan")))
    return made


@pytest.fixture
def path(tmp_path, collection):
    table_file.write(tmp_path / "nb201.h5", collection, "official.pth", 123)
    return tmp_path / "nb201.h5"


def test_what_is_written_is_read(path, collection):
    file = TableFile(path, "nb201")
    file.verify()
    table = file.read(Target("cifar10", "test", 200))
    for place, seed in enumerate(table.seeds):
        column = collection.columns["cifar10", 200, seed]
        np.testing.assert_array_equal(table.runs[:, place], column.accuracies["test"])
        np.testing.assert_array_equal(table.seconds[:, place], column.seconds)
    np.testing.assert_array_equal(file.costs("cifar10").parameters, collection.parameters["cifar10"])
    assert file.attributes["source"] == "official.pth"
    assert file.attributes["source_bytes"] == 123
    assert (file.attributes["cells_with_runs"], file.attributes["runs"]) == (150, 300)
    with pytest.raises(KeyError):
        file.tables[Target("cifar10", "valid", 200)]


def test_a_run_stands_once(collection):
    with pytest.raises(DataError, match="cell 0 has two runs of seed 777 on cifar10 at 200 epochs"):
        collection.add(0, Run("cifar10", 200, 777, {"test": 1.0}, 1.0, 1, 1))


def _content(path):
    file = TableFile(path, "nb201")
    tables = [file.read(target) for target in file.tables]
    costs = file.costs("cifar10")
    return [table.runs for table in tables] + [table.seconds for table in tables] + [costs.parameters, costs.flops]


def test_a_changed_byte_is_noticed(path, tmp_path):
    whole, expected = path.read_bytes(), _content(path)
    source = random.Random(1)
    changed = tmp_path / "changed.h5"
    noticed = 0
    for _ in range(400):
        place = source.randrange(len(whole))
        changed.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << source.randrange(8))]) + whole[place + 1 :])
        with pytest.raises(DataError, match="has changed since|is not a table|is damaged"):
            TableFile(changed, "nb201").verify()
        try:
            got = _content(changed)
        except DataError:
            noticed += 1
            continue
        for one, other in zip(got, expected, strict=True):  # padding: no figure lies there
            np.testing.assert_array_equal(one, other)
    assert noticed > 200


def test_other_files_are_no_tables(path, tmp_path):
    (tmp_path / "text.h5").write_text("hello")
    with pytest.raises(DataError, match="is not a table of ntknas"):
        TableFile(tmp_path / "text.h5", "nb201")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["a"] = 1
    with pytest.raises(DataError, match="is not a table of ntknas"):
        TableFile(tmp_path / "other.h5", "nb201")
    cut = tmp_path / "cut.h5"
    cut.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"cut.h5 is damaged .*bench import, and `replace`"):
        TableFile(cut, "nb201")


def test_a_failed_write_leaves_nothing(tmp_path, collection, monkeypatch):
    def fail(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(DataError, match=r"Cannot write .*No space left"):
        table_file.write(tmp_path / "nb201.h5", collection, "a", 1)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_a_message(tmp_path, collection):
    """In a process of its own, whose files may not grow beyond a few kilobytes."""
    code = f"""
import resource, signal, pickle, sys
from pathlib import Path
from ntknas.benchmarks import table_file
from ntknas.core.errors import DataError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
collection = pickle.loads(Path({str(tmp_path / "collection")!r}).read_bytes())
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
try:
    table_file.write(Path({str(tmp_path / "bench" / "nb201.h5")!r}), collection, "a", 1)
except DataError as error:
    sys.exit(str(error))
"""
    (tmp_path / "collection").write_bytes(pickle.dumps(collection))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Cannot write")
    assert list((tmp_path / "bench").iterdir()) == []


def test_a_table_of_another_benchmark(path):
    with pytest.raises(DataError, match="is the table of nb201, and nats-tss was asked for"):
        TableFile(path, "nats-tss")


def _without_source(file):
    del file.attrs["source"]


def _short(file):
    values = file["runs/cifar10/200/test"][:5]
    del file["runs/cifar10/200/test"]
    file["runs/cifar10/200/test"] = values


def _texts(file):
    del file["runs/cifar10/200"].attrs["seeds"]
    file["runs/cifar10/200"].attrs["seeds"] = "many"


def _no_runs(file):
    del file["runs"]
    file["runs"] = [1, 2, 3]


@pytest.mark.parametrize("change", [_without_source, _short, _texts, _no_runs])
def test_a_table_with_wrong_content(path, change):
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(DataError, match=r"nb201.h5 is damaged .*bench import, and `replace`"):
        TableFile(path, "nb201").read(Target("cifar10", "test", 200))
