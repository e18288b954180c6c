"""CIFAR-10 from its official folder, through torchvision where the folder is complete.

An incomplete or altered folder is read too, through the restricted reader, and the probe says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ntknas.core import restricted_pickle
from ntknas.core.errors import DataError
from ntknas.data.image_set import ImageSet, Request

FOLDER = "cifar-10-batches-py"
MEAN = (125.3 / 255, 123.0 / 255, 113.9 / 255)
DEVIATION = (63.0 / 255, 62.1 / 255, 66.7 / 255)
"""Normalisation constants of the NAS-Bench-201 code."""


def load(request: Request) -> ImageSet:
    """Return the images of one split, normalised with the constants of the NAS-Bench-201 code.

    Raises:
        DataError: If the folder or all batches of the split are missing, a batch is damaged, or the download fails.
    """
    from torchvision.datasets import CIFAR10

    train = request.split == "train"
    if request.download:
        _download(request.root, train)
    files = [Path(request.root) / FOLDER / name for name, _ in (CIFAR10.train_list if train else CIFAR10.test_list)]
    present = [file for file in files if file.exists()]
    if not present:
        raise DataError(_missing(request.root, files[0]))
    if _is_complete(Path(request.root)):
        official = CIFAR10(str(request.root), train=train)
        return _image_set(official.data.transpose(0, 3, 1, 2), np.asarray(official.targets), "")
    batches = [_read_batch(file) for file in present]
    pixels = np.concatenate([batch[0] for batch in batches])
    expected = 50_000 if train else 10_000
    note = f"{Path(request.root) / FOLDER} is not the complete official set: {len(pixels):,} of {expected:,} images"
    return _image_set(pixels, np.concatenate([batch[1] for batch in batches]), note)


def _is_complete(root: Path) -> bool:
    from torchvision.datasets import CIFAR10
    from torchvision.datasets.utils import check_integrity

    known = [*CIFAR10.train_list, *CIFAR10.test_list, (CIFAR10.meta["filename"], CIFAR10.meta["md5"])]
    return all(check_integrity(root / FOLDER / name, md5) for name, md5 in known)


def _download(root: Path, train: bool) -> None:
    from torchvision.datasets import CIFAR10

    try:
        CIFAR10(str(root), train=train, download=True)
    except (OSError, RuntimeError) as error:
        raise DataError(f"Cannot download CIFAR-10 to {root}: {error}. {_where(root)}") from error


def _where(root: Path) -> str:
    return (
        f"Get cifar-10-python.tar.gz from https://www.cs.toronto.edu/~kriz/cifar.html and unpack it in {root}, "
        "name the folder that holds it with --image-data, or use images that need no download: --probe digits."
    )


def _missing(root: Path, file: Path) -> str:
    return f"No CIFAR-10 images: expected the official file {file}. With internet, add --download. {_where(root)}"


def _read_batch(file: Path) -> tuple[np.ndarray, np.ndarray]:
    content = restricted_pickle.load(file, restricted_pickle.NUMPY_ARRAYS, encoding="latin1")
    entries: dict[Any, Any] = content if isinstance(content, dict) else {}
    found: list[Any] = [entries.get(key, entries.get(key.encode())) for key in ("data", "labels")]
    data, labels = found
    arrays = isinstance(data, np.ndarray) and data.dtype == np.uint8 and isinstance(labels, list)
    classes = arrays and all(isinstance(label, int) and 0 <= label < 10 for label in labels)
    if not classes or data.shape != (len(labels), 3072):
        raise DataError(
            f"{file} is not a CIFAR-10 batch: expected 'data' (uint8, n×3072) and n 'labels' from 0 to 9. "
            "Fetch it again."
        )
    return data.reshape(-1, 3, 32, 32), np.asarray(labels, dtype=np.int64)


def _image_set(pixels: np.ndarray, labels: np.ndarray, note: str) -> ImageSet:
    mean, deviation = (torch.tensor(values).view(1, 3, 1, 1) for values in (MEAN, DEVIATION))

    def take(places: np.ndarray) -> Tensor:
        return (torch.from_numpy(pixels[places]).float() / 255 - mean) / deviation

    return ImageSet("cifar10", labels.astype(np.int64), 10, take, note)
