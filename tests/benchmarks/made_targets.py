"""Small files of targets in the published layouts, made up here; CSV files are of the first cells of nb201 alone."""

import csv
import io
import json
import pickle
import zipfile
from itertools import product

import numpy as np

from ntknas import load_space
from ntknas.benchmarks.formats.attack_table import CLEAN, attack_columns
from ntknas.benchmarks.formats.hardware_table import QUANTITIES
from ntknas.benchmarks.formats.latency_list import DEVICES
from ntknas.benchmarks.formats.transnas_list import TASKS
from ntknas.core.errors import ChoiceError
from ntknas.spaces.nb201.naslib import OPERATIONS
from ntknas.spaces.nb201.space import NB201

EDGES = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
FEW = 26  # with a cell that is the network of another


class FewCells(NB201):
    """The first cells of nb201."""

    size = FEW

    def index(self, text):
        index = super().index(text)
        if index >= self.size:
            raise ChoiceError(f"Not among the first {self.size} cells: {text}.")
        return index


def open_few(name):
    """Open a space by name; of nb201 its first cells."""
    return FewCells() if name == "nb201" else load_space(name)


def tuple_of(cell):
    """Write a cell as NASLib does."""
    text = str(load_space("nb201")[cell])
    by_edge = {
        (int(edge[-1]), target): OPERATIONS.index(edge[:-2])
        for target, node in enumerate(text.split("+"), start=1)
        for edge in node.strip("|").split("|")
    }
    return str(tuple(by_edge[edge] for edge in EDGES))


def attacked_rows():
    """Rows of a robustness table, header first, in another order than the official one."""
    rng, names = np.random.default_rng(0), list(attack_columns())
    space = FewCells()
    values = {space.isomorphism_representative(cell): rng.integers(100, 900, len(names)) / 10 for cell in space}
    rows = [
        [tuple_of(cell.index), str(50 + cell.index), *map(str, values[space.isomorphism_representative(cell)])]
        for cell in space
    ]
    return [["net", CLEAN, *names], *rows[::-1]]


def hardware_rows(smallest=1.67954, size=FEW):
    """Rows of a table of HW-NAS-Bench; the smallest latency of Eyeriss says which data set it is."""
    rng = np.random.default_rng(1)
    values = rng.random((size, len(QUANTITIES))) + 0.1
    values[:, list(QUANTITIES).index("eyeriss_latency")] = smallest + np.arange(size)[::-1]
    values[3, list(QUANTITIES).index("edgetpu_latency")] = -1
    return [["net", *QUANTITIES], *([tuple_of(cell), *map(repr, row)] for cell, row in enumerate(values.tolist()))]


def save_csv(path, rows):
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\n").writerows(rows)
    path.write_text(stream.getvalue(), encoding="utf-8")
    return path


def latencies(device="raspi4", size=15_625):
    """Latencies within the device's range."""
    known = DEVICES[device]
    return np.linspace(known.fastest, known.slowest, size).tolist()


def save_pt(path, content, packing=zipfile.ZIP_STORED, protocol=2):
    """Write a list as ``torch.save`` does."""
    data = content if isinstance(content, bytes) else pickle.dumps(content, protocol)
    with zipfile.ZipFile(path, "w", packing) as archive:
        archive.writestr("archive/data.pkl", data)
        archive.writestr("archive/version", "3\n")
    return path


def transnas_entries(task="class_scene"):
    """Entries within the task's range."""
    names = [f"64-41414-{a}_{b}{c}_{d}{e}{f}" for a, b, c, d, e, f in product("0123", repeat=6)]
    known = TASKS[task]
    values = np.linspace(known.lowest, known.highest, len(names)).tolist()
    return [[name, value] for name, value in zip(names, values, strict=True)]


def macro_records():
    """Records of NAS-Bench-Macro; keys of one network have one."""
    space, records = load_space("nb-macro"), {}
    for cell in space:
        network = space.isomorphism_representative(cell)
        runs = [50 + network / 200, 50.5 + network / 200, 49 + network / 200]
        records[str(cell)] = {
            "test_acc": runs,
            "mean_acc": float(np.mean(runs)),
            "std": float(np.std(runs)),
            "params": 1000 + network,
            "flops": 5000 + network,
        }
    return records


def save_json(path, content):
    path.write_text(json.dumps(content), encoding="utf-8")
    return path
