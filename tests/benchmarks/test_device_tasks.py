"""NAS-Bench-360 on devices, by the described layout, on small files made in it."""

import sys
from itertools import product

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ntknas import load_benchmark
from ntknas.benchmarks import Target
from ntknas.benchmarks.formats import device_tasks
from ntknas.benchmarks.importing import import_files
from ntknas.core.errors import DataError, NtknasError
from tests.benchmarks import made_targets as made

SPACE = made.FewCells()
SHARED = [SPACE.isomorphism_representative(cell) for cell in SPACE]
DEVICES = [("pi5", "litert"), ("pi5", "onnx"), ("pi5", "torchmobile"), ("pixel", "litert")]
TASKS = ("cifar100", "ninapro", "darcy")
TOP = {"cifar100": 70, "ninapro": 90, "darcy": 0.9}


def columns():
    """A table of the first cells of nb201: rows in another order than that of cells."""
    rng = np.random.default_rng(0)
    accuracy = {task: TOP[task] - rng.random(made.FEW) for task in TASKS}
    rows = []
    for (device, framework), task in product(DEVICES, TASKS):
        latency, energy = rng.random((2, made.FEW)) + 1
        for cell, first in enumerate(SHARED):
            of_pi = device == "pi5"
            rows.append(
                {
                    "arch_idx": cell,
                    "rep_arch_idx": first,
                    "device": device,
                    "framework": framework,
                    "task": task,
                    "lat_ms_median": latency[first],
                    "lat_ms_var": 0.5 if of_pi else float("nan"),
                    "energy_mj": energy[first] if of_pi else float("nan"),
                    "accuracy": accuracy[task][cell],
                    "status": "ok",
                }
            )
    order = rng.permutation(len(rows))
    return {name: [rows[place][name] for place in order] for name in rows[0]}


def save(path, table):
    pq.write_table(pa.table(table), path)
    return path


@pytest.fixture
def take(tmp_path):
    def take(table, name="dataset.parquet", **options):
        return import_files([save(tmp_path / name, table)], tmp_path / "bench", open_space=made.open_few, **options)

    return take


def test_a_table(tmp_path, take):
    table = columns()
    imported = take(table)
    assert (imported.benchmark, imported.cells) == ("nb360", made.FEW)
    assert len(imported.targets) == 3 + 12 + 9  # accuracies, latencies, energies of the Raspberry Pi
    benchmark = load_benchmark("nb360", folder=tmp_path / "bench")
    for row in range(len(table["task"])):
        cell, device, framework, task = (table[name][row] for name in ("arch_idx", "device", "framework", "task"))
        assert benchmark.accuracy(cell, "accuracy", dataset=task) == table["accuracy"][row]
        latency = benchmark.table(Target(task, f"{device}_{framework}_latency", None))
        assert latency.mean[cell] == table["lat_ms_median"][row]
        if device == "pi5":
            energy = benchmark.table(Target(task, f"{device}_{framework}_energy", None))
            assert energy.mean[cell] == table["energy_mj"][row]
    assert not any("pixel" in target.split and "energy" in target.split for target in benchmark.tables)


def test_what_the_targets_are(tmp_path, take):
    take(columns())
    benchmark = load_benchmark("nb360", folder=tmp_path / "bench")
    latency = benchmark.table(Target("darcy", "pi5_onnx_latency", None))
    assert str(latency.quantity) == "latency (ms) on Raspberry Pi 5, onnx, lower is better"
    assert latency.distinct == len(set(SHARED)) < made.FEW
    assert str(benchmark.quantity(Target("ninapro", "accuracy", None))) == "accuracy (%), higher is better"
    assert str(benchmark.quantity(Target("darcy", "accuracy", None))) == "1 - relative L2 error, higher is better"
    assert benchmark.table(Target("darcy", "accuracy", None)).distinct == made.FEW


def row_of(table, **known):
    return next(r for r in range(len(table["task"])) if all(table[n][r] == value for n, value in known.items()))


def changed(name, value, **known):
    table = columns()
    table[name][row_of(table, **known)] = value
    return table


