"""The published files of targets, read anew without the package's readers: what importers are held against."""

import csv
import io
import json
import pickle
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from ntknas import load_benchmark, load_space
from ntknas.benchmarks import Target

DATASETS = ("cifar10", "cifar100", "ImageNet16-120")
NAMES = {
    "robustness-nb201": ["robustness_nb201/robustness_targets.csv"],
    "hw-nas-bench": [f"hw_nas_bench/hw_{name}.csv" for name in DATASETS],
    "help-nb201": [f"help_nb201/{name}.pt" for name in ("raspi4", "titan_rtx_32", "pixel2")],
    "transnas-micro": ["transnas101_micro"],
    "nb-macro": ["nas_bench_macro/nas-bench-macro_cifar10.json"],
}
"""Files, or a folder of them, by benchmark."""
TASKS = ("autoencoder", "class_object", "class_scene", "jigsaw", "normal", "room_layout", "segmentsemantic")
_OPERATIONS = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")


def cell_of_tuple(text):
    """Index of a cell in the tuple's encoding, by way of the architecture string."""
    a, b, c, d, e, f = (_OPERATIONS[int(digit)] for digit in text.strip("()").split(","))
    return _index_of_text(f"|{a}~0|+|{b}~0|{d}~1|+|{c}~0|{e}~1|{f}~2|")


def cell_of_name(name):
    """Index of a cell in TransNAS-Bench-101's name, whose edges have the order of the string."""
    operations = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3")
    a, b, c, d, e, f = (operations[int(digit)] for digit in name.split("-")[2].replace("_", ""))
    return _index_of_text(f"|{a}~0|+|{b}~0|{c}~1|+|{d}~0|{e}~1|{f}~2|")


@cache
def _indices():
    return {str(cell): cell.index for cell in load_space("nb201")}


def _index_of_text(text):
    return _indices()[text]


@cache
def csv_table(path: Path):
    """A table's cells in the order of its rows, and its columns in the official order of cells."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    cells = np.array([cell_of_tuple(row["net"]) for row in rows])
    columns = {}
    for name in rows[0]:
        if name != "net":
            columns[name] = np.full(len(rows), np.nan)
            columns[name][cells] = [float(row[name]) for row in rows]
    return cells, columns


@cache
def latencies(path: Path):
    """The list in a ``.pt`` file, which holds plain numbers; it is trusted test data."""
    with zipfile.ZipFile(path) as archive:
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
        return pickle.load(io.BytesIO(archive.read("archive/data.pkl")))


@cache
def json_content(path: Path):
    """A JSON file."""
    return json.loads(path.read_bytes())


@cache
def clean_accuracy(folder: Path):
    """Clean test accuracy on CIFAR-10."""
    return pd.read_csv(folder / "nb201_cifar10.csv.gz")["cifar10_test200"].to_numpy()


@cache
def validation(dataset):
    """Mean over seeds of the validation accuracy, as embedded."""
    name = {"cifar10": "cifar10-valid"}.get(dataset, dataset)
    return load_benchmark("nb201", folder=None).table(Target(name, "valid", 200)).mean


@cache
def disconnected():
    """Whether cells have no path, found anew."""
    return np.array([not _has_path(str(cell)) for cell in load_space("nb201")])


def operations_of(text):
    """Operations by (source, target)."""
    return {
        (int(edge[-1]), target): edge[:-2]
        for target, node in enumerate(text.split("+"), start=1)
        for edge in node.strip("|").split("|")
    }


def _has_path(text):
    reached = {0}
    for (source, target), operation in sorted(operations_of(text).items(), key=lambda item: item[0][1]):
        if operation != "none" and source in reached:
            reached.add(target)
    return 3 in reached


@cache
def isomorphism_classes():
    """The rule of the published strings, written down anew: the class of each cell by its lowest index."""
    first = {}
    return np.array([first.setdefault(_unique(str(cell)), cell.index) for cell in load_space("nb201")])


def _unique(text):
    operations, strings = operations_of(text), {0: "0"}
    for target in (1, 2, 3):
        parts = []
        for source in range(target):
            operation, before = operations[source, target], strings[source]
            if operation == "none" or before == "#":
                parts.append("#")
            else:
                parts.append(before if operation == "skip_connect" else f"({before})@{operation}")
        strings[target] = "+".join(sorted(parts))
    return strings[3]


@cache
def counts():
    """Numbers of 3×3 convolutions, 1×1 convolutions and poolings of each cell, whether or not they lie on a path."""
    texts = [str(cell) for cell in load_space("nb201")]
    kinds = ("nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")
    return np.array([[text.count(kind) for kind in kinds] for text in texts])
