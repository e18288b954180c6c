"""MNIST from its official files, through torchvision, brought to 3 channels and the size of the data set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ntknas.core.errors import DataError
from ntknas.core.lazy import F, torch
from ntknas.data.files import OfficialFile, leaving_no_empty_folder
from ntknas.data.image_set import ImageSet, Request
from ntknas.data.pixels import constants
from ntknas.data.source import ImageSource, OfficialFiles

if TYPE_CHECKING:
    from torch import Tensor

_RAW = "MNIST/raw"
_NAMES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
_MAX_BYTES = 1 << 26  # the images of the training split are 47 MB
_IMAGES = {"train": 60_000, "test": 10_000}


def official_files() -> list[OfficialFile]:
    """Return the unpacked official files; checksums are published for the packed ones alone."""
    return [OfficialFile(f"{_RAW}/{name}", "", split) for split, names in _NAMES.items() for name in names]


def load(request: Request) -> ImageSet:
    """Return the images of one split, bilinearly resized.

    Raises:
        DataError: If files are missing or damaged, or the download fails.
    """
    if request.download:
        with leaving_no_empty_folder(request.root / _RAW):
            fetch(request.root)
    mean, deviation = (values[0] for values in constants(request.pixels, "mnist"))
    pixels, labels = _read(request.root, request.split)
    size = [request.image_size, request.image_size]

    def take(indices: np.ndarray) -> Tensor:
        images = (pixels[torch.as_tensor(indices)].float().unsqueeze(1) / 255 - mean) / deviation
        return F.interpolate(images, size, mode="bilinear", align_corners=False).repeat(1, 3, 1, 1)

    expected = _IMAGES[request.split]
    note = "" if len(labels) == expected else f"{request.root / _RAW} holds {len(labels):,} of {expected:,} images"
    black, white = (torch.full((3,), (value - mean) / deviation) for value in (0.0, 1.0))
    return ImageSet("mnist", labels, 10, take, note, black, white)


def fetch(root: Path) -> None:
    """Fetch the set with torchvision, which compares its checksums.

    Raises:
        DataError: If the download fails.
    """
    from torchvision.datasets import MNIST

    try:
        MNIST(str(root), download=True)
    except (OSError, RuntimeError) as error:
        raise DataError(f"Cannot download MNIST to {root}: {error}. {_where(root)}") from error


def _read(root: Path, split: str) -> tuple[Tensor, np.ndarray]:
    from torchvision.datasets.mnist import read_image_file, read_label_file

    absent = [root / _RAW / name for name in _NAMES[split] if not (root / _RAW / name).is_file()]
    if absent:
        raise DataError(f"No MNIST images: expected the official file {absent[0]}. {_where(root)}")
    large = [root / _RAW / name for name in _NAMES[split] if (root / _RAW / name).stat().st_size > _MAX_BYTES]
    if large:
        raise DataError(f"{large[0]} is not MNIST: it is larger than {_MAX_BYTES:,} bytes. {_where(root)}")
    # torchvision's class would prefer whatever lies in MNIST/processed
    images, numbers = (str(root / _RAW / name) for name in _NAMES[split])
    try:
        pixels, labels = read_image_file(images), read_label_file(numbers).numpy().astype(np.int64)
    except (OSError, RuntimeError, ValueError, AssertionError, LookupError, TypeError) as error:
        raise DataError(f"The MNIST files in {root / _RAW} are damaged ({error}). {_where(root)}") from error
    if len(pixels) != len(labels) or pixels.shape[1:] != (28, 28) or not ((labels >= 0) & (labels < 10)).all():
        raise DataError(
            f"The files in {root / _RAW} are not MNIST: expected as many labels from 0 to 9 as images of 28×28 pixels, "
            f"got {len(labels)} labels and {tuple(pixels.shape)}. {_where(root)}"
        )
    return pixels, labels


def _where(root: Path) -> str:
    return (
        f"With internet, add `download` or run ntknas data fetch mnist; else unpack the four official files in "
        f"{root / _RAW}, name the folder above with `image_data`, or use `probe` digits."
    )


SOURCE = ImageSource(
    "mnist", "MNIST, brought to 3 channels and any size", load, OfficialFiles(_RAW, official_files, fetch)
)
