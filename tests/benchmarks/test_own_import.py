"""Tables of one's own: every kind of file and every encoding is the same benchmark, and what is wrong is named."""

import csv
import gzip
import json
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ntknas import load_benchmark
from ntknas.benchmarks import Target, all_sources, benchmark_names, get_source, read_accuracies, read_scores, space_of
from ntknas.benchmarks.own_import import OwnTable, import_own
from ntknas.benchmarks.quantity import Quantity
from ntknas.core.errors import ChoiceError, DataError, NtknasError
from ntknas.spaces import load_space
from tests.spaces.test_recognition import SPACE, naslib_digits, transnas

CELLS = [2494, 1651, 9180, 14_000]
VALUES = [10.5, 2.25, 31.0, 7.125]
RIGHT = dict(zip(CELLS, VALUES, strict=True))
NAMES = {
    "index": CELLS,
    "arch_str": [str(SPACE[cell]) for cell in CELLS],
    "net": [f"({', '.join(naslib_digits(cell))})" for cell in CELLS],
}
LISTS = [[int(digit) for digit in naslib_digits(cell)] for cell in CELLS]


def write_csv(path, columns):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([list(columns), *zip(*columns.values(), strict=True)])
    return path


def write_packed(path, columns):
    path.write_bytes(gzip.compress(write_csv(path.with_suffix(""), columns).read_bytes()))
    return path


def write_records(path, columns):
    path.write_text(json.dumps([dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]))
    return path


def write_columns(path, columns):
    path.write_text(json.dumps(columns))
    return path


def write_parquet(path, columns):
    pq.write_table(pa.table(columns), path)
    return path


def write_arrays(path, columns):
    np.savez(path, **{name: np.array(values) for name, values in columns.items()})
    return path


KINDS = {
    "mine.csv": write_csv,
    "mine.csv.gz": write_packed,
    "records.json": write_records,
    "columns.json": write_columns,
    "mine.parquet": write_parquet,
    "mine.npz": write_arrays,
}


@pytest.fixture
def take(tmp_path):
    """Import a file; return the one target's values by cell, and the notes."""

    def take(path, space="nb201", name="mine", open_space=load_space, overwrite=False, **options):
        own = OwnTable(name, space, **options)
        _, notes = import_own([path], own, tmp_path / "bench", open_space=open_space, overwrite=overwrite)
        return load_benchmark(name, folder=tmp_path / "bench"), notes

    return take


def known(benchmark):
    """Values by cell of the one target of a benchmark."""
    (table,) = benchmark.tables.values()
    return {int(cell): float(table.mean[cell]) for cell in np.flatnonzero(np.isfinite(table.mean))}


@pytest.mark.parametrize("column", list(NAMES))
@pytest.mark.parametrize("name", list(KINDS))
def test_every_file_in_every_encoding(tmp_path, take, name, column):
    path = KINDS[name](tmp_path / name, {column: NAMES[column], "latency": VALUES})
    assert known(take(path)[0]) == RIGHT
    assert read_accuracies(path, SPACE).to_dict() == RIGHT
    assert read_scores(path, SPACE)["latency"].to_dict() == RIGHT


SHAPES = {
    "values by cell": dict(zip(NAMES["arch_str"], VALUES, strict=True)),
    "values by index": dict(zip(map(str, CELLS), VALUES, strict=True)),
    "records by cell": {name: {"acc": value} for name, value in zip(NAMES["net"], VALUES, strict=True)},
    "pairs": [list(pair) for pair in zip(NAMES["net"], VALUES, strict=True)],
    "pairs of lists": [list(pair) for pair in zip(LISTS, VALUES, strict=True)],
    "records with lists": [{"net": ops, "acc": value} for ops, value in zip(LISTS, VALUES, strict=True)],
    "missing values": [
        {"cell": cell, "acc": value} for cell, value in [*zip(CELLS, VALUES, strict=True), (5, None)]
    ],
}  # fmt: skip


@pytest.mark.parametrize("shape", list(SHAPES))
def test_json_in_every_shape(tmp_path, take, shape):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(SHAPES[shape]))
    assert known(take(path)[0]) == RIGHT
    assert read_accuracies(path, SPACE).to_dict() == RIGHT


def test_names_of_transnas_and_columns_that_no_list_knows(tmp_path, take):
    cells = [2494, 1651]
    path = write_csv(tmp_path / "mine.csv", {"network": [transnas(cell) for cell in cells], "ssim": [0.5, 0.25]})
    benchmark, notes = take(path, quantity=Quantity("SSIM", ""))
    assert known(benchmark) == {2494: 0.5, 1651: 0.25}
    assert notes == [f"{path}: its cells are named by 'network'."]
    named, notes = take(path, name="named", cell_column="network", quantity=Quantity("SSIM", ""))
    assert known(named) == known(benchmark)
    assert notes == []


