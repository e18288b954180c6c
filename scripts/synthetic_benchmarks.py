"""Write full-size benchmark files in the official layouts, with made-up figures, to measure importers on.

    python scripts/synthetic_benchmarks.py FOLDER nb201 nats-tss nats-sss nb101-only108 nb101-full [--cells N]

Every cell has every seed and every epoch, and no two entries share an object, which is the most that a real file can
hold: the .pth has the layout before torch 1.6, with a text of its own for each key of each dictionary.
"""

from __future__ import annotations

import argparse
import base64
import bz2
import json
import os
import pickle
import pickletools
import struct
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ntknas.benchmarks.formats import model_metrics
from ntknas.benchmarks.formats.nb201_pth import _LEGACY_MAGIC, _LEGACY_PROTOCOL
from ntknas.benchmarks.formats.tfrecord import framed
from ntknas.spaces import load_space

SPLITS = {
    "cifar10-valid": ("x-valid", "ori-test"),
    "cifar10": ("ori-test",),
    "cifar100": ("ori-test", "x-valid", "x-test"),
    "ImageNet16-120": ("ori-test", "x-valid", "x-test"),
}
MOST = {"cifar10-valid": (111, 777), "cifar10": (111,), "cifar100": (111,), "ImageNet16-120": (111,)}
THREE = dict.fromkeys(SPLITS, (777, 888, 999))
ONE = dict.fromkeys(SPLITS, (777,))


def own(text: str) -> str:
    """Return a text that no other place shares."""
    return text.encode().decode()


def record(dataset: str, seed: int, epochs: int, draw: np.random.Generator) -> dict[str, Any]:
    """Return one training record as the official files hold it."""
    names = SPLITS[dataset]
    last = [f"{name}@{epochs - 1}" for name in names[1:]]
    evaluated = [f"{names[0]}@{epoch}" for epoch in range(epochs)] + last
    timed = [f"{name}@{epoch}" for name in names for epoch in range(epochs)]

    def figures(keys: Any) -> dict[Any, float]:
        keys = list(keys)
        return dict(zip(keys, draw.uniform(10, 90, len(keys)).tolist(), strict=True))

    fields: dict[str, Any] = {
        "name": own(dataset),
        "train_acc1es": figures(range(epochs)),
        "train_acc5es": None if epochs == 200 else figures(range(epochs)),
        "train_losses": figures(range(epochs)),
        "train_times": figures(range(epochs)),
        "arch_config": {"channel": 16, "num_cells": 5, "arch_str": own("x" * 90), "class_num": 10},
        "params": np.float64(draw.uniform(0.1, 1.5)),
        "flop": float(draw.uniform(10, 200)),
        "seed": f"{seed:04d}",
        "epochs": epochs,
        "latency": [np.float64(draw.uniform(0.01, 0.03))],
        "eval_names": [own(name) for name in names],
        "eval_acc1es": figures(evaluated),
        "eval_times": figures(own(key) for key in timed),
        "eval_losses": figures(own(key) for key in evaluated),
        "net_state_dict": None,
    }
    return {own(key): value for key, value in fields.items()}


def summary(index: int, text: str, seeds: dict[str, tuple[int, ...]], epochs: int, draw: Any) -> dict[str, Any]:
    """Return one architecture under one epoch budget."""
    fields = {
        "arch_index": index,
        "arch_str": own(text),
        "all_results": {(own(d), s): record(d, s, epochs, draw) for d, all_seeds in seeds.items() for s in all_seeds},
        "dataset_seed": {own(dataset): list(all_seeds) for dataset, all_seeds in seeds.items()},
        "clear_net_done": True,
    }
    return {own(key): value for key, value in fields.items()}


class Template:
    """The pickle of one architecture, written again for others: numbers of objects move on, figures are drawn anew."""

    def __init__(self, text: str):
        draw = np.random.default_rng(0)
        filler = [own(f"filler {number}") for number in range(300)]  # one-byte object numbers end before it
        item = {"full": summary(70_000, text, THREE, 200, draw), "less": summary(70_000, text, MOST, 12, draw)}
        whole = pickle.dumps((filler, item), protocol=2)
        operations = list(pickletools.genops(whole))
        start = next(at for code, _, at in operations if code.name == "EMPTY_DICT")
        inside = [(code.name, argument, at - start) for code, argument, at in operations if at >= start]
        end = next(at for name, _, at in reversed(inside) if name == "TUPLE2")
        self.data = np.frombuffer(whole[start : start + end], np.uint8).copy()
        objects = [(at + 1, argument) for name, argument, at in inside if name in ("LONG_BINPUT", "LONG_BINGET")]
        objects = [(at, argument) for at, argument in objects if at < end]
        self.places = np.array([at for at, _ in objects])[:, None] + np.arange(4)
        self.numbers = np.array([argument for _, argument in objects], np.int64)
        self.numbers -= self.numbers.min()
        self.objects = int(self.numbers.max()) + 1
        self.floats = np.array([at + 1 for name, _, at in inside if name == "BINFLOAT"])[:, None] + np.arange(8)
        self.indices = [at + 1 for name, argument, at in inside if name == "BININT" and argument == 70_000]
        self.texts = [at + 5 for name, argument, at in inside if name == "BINUNICODE" and argument == text]
        self.length = len(text)

    def write(self, index: int, text: str, first_object: int, draw: np.random.Generator) -> bytes:
        """Return the pickle of an architecture whose text is as long as the template's."""
        data = self.data.copy()
        data[self.places] = (self.numbers + first_object).astype("<u4").view(np.uint8).reshape(-1, 4)
        figures = draw.uniform(10, 90, len(self.floats)).astype(">f8")
        data[self.floats] = figures.view(np.uint8).reshape(-1, 8)
        for at in self.indices:
            data[at : at + 4] = np.frombuffer(struct.pack("<i", index), np.uint8)
        for at in self.texts:
            data[at : at + self.length] = np.frombuffer(text.encode(), np.uint8)
        return data.tobytes()


