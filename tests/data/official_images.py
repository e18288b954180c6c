"""Small image sets in the official file formats, made up here."""

import pickle
import struct

import numpy as np


def _batches(folder, names, side, classes, key, first=0, size=40):
    folder.mkdir(parents=True, exist_ok=True)
    source = np.random.default_rng(0)
    for name in names:
        pixels = source.integers(0, 256, (size, 3 * side * side), dtype=np.uint8)
        labels = [first + place * 7 % classes for place in range(size)]
        (folder / name).write_bytes(pickle.dumps({"data": pixels, key: labels}, protocol=2))
    return folder


def cifar10(root):
    return _batches(root / "cifar-10-batches-py", ["data_batch_1", "test_batch"], 32, 10, "labels")


def cifar100(root, size=120):
    return _batches(root / "cifar-100-python", ["train", "test"], 32, 100, "fine_labels", size=size)


def imagenet16(root, classes=200, size=150):
    names = [f"train_data_batch_{number}" for number in range(1, 11)] + ["val_data"]
    return _batches(root / "ImageNet16", names, 16, classes, "labels", first=1, size=size)


def mnist(root, size=30):
    folder = root / "MNIST" / "raw"
    folder.mkdir(parents=True, exist_ok=True)
    source = np.random.default_rng(0)
    for split, count in (("train", size), ("t10k", size // 2)):
        pixels = source.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = (np.arange(count) % 10).astype(np.uint8)
        (folder / f"{split}-images-idx3-ubyte").write_bytes(
            struct.pack(">IIII", 2051, count, 28, 28) + pixels.tobytes()
        )
        (folder / f"{split}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 2049, count) + labels.tobytes())
    return folder