@pytest.mark.parametrize("name", ["mine.csv", "mine.parquet", "mine.json"])
def test_as_many_rows_as_cells_are_taken_in_order_with_a_note(tmp_path, take, name):
    space = load_space("nb-macro")
    values = np.random.default_rng(0).random(len(space)) * 100
    path = {".csv": write_csv, ".parquet": write_parquet, ".json": write_columns}[f".{name.split('.')[1]}"](
        tmp_path / name, {"acc": values.tolist()}
    )
    benchmark, notes = take(path, space="nb-macro")
    assert known(benchmark) == dict(enumerate(values.tolist()))
    expected = [f"{path}: no column names its cells: its 6,561 rows are taken for the cells of nb-macro in their "
                "published order."]  # fmt: skip
    assert notes == expected
    assert read_accuracies(path, space).attrs["notes"] == expected
    assert read_scores(path, space).attrs["notes"] == expected


def test_an_order_of_its_own_is_no_order(tmp_path, take):
    space = load_space("nb-macro")
    order = np.random.default_rng(0).permutation(len(space))
    path = write_parquet(tmp_path / "mine.parquet", {"place": order, "acc": order / 7})
    with pytest.raises(DataError, match="column 'place' holds every index of nb-macro once, and not in the order"):
        take(path, space="nb-macro")
    assert known(take(path, space="nb-macro", cell_column="place")[0])[6] == pytest.approx(6 / 7)


def test_keys_of_a_column_that_no_list_knows(tmp_path, take):
    """All rows are there, in another order: row numbers would be wrong cells."""
    space = load_space("nb-macro")
    order = np.random.default_rng(1).permutation(len(space)).tolist()
    path = write_csv(tmp_path / "mine.csv", {"genotype": [str(space[cell]) for cell in order], "acc": order})
    benchmark, notes = take(path, space="nb-macro")
    assert known(benchmark) == {cell: cell for cell in range(len(space))}
    assert notes == [f"{path}: its cells are named by 'genotype'."]


def test_a_target_says_what_it_is(tmp_path, take):
    path = write_csv(
        tmp_path / "mine.csv", {"cell": [1, 2, 3], "ms": [3, -1, 2], "note": ["a", "b", "c"], "j": [1, 2, 4]}
    )
    quantity = Quantity("latency", "ms", higher_is_better=False, measured_on="Raspberry Pi 4")
    benchmark, notes = take(path, dataset="cifar100", quantity=quantity, missing=(-1.0,))
    assert list(benchmark.tables) == [Target("cifar100", "j", None), Target("cifar100", "ms", None)]
    held = benchmark.table(Target("cifar100", "ms", None))
    assert str(held.quantity) == "latency (ms) on Raspberry Pi 4, lower is better"
    assert held.quantity.missing == "-1"
    assert np.flatnonzero(np.isfinite(held.mean)).tolist() == [1, 3]
    assert notes == [f"{path}: columns that hold no numbers were not taken: 'note'."]


def test_what_looks_odd_is_said(tmp_path, take):
    columns = {"cell": [1, 2, 3], "a": [0.9, -1, 0.5], "b": [0.25, 0.5, 0.75]}
    notes = take(write_csv(tmp_path / "mine.csv", columns))[1]
    assert any("a 1). If it means a failure, say so: `missing` -1." in note for note in notes)
    assert any("b in % is at most 1: if these are fractions, say so with `unit`" in note for note in notes)


def test_a_table_is_a_benchmark_like_any_other(tmp_path, take):
    folder = tmp_path / "bench"
    benchmark, _ = take(write_csv(tmp_path / "mine.csv", {"index": CELLS, "acc": VALUES}))
    (folder / "scores.h5").write_bytes(b"no table")
    assert (benchmark.name, benchmark.space) == ("mine", "nb201")
    assert benchmark.accuracy(9180, dataset="cifar10") == 31.0
    assert set(benchmark_names(folder)) - set(benchmark_names()) == {"mine"}
    assert get_source("mine", folder).space == space_of("mine", folder) == "nb201"
    assert "mine" in all_sources(folder)
    assert "mine" not in all_sources()
    with pytest.raises(ChoiceError, match="Unknown benchmark 'mine'"):
        get_source("mine", tmp_path)


