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
from ntknas.data.source import ImageSource, OfficialFiles

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

    @property
    def source(self) -> ImageSource:
        """The set as a source of images."""
        return ImageSource(self.name, self.title, self.load, OfficialFiles(self.folder, self.files, self.fetch))

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
                f"No {self.title} images: expected the official file {batches[0]}. With internet, add `download`. "
                f"{self._where(request.root)}"
            )
        # torchvision unpickles whatever is there: nothing but the official bytes, of both splits, may reach it.
        if all(is_sound(request.root, file) for file in self.files()):
            official = self._official(str(request.root), train=request.split == "train")
            pixels, labels = official.data.transpose(0, 3, 1, 2), np.asarray(official.targets)
            return image_set(self.name, pixels, labels, self.num_classes, request.pixels)
        return self._unofficial(request, present)

    def _unofficial(self, request: Request, present: list[Path]) -> ImageSet:
        read = [read_batch(path, self.title, 32, self.labels, 0, self.num_classes - 1) for path in present]
        pixels, labels = (np.concatenate(column) for column in zip(*read, strict=True))
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
            "name the folder that holds it with `image_data`, or use images that need no download: `probe` digits."
        )
