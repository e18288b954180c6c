"""ImageNet16-120 from its official pickled batches of ImageNet at 16×16 pixels: the classes 1 to 120 are kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ntknas.core.errors import DataError
from ntknas.data.batches import read_batch
from ntknas.data.files import OfficialFile, is_sound
from ntknas.data.image_set import ImageSet, Request
from ntknas.data.pixels import image_set
from ntknas.data.source import ImageSource, OfficialFiles

NAME = "ImageNet16-120"
FOLDER = "ImageNet16"
CLASSES = 120
_ALL_CLASSES = 1000
_MD5 = {
    "train_data_batch_1": "27846dcaa50de8e21a7d1a35f30f0e91",
    "train_data_batch_2": "c7254a054e0e795c69120a5727050e3f",
    "train_data_batch_3": "4333d3df2e5ffb114b05d2ffc19b1e87",
    "train_data_batch_4": "1620cdf193304f4a92677b695d70d10f",
    "train_data_batch_5": "348b3c2fdbb3940c4e9e834affd3b18d",
    "train_data_batch_6": "6e765307c242a1b3d7d5ef9139b48945",
    "train_data_batch_7": "564926d8cbf8fc4818ba23d2faac7564",
    "train_data_batch_8": "f4755871f718ccb653440b9dd0ebac66",
    "train_data_batch_9": "bb6dd660c38c58552125b1a92f86b5d4",
    "train_data_batch_10": "8f03f34ac4b42271a294f91bf480f29b",
    "val_data": "3410e3017fdaefba8d5073aaa65e4bd6",
}
"""The published checksums."""


def official_files() -> list[OfficialFile]:
    """Return the official files."""
    return [
        OfficialFile(f"{FOLDER}/{name}", md5, "test" if name == "val_data" else "train") for name, md5 in _MD5.items()
    ]


def load(request: Request) -> ImageSet:
    """Return the images of one split; the official validation images are the test split.

    Raises:
        DataError: If a batch is missing or damaged.
    """
    batches = [file for file in official_files() if file.split == request.split]
    absent = [request.root / file.path for file in batches if not (request.root / file.path).exists()]
    if request.download or absent:
        raise DataError(_how(request.root, absent))
    read = [
        _kept(*read_batch(request.root / file.path, "ImageNet16", 16, "labels", 1, _ALL_CLASSES)) for file in batches
    ]
    pixels, labels = (np.concatenate(column) for column in zip(*read, strict=True))
    changed = [file.path for file in batches if not is_sound(request.root, file)]
    note = f"these are not the official files of ImageNet16-120: {', '.join(changed)}" if changed else ""
    return image_set(NAME, pixels, labels, CLASSES, request.pixels, note)


def _kept(pixels: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the images of the first classes, counted from 0."""
    is_first = labels <= CLASSES
    return pixels[is_first], labels[is_first] - 1


def fetch(root: Path) -> None:
    """Refuse: the images may not be passed on.

    Raises:
        DataError: Always; the message says where they are.
    """
    raise DataError(_how(root, []))


def _how(root: Path, absent: list[Path]) -> str:
    problem = f"is missing: expected the official file {absent[0]}" if absent else "cannot be fetched by this tool"
    return (
        f"ImageNet16-120 {problem}. Get ImageNet16 (train_data_batch_1 to _10 and val_data) as the README of "
        f"NAS-Bench-201 says and put it in {root / FOLDER}, name the folder above it with `image_data`, or use images "
        "that need no download: `probe` digits."
    )


SOURCE = ImageSource(
    NAME,
    "ImageNet at 16×16 pixels, its first 120 classes",
    load,
    OfficialFiles(FOLDER, official_files, fetch, can_be_fetched=False),
)