def test_further_files_add_targets_and_replace_them_when_told(tmp_path, take):
    first = write_csv(tmp_path / "a.csv", {"index": CELLS, "a": VALUES})
    second = write_csv(tmp_path / "b.csv", {"index": CELLS, "b": VALUES, "a": VALUES[::-1]})
    take(first)
    before = (tmp_path / "bench" / "mine.h5").read_bytes()
    with pytest.raises(DataError, match="mine.h5 holds cifar10/a already; to read it again, give `replace`"):
        take(second)
    assert (tmp_path / "bench" / "mine.h5").read_bytes() == before
    assert set(take(second, columns=("b",))[0].tables) == {Target("cifar10", "a", None), Target("cifar10", "b", None)}
    benchmark = take(second, columns=("a",), overwrite=True)[0]
    assert benchmark.accuracy(CELLS[0], "a", dataset="cifar10") == VALUES[-1]
    assert benchmark.accuracy(CELLS[0], "b", dataset="cifar10") == VALUES[0]
    other = write_csv(tmp_path / "c.csv", {"index": [1, 2], "c": [1, 2]})
    with pytest.raises(DataError, match="mine.h5 holds targets of nb201's cells, and these are of nb-macro's"):
        take(other, space="nb-macro")


WRONG = {
    "a row of an unknown cell": ("cell,acc\n1,2\n15625,3\n", {}, "line 3, column 'cell': Cell index out of range"),
    "a row twice": ("cell,acc\n1,2\n1,3\n", {}, "it holds cell 1 more than once, in line 2 and line 3"),
    "no number": ("cell,acc\n1,2\n2,good\n", {}, "line 3: expected a number .* in column 'acc', got 'good'"),
    "infinity": ("cell,acc\n1,2\n2,inf\n", {}, "line 3: expected a number .* in column 'acc', got 'inf'"),
    "equal values": ("cell,acc\n1,2\n2,2\n", {}, "column 'acc' has one value, 2, in all 2 rows: it tells no cells"),
    "no values": ("cell,acc\n1,\n2,nan\n", {}, "column 'acc' holds no number: all of its 2 values are missing"),
    "sentinels alone": ("cell,acc\n1,-1\n2,-1\n", {"missing": (-1.0,)}, "column 'acc' holds no value"),
    "texts alone": ("cell,note\n1,a\n2,b\n", {}, "no column of numbers: columns that hold no numbers .* 'note'"),
    "no other column": ("cell\n1\n2\n", {}, "it has no column of values beside cell"),
    "another column": ("cell,acc\n1,2\n2,3\n", {"columns": ("top1",)}, "no column 'top1' of values: it has acc"),
    "a text that was asked for": ("cell,n\n1,a\n2,b\n", {"columns": ("n",)}, "line 2: expected a number"),
    "another cell column": ("cell,a\n1,2\n2,3\n", {"cell_column": "x"}, "no column 'x', which `cell_column` asks for"),
    "no names": ("place,acc\n1,2\n2,3\n", {}, "it names no cells: expected a column 'index' or 'cell'.* has 2"),
    "six digits": ("cell,acc\n000123,2\n143210,3\n", {}, "can be read in 2 ways"),
    "two kinds": ("cell,acc\n1,2\n1_00_000,3\n", {}, "expected a column of one kind"),
    "columns at odds": ("index,net,acc\n0,\"(0, 0, 0, 0, 0, 0)\",1\n", {}, "its columns name different cells"),
    "a slash": ("cell,a/b\n1,2\n2,3\n", {}, "column 'a/b' is no name of a target: expected one without slashes"),
    "a name that tables keep": ("cell,seconds\n1,2\n2,3\n", {}, "'seconds' is no name of a target"),
    "a data set with a slash": ("cell,a\n1,2\n2,3\n", {"dataset": "a/b"}, "`dataset` 'a/b' is no name of a target"),
    "semicolons": ("cell;acc\n1;2\n", {}, "expected commas between columns, not semicolons"),
    "nothing": ("cell,acc\n", {}, "holds no rows"),
}  # fmt: skip


@pytest.mark.parametrize("what", list(WRONG))
def test_what_is_wrong_is_named_and_nothing_is_written(tmp_path, take, what):
    text, options, message = WRONG[what]
    path = tmp_path / "mine.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        take(path, **options)
    assert not (tmp_path / "bench").exists()


WRONG_JSON = {
    "a name twice": ('{"1": 2, "1": 3}', "it holds '1' twice"),
    "cut off": ('[{"cell": 1,', "it is no JSON, damaged or cut off"),
    "NaN": ('{"1": NaN, "2": 3}', "it holds NaN, which is no number"),
    "deep": ("[" * 100_000, "no JSON, damaged or cut off"),
    "nothing": ("{}", "it holds no table: expected a list of records"),
    "a number": ("3", "it holds no table"),
    "mixed": ('{"1": [1], "2": 3}', "it holds no table"),
    "records of two kinds": ('[{"cell": 1, "a": 2}, {"cell": 2, "b": 3}]', "row 1: expected the names cell, a as in r"),
    "lengths": ('{"cell": [1, 2], "a": [1]}', "its columns have different lengths: cell 2, a 1"),
    "truth values": ('{"1": true, "2": false}', "row 0: expected a number|no column of numbers"),
    "lists as values": ('[{"cell": 1, "a": [1, 2]}, {"cell": 2, "a": [3]}]', "no column of numbers"),
    "cells twice": ('{"1": {"cell": 3, "a": 2}}', "its records hold 'cell', and stand under names of cells"),
    "too many": (json.dumps([[cell, cell] for cell in range(15_626)]), "15,626 rows, more than there are cells"),
    "too large a number": ('{"1": 1e400, "2": 1}', "row 0: expected a number"),
}