class Pickler:
    """Writes the outer part of the pickle, counting objects."""

    def __init__(self, stream: BinaryIO):
        self.stream, self.objects = stream, 0

    def put(self, content: bytes) -> None:
        """Write an object and its number."""
        self.stream.write(content + b"r" + struct.pack("<I", self.objects))
        self.objects += 1

    def text(self, text: str) -> None:
        """Write a text."""
        self.put(b"X" + struct.pack("<I", len(text.encode())) + text.encode())


def write_nb201(folder: Path, cells: int) -> Path:
    """Write ``NAS-Bench-201-v1_1-synthetic.pth`` in the layout before torch 1.6."""
    path = folder / "NAS-Bench-201-v1_1-synthetic.pth"
    texts = [str(cell) for cell in load_space("nb201")]
    templates = {length: Template("x" * length) for length in {len(text) for text in texts}}
    draw = np.random.default_rng(1)
    with path.open("wb") as stream:
        for header in (_LEGACY_MAGIC, _LEGACY_PROTOCOL, {"little_endian": True}):
            pickle.dump(header, stream, protocol=2)
        out = Pickler(stream)
        stream.write(b"\x80\x02")
        out.put(b"}")
        stream.write(b"(")
        out.text("meta_archs")
        out.put(b"]")
        stream.write(b"(")
        for text in texts:
            out.text(text)
        stream.write(b"e")
        out.text("arch2infos")
        out.put(b"}")
        for index, text in enumerate(texts[:cells]):
            template = templates[len(text)]
            stream.write(b"J" + struct.pack("<i", index))
            stream.write(template.write(index, text, out.objects, draw) + b"s")
            out.objects += template.objects
        out.text("evaluated_indexes")
        out.put(b"]")
        stream.write(b"u.")
        pickle.dump([], stream, protocol=2)
    return path


def _write_nats_file(job: tuple[Path, int, str, str]) -> None:
    folder, index, text, kind = job
    draw = np.random.default_rng(index)
    budgets = {
        "nats-tss": (("12", MOST, 12), ("200", THREE, 200)),
        "nats-sss": (("01", ONE, 1), ("12", THREE, 12), ("90", ONE, 90)),
    }
    content = {name: summary(index, text, seeds, epochs, draw) for name, seeds, epochs in budgets[kind]}
    (folder / f"{index:06d}.pickle.pbz2").write_bytes(bz2.compress(pickle.dumps(content, protocol=4), 1))


def write_nats(folder: Path, cells: int, kind: str) -> Path:
    """Write a folder of NATS-Bench."""
    short = kind.removeprefix("nats-")
    path = folder / f"NATS-{short}-v1_0-synthetic-simple"
    path.mkdir(parents=True, exist_ok=True)
    texts = [str(cell) for cell in load_space({"nats-tss": "nb201", "nats-sss": "nats-sss"}[kind])]
    meta = {"meta_archs": texts, "total_archs": len(texts), "arch2infos": None, "evaluated_indexes": set()}
    (path / "meta.pickle.pbz2").write_bytes(bz2.compress(pickle.dumps(meta, protocol=4)))
    jobs = [(path, index, text, kind) for index, text in enumerate(texts[:cells])]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(_write_nats_file, jobs, chunksize=64))
    return path


def write_nb101(folder: Path, cells: int, budgets: tuple[int, ...], name: str) -> Path:
    """Write a tfrecord file with three runs of each cell and budget."""
    space, draw = load_space("nb101"), np.random.default_rng(2)
    path = folder / name
    with path.open("wb") as stream:
        for index in range(min(cells, len(space))):
            cell = space[index]
            matrix = "".join(str(edge) for row in cell.matrix for edge in row)
            operations = ",".join(["input", *cell.operations, "output"])
            for epochs in budgets:
                for _ in range(3):
                    figures = draw.uniform(0.1, 1, 8).tolist()
                    rows = [
                        (0.0, 0.0, 0.1, 0.1, 0.1),
                        (epochs / 2, 900 * figures[6], *figures[:3]),
                        (float(epochs), 1800 * figures[7], *figures[3:6]),
                    ]
                    metrics = base64.b64encode(model_metrics.encode(rows, 8_555_530, 2000.0)).decode()
                    content = json.dumps([cell.hash, epochs, matrix, operations, metrics]).encode()
                    stream.write(framed(content))
    return path


WRITERS = {
    "nb201": write_nb201,
    "nats-tss": lambda folder, cells: write_nats(folder, cells, "nats-tss"),
    "nats-sss": lambda folder, cells: write_nats(folder, cells, "nats-sss"),
    "nb101-only108": lambda folder, cells: write_nb101(folder, cells, (108,), "nasbench_only108.tfrecord"),
    "nb101-full": lambda folder, cells: write_nb101(folder, cells, (4, 12, 36, 108), "nasbench_full.tfrecord"),
}


def main() -> None:
    """Write the files that are named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("what", nargs="+", choices=list(WRITERS))
    parser.add_argument("--cells", type=int, default=1 << 30, help="only the first cells")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for what in arguments.what:
        print(WRITERS[what](arguments.folder, arguments.cells), flush=True)


if __name__ == "__main__":
    main()