def without_row(**known):
    table = columns()
    row = row_of(table, **known)
    return {name: values[:row] + values[row + 1 :] for name, values in table.items()}


def doubled(**known):
    table = columns()
    row = row_of(table, **known)
    return {name: [*values, values[row]] for name, values in table.items()}


ONE = {"arch_idx": 3, "device": "pi5", "framework": "onnx", "task": "darcy"}
SAME = {"arch_idx": 25, "device": "pi5", "framework": "onnx", "task": "darcy"}  # the network of another cell
WRONG = {
    "a row missing": (lambda: without_row(**ONE), "it has 0 rows of cell 3 on pi5, onnx, darcy, expected 1"),
    "a row twice": (lambda: doubled(**ONE), "it has 2 rows of cell 3 on pi5, onnx, darcy, expected 1"),
    "an unknown cell": (lambda: changed("arch_idx", 26, **ONE), "a cell index from 0 to 25 .*'arch_idx', got 26"),
    "another representative": (lambda: changed("rep_arch_idx", 4, **ONE), "rep_arch_idx is 4, and the first cell that"),
    "two accuracies": (lambda: changed("accuracy", 0.1, **ONE), "cell 3 has two accuracies on darcy"),
    "no accuracy": (lambda: changed("accuracy", float("nan"), **ONE), "cell 3 has no accuracy on darcy"),
    "no latency": (lambda: changed("lat_ms_median", float("nan"), **ONE), "cell 3 has no lat_ms_median on pi5, onnx"),
    "half the energies": (lambda: changed("energy_mj", float("nan"), **ONE), "cell 3 has no energy_mj on pi5, onnx"),
    "infinity": (lambda: changed("lat_ms_median", float("inf"), **ONE), "expected a number in column 'lat_ms_median'"),
    "one network, two latencies": (lambda: changed("lat_ms_median", 9.0, **SAME), "and 25 are one network that was"),
    "a failure": (lambda: changed("status", "failed", **ONE), "expected ok in column 'status', got 'failed'"),
    "an unknown task": (lambda: changed("task", "audio", **ONE), "expected cifar100 or ninapro or darcy in column"),
    "an odd device": (lambda: {**columns(), "device": ["a/b"] * len(columns()["task"])}, "expected 1|rows of 'a/b'"),
    "texts for numbers": (lambda: {**columns(), "accuracy": ["high"] * len(columns()["task"])}, "expected a number"),
    "floats for indices": (lambda: {**columns(), "arch_idx": [float(i) for i in columns()["arch_idx"]]},
                           "expected a cell index"),
    "equal values": (lambda: {**columns(), "lat_ms_median": [1.0] * len(columns()["task"])}, "has one value, 1"),
    "no status": (lambda: {n: v for n, v in columns().items() if n != "status"}, "it has no column status"),
}  # fmt: skip


@pytest.mark.parametrize("what", list(WRONG))
def test_files_that_are_wrong(tmp_path, take, what):
    table, message = WRONG[what]
    with pytest.raises(DataError, match=message):
        take(table())
    assert not (tmp_path / "bench").exists()


def test_a_damaged_file(tmp_path):
    sound = save(tmp_path / "sound.parquet", columns()).read_bytes()
    path = tmp_path / "dataset.parquet"
    for content in (sound[: len(sound) // 2], sound[:4] + bytes(200) + sound[204:], b"PAR1"):
        path.write_bytes(content)
        with pytest.raises(DataError, match="was not imported"):
            import_files([path], tmp_path / "bench", open_space=made.open_few)
    assert not (tmp_path / "bench").exists()


def test_without_the_package_that_reads_parquet(tmp_path, monkeypatch):
    path = save(tmp_path / "dataset.parquet", columns())
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert device_tasks.recognises(path)
    assert not device_tasks.recognises(path.rename(tmp_path / "other.parquet"))
    with pytest.raises(NtknasError, match=r"pyarrow is not installed: pip install 'ntknas\[parquet\]'"):
        device_tasks.read(tmp_path / "other.parquet", SPACE, lambda total, unit: lambda count: None)
