"""CIFAR-10 and CIFAR-100 from their official folders, through torchvision where the folder is complete.

An incomplete or altered folder is read too, through the restricted reader, and the probe says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ntknas.core.errors import DataError
from ntknas.data.batches import read_batch
from ntknas.data.files import OfficialFile, is_sound
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
    """

    name: str
    title: str
    num_classes: int
    labels: str
    archive: str

    @property
    def _official(self) -> Any:
        from torchvision import datasets

        return getattr(datasets, self.title.replace("-", ""))

    def files(self) -> list[OfficialFile]:
        """Return the official files."""
        official = self._official
        splits = [(official.train_list, "train"), (official.test_list, "test")]
        batches = [
            OfficialFile(f"{official.base_folder}/{n}", md5, split) for files, split in splits for n, md5 in files
        ]
        return [*batches, OfficialFile(f"{official.base_folder}/{official.meta['filename']}", official.meta["md5"])]

    def load(self, request: Request) -> ImageSet:
        """Return the images of one split.

        Raises:
            DataError: If the folder or all batches of the split are missing, a batch is damaged, or the download fails.
        """
        if request.download:
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
        folder = request.root / self._official.base_folder
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


CIFAR10 = CIFAR("cifar10", "CIFAR-10", 10, "labels", "cifar-10-python.tar.gz")
CIFAR100 = CIFAR("cifar100", "CIFAR-100", 100, "fine_labels", "cifar-100-python.tar.gz")
