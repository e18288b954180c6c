"""Where images come from: one function a source, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from ntknas.core.errors import check_known


@dataclass(frozen=True)
class ImageSet:
    """Labelled images.

    Attributes:
        name: Name of the source.
        labels: Class of each image, int64.
        num_classes: Number of classes.
        take: Returns the images at some places, normalised, float32, n×3×H×W.
        note: What a user should know, such as missing batches; else empty.
    """

    name: str
    labels: np.ndarray
    num_classes: int
    take: Callable[[np.ndarray], Tensor] = field(repr=False)
    note: str = ""

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Request:
    """What is asked of a source.

    Attributes:
        root: Folder that holds the images.
        split: ``train`` or ``test``.
        image_size: Height and width for sources that can make any.
        num_classes: Number of classes for sources that can make any.
        seed: For sources that draw their images.
        size: Number of images for sources that draw their images.
        download: Whether missing images may be fetched.
    """

    root: Path = Path("image_data")
    split: str = "train"
    image_size: int = 32
    num_classes: int = 10
    seed: int = 0
    size: int = 64
    download: bool = False


class _Source(Protocol):
    def __call__(self, request: Request) -> ImageSet: ...


def _digits(request: Request) -> ImageSet:
    from ntknas.data.digits import load

    return load(request)


def _cifar10(request: Request) -> ImageSet:
    from ntknas.data.cifar10 import load

    return load(request)


def _noise(request: Request) -> ImageSet:
    """Independent standard normal pixels; labels go round the classes, enough of each for a balanced draw."""
    rounds = request.size // request.num_classes + 1
    labels = np.tile(np.arange(request.num_classes), rounds)
    shape = (len(labels), 3, request.image_size, request.image_size)
    images = torch.randn(shape, generator=torch.Generator().manual_seed(request.seed))
    return ImageSet("noise", labels, request.num_classes, lambda places: images[torch.as_tensor(places)])


_SOURCES: dict[str, _Source] = {"digits": _digits, "cifar10": _cifar10, "noise": _noise}
DESCRIPTIONS = {
    "digits": "scikit-learn's 1,797 handwritten digits (embedded), brought to 3 channels and the size of the data set",
    "cifar10": "CIFAR-10 in its official folder image_data/cifar-10-batches-py (fetch with --download)",
    "noise": "seeded Gaussian noise",
}


def source_names() -> list[str]:
    """Return the names of all image sources."""
    return list(_SOURCES)


def load_images(name: str, request: Request) -> ImageSet:
    """Return the images of a source.

    Raises:
        ChoiceError: If there is no such source.
        DataError: If its files are missing or damaged.
    """
    check_known("image source", name, _SOURCES)
    check_known("split", request.split, ("train", "test"))
    return _SOURCES[name](request)
