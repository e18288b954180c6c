"""Small files in the official layouts, made up here."""

import base64
import bz2
import json
import pickle
from functools import cache

import numpy as np
import torch

from ntknas import load_space
from ntknas.benchmarks.formats import model_metrics
from ntknas.benchmarks.formats.tfrecord import framed

EVALUATED = {
    "cifar10-valid": ("x-valid", "ori-test"),
    "cifar10": ("ori-test",),
    "cifar100": ("ori-test", "x-valid", "x-test"),
    "ImageNet16-120": ("ori-test", "x-valid", "x-test"),
}


def record(dataset, seed, epochs, value=50.0):
    """A training record whose figures grow by the epoch."""
    last = [f"{name}@{epochs - 1}" for name in EVALUATED[dataset]]
    return {
        "name": dataset,
        "train_acc1es": {epoch: value + epoch / 100 for epoch in range(epochs)},
        "train_acc5es": None,
        "train_losses": dict.fromkeys(range(epochs), 1.0),
        "train_times": dict.fromkeys(range(epochs), 2.0),
        "arch_config": {"channel": 16},
        "params": np.float64(0.129306),
        "flop": 15.64737,
        "seed": f"{seed:04d}",
        "epochs": epochs,
        "latency": [np.float64(0.01)],
        "eval_names": list(EVALUATED[dataset]),
        "eval_acc1es": {key: value + place for place, key in enumerate(last)},
        "eval_times": {},
        "eval_losses": dict.fromkeys(last, 1.0),
        "net_state_dict": None,
    }


def summary(index, text, epochs, seeds=(777,), datasets=tuple(EVALUATED)):
    return {
        "arch_index": index,
        "arch_str": text,
        "all_results": {
            (name, seed): record(name, seed, epochs, 40.0 + index % 50) for name in datasets for seed in seeds
        },
        "dataset_seed": {name: list(seeds) for name in datasets},
        "clear_net_done": True,
    }


def nb201_content(cells=(0, 5)):
    texts = list(_texts("nb201"))
    infos = {
        index: {"full": summary(index, texts[index], 200, (777, 999)), "less": summary(index, texts[index], 12, (111,))}
        for index in cells
    }
    return {"meta_archs": texts, "arch2infos": infos, "evaluated_indexes": list(cells)}


def save_pth(path, content, *, legacy=True):
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    return path


def save_nats(folder, space="nats-sss", cells=(0, 3), budgets=((1, "01"), (12, "12"), (90, "90"))):
    folder.mkdir()
    texts = _texts(space)
    (folder / "meta.pickle.pbz2").write_bytes(_meta(space))
    for index in cells:
        content = {name: summary(index, texts[index], epochs) for epochs, name in budgets}
        save_pbz2(folder / f"{index:06d}.pickle.pbz2", content)
    return folder


@cache
def _texts(space):
    return [str(cell) for cell in load_space(space)]


@cache
def _meta(space):
    texts = _texts(space)
    meta = {"meta_archs": texts, "total_archs": len(texts), "arch2infos": None, "evaluated_indexes": set()}
    return bz2.compress(pickle.dumps(meta, protocol=4))


def save_pbz2(path, content):
    path.write_bytes(bz2.compress(pickle.dumps(content, protocol=4)))


def nb101_record(index, budget=108, value=0.9, **changes):
    """The fields of a record of NAS-Bench-101."""
    cell = load_space("nb101")[index]
    rows = [
        (0.0, 0.0, 0.1, 0.1, 0.1),
        (budget / 2, 800.0, value - 0.1, value - 0.2, value - 0.3),
        (float(budget), 1600.0, value, value - 0.01, value - 0.02),
    ]
    metrics = model_metrics.encode(changes.pop("rows", rows), 1000 + index, 2000.0)
    fields = {
        "hash": cell.hash,
        "epochs": budget,
        "matrix": "".join(str(edge) for row in cell.matrix for edge in row),
        "operations": ",".join(["input", *cell.operations, "output"]),
        "metrics": base64.b64encode(metrics).decode(),
    }
    return list((fields | changes).values())


def save_tfrecord(path, records):
    path.write_bytes(b"".join(framed(json.dumps(fields).encode()) for fields in records))
    return path
