"""CIFAR-10 and CIFAR-100 from their official folders, through torchvision where the folder is complete.

An incomplete or altered folder is read too, through the restricted reader, and the probe says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ntknas.core.errors import DataError
from ntknas.data.batches import read_batch
from ntknas.data.files import OfficialFile, is_sound, leaving_no_empty_folder
from ntknas.data.image_set import ImageSet, Request
from ntknas.data.pixels import image_set

_IMAGES = {"train": 50_000, "test": 10_000}


@dataclass(frozen=True)
class CIFAR:
    """One of the two sets.

    Attributes:
        name: Name of the source.
        title: Name for messages, which is also torchvision's class but for the dash.
        num_classes: Number of classes.
        labels: Key of the labels in a batch.
        archive: The official download.
        folder: What it unpacks to.
        checksums: MD5 and split of each of its files, as torchvision has them: it is not imported to look for files.
    """

    name: str
    title: str
    num_classes: int
    labels: str
    archive: str
    folder: str
    checksums: Mapping[str, tuple[str, str]] = field(repr=False)

    @property
    def _official(self) -> Any:
        from torchvision import datasets

        return getattr(datasets, self.title.replace("-", ""))

    def files(self) -> list[OfficialFile]:
        """Return the official files."""
        return [OfficialFile(f"{self.folder}/{name}", md5, split) for name, (md5, split) in self.checksums.items()]

    def load(self, request: Request) -> ImageSet:
        """Return the images of one split.

        Raises:
            DataError: If the folder or all batches of the split are missing, a batch is damaged, or the download fails.
        """
        if request.download:
            with leaving_no_empty_folder(request.root / self.folder):
                self.fetch(request.root)
        batches = [request.root / file.path for file in self.files() if file.split == request.split]
        present = [path for path in batches if path.exists()]
        if not present:
            raise DataError(
                f"No {self.title} images: expected the official file {batches[0]}. With internet, add --download. "
                f"{self._where(request.root)}"
            )
        if all(is_sound(request.root, file) for file in self.files()):
            official = self._official(str(request.root), train=request.split == "train")
            pixels, labels = official.data.transpose(0, 3, 1, 2), np.asarray(official.targets)
            return image_set(self.name, pixels, labels, self.num_classes, request.pixels)
        return self._unofficial(request, present)

    def _unofficial(self, request: Request, present: list[Path]) -> ImageSet:
        parts = [read_batch(path, self.title, 32, self.labels, 0, self.num_classes - 1) for path in present]
        pixels, labels = (np.concatenate(column) for column in zip(*parts, strict=True))
        folder = request.root / self.folder
        note = f"{folder} is not the complete official set: {len(pixels):,} of {_IMAGES[request.split]:,} images"
        return image_set(self.name, pixels, labels, self.num_classes, request.pixels, note)

    def fetch(self, root: Path) -> None:
        """Fetch the set with torchvision, which compares its checksum.

        Raises:
            DataError: If the download fails.
        """
        try:
            self._official(str(root), download=True)
        except (OSError, RuntimeError) as error:
            raise DataError(f"Cannot download {self.title} to {root}: {error}. {self._where(root)}") from error

    def _where(self, root: Path) -> str:
        return (
            f"Get {self.archive} from https://www.cs.toronto.edu/~kriz/cifar.html and unpack it in {root}, "
            "name the folder that holds it with --image-data, or use images that need no download: --probe digits."
        )


CIFAR10 = CIFAR(
    "cifar10",
    "CIFAR-10",
    10,
    "labels",
    "cifar-10-python.tar.gz",
    "cifar-10-batches-py",
    {
        "data_batch_1": ("c99cafc152244af753f735de768cd75f", "train"),
        "data_batch_2": ("d4bba439e000b95fd0a9bffe97cbabec", "train"),
        "data_batch_3": ("54ebc095f3ab1f0389bbae665268c751", "train"),
        "data_batch_4": ("634d18415352ddfa80567beed471001a", "train"),
        "data_batch_5": ("482c414d41f54cd18b22e5b47cb7c3cb", "train"),
        "test_batch": ("40351d587109b95175f43aff81a1287e", "test"),
        "batches.meta": ("5ff9c542aee3614f3951f8cda6e48888", ""),
    },
)
CIFAR100 = CIFAR(
    "cifar100",
    "CIFAR-100",
    100,
    "fine_labels",
    "cifar-100-python.tar.gz",
    "cifar-100-python",
    {
        "train": ("16019d7e3df5f24257cddd939b257f8d", "train"),
        "test": ("f0ef6b0ae62326f3e7ffdfab6717acfc", "test"),
        "meta": ("7973b15100ade9c7d40fb424638fde48", ""),
    },
)