@pytest.mark.parametrize("what", list(WRONG_JSON))
def test_json_that_is_no_table(tmp_path, take, what):
    text, message = WRONG_JSON[what]
    path = tmp_path / "mine.json"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        take(path)
    assert not (tmp_path / "bench").exists()


def test_parquet_that_is_no_table(tmp_path, take):
    sound = write_parquet(tmp_path / "sound.parquet", {"cell": CELLS, "acc": VALUES}).read_bytes()
    path = tmp_path / "mine.parquet"
    for content, message in [
        (b"", "no Parquet file that can be read"),
        (b"junk" * 100, "no Parquet file that can be read"),
        (sound[:-9], "no Parquet file that can be read"),
        (sound[:4] + b"\xff" * 40 + sound[44:], "no Parquet file that can be read"),
    ]:
        path.write_bytes(content)
        with pytest.raises(DataError, match=message):
            take(path)
    write_parquet(path, {"cell": list(range(15_626)), "acc": [1.0] * 15_626})
    with pytest.raises(DataError, match="it has 15,626 rows, more than there are cells, 15,625"):
        take(path)
    assert not (tmp_path / "bench").exists()


def test_a_small_parquet_file_cannot_fill_the_memory(tmp_path, take, monkeypatch):
    path = write_parquet(tmp_path / "mine.parquet", {"cell": list(range(1000)), "note": ["x" * 10_000] * 1000})
    assert path.stat().st_size < 100_000
    monkeypatch.setattr("ntknas.benchmarks.columns._MIN_BYTES", 1 << 20)
    monkeypatch.setattr("ntknas.benchmarks.columns._BYTES_PER_ROW", 1)
    with pytest.raises(DataError, match="it holds more than 1,048,576 bytes unpacked"):
        take(path)


def test_parquet_without_its_package(tmp_path, take, monkeypatch):
    path = write_parquet(tmp_path / "mine.parquet", {"cell": CELLS, "acc": VALUES})
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(NtknasError, match=r"pyarrow is not installed: pip install 'ntknas\[parquet\]'"):
        take(path)


@pytest.mark.parametrize("name", ["mine.json.gz", "mine.parquet.xz"])
def test_packed_files_other_than_csv(tmp_path, take, name):
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(DataError, match="is packed, as of such files only CSV may be: unpack it first"):
        take(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nb201", "nb201 is the name of a benchmark: choose another"),
        ("nb-macro", "nb-macro is the name of a"),
        ("all", "all is the name of something else"),
        ("a/b", "Not a name of a table: 'a/b'"),
        ("../mine", "Not a name of a table"),
        ("", "Not a name of a table"),
        ("-mine", "Not a name of a table"),
        ("x" * 101, "Not a name of a table"),
    ],
)
def test_names_that_a_table_cannot_have(tmp_path, take, name, message):
    path = write_csv(tmp_path / "mine.csv", {"index": CELLS, "acc": VALUES})
    with pytest.raises(ChoiceError, match=message):
        take(path, name=name)
    assert not (tmp_path / "bench").exists()


def test_the_published_latencies_are_their_own_importer_s(test_data, take):
    """Quoted tuples with swapped edges; −1 stands for no measurement in 4,699 cells."""
    path = test_data / "targets" / "hw_nas_bench" / "hw_cifar10.csv"
    benchmark, _ = take(path, columns=("edgetpu_latency",), missing=(-1.0,), quantity=Quantity("latency", "ms", False))
    assert len(known(benchmark)) == 10_926
    benchmark, _ = take(path, name="pi", columns=("raspi4_latency",), quantity=Quantity("latency", "ms", False))
    assert known(benchmark)[0] == 10.481976820010459


def test_the_published_accuracies_of_transnas_as_a_list_of_names(test_data, take):
    path = test_data / "targets" / "transnas101_micro" / "micro_class_scene.json"
    values = known(take(path)[0])
    assert len(values) == 4096
    best = max(values, key=values.get)
    assert (transnas(best), values[best]) == ("64-41414-3_32_132", pytest.approx(54.936306, abs=5e-7))
