"""Where images come from, by name."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from ntknas.core.errors import ChoiceError, check_known
from ntknas.data.files import OfficialFile, leaving_no_empty_folder
from ntknas.data.image_set import ImageSet, Request


@dataclass(frozen=True)
class Source:
    """A source of images.

    Attributes:
        text: What it is.
        module: Module of this folder, and after a colon the object in it, that has ``load(request)``; for sources with
            official files also ``files()`` and ``fetch(root)``. Imported when it is used.
        folder: Where its official files belong, below the folder of images; empty for embedded sources.
        can_be_fetched: Whether the tool may download it.
    """

    text: str
    module: str
    folder: str = ""
    can_be_fetched: bool = False

    def implementation(self) -> Any:
        """Return the module or object."""
        module, _, attribute = self.module.partition(":")
        found = import_module(f"ntknas.data.{module}")
        return getattr(found, attribute) if attribute else found


SOURCES = {
    "digits": Source("scikit-learn's 1,797 handwritten digits, brought to 3 channels and any size", "digits"),
    "noise": Source("seeded Gaussian noise", "noise"),
    "cifar10": Source("CIFAR-10", "cifar:CIFAR10", "cifar-10-batches-py", can_be_fetched=True),
    "cifar100": Source("CIFAR-100", "cifar:CIFAR100", "cifar-100-python", can_be_fetched=True),
    "ImageNet16-120": Source("ImageNet at 16×16 pixels, its first 120 classes", "imagenet16", "ImageNet16"),
    "mnist": Source("MNIST, brought to 3 channels and any size", "mnist", "MNIST/raw", can_be_fetched=True),
}


def load_images(name: str, request: Request) -> ImageSet:
    """Return the images of a source.

    Raises:
        ChoiceError: If there is no such source.
        DataError: If its files are missing or damaged.
    """
    check_known("image source", name, SOURCES)
    check_known("split", request.split, ("train", "test"))
    images: ImageSet = SOURCES[name].implementation().load(request)
    return images


def official_files(name: str) -> list[OfficialFile]:
    """Return the official files of a source; none for an embedded one.

    Raises:
        ChoiceError: If there is no such source.
    """
    check_known("image source", name, SOURCES)
    found: list[OfficialFile] = SOURCES[name].implementation().files() if SOURCES[name].folder else []
    return found


def fetch(name: str, root: Path) -> None:
    """Fetch the official files of a source.

    Raises:
        ChoiceError: If there is no such source, or it has no files.
        DataError: If it cannot be fetched; the message says how to get it.
    """
    check_known("image source", name, SOURCES)
    if not SOURCES[name].folder:
        raise ChoiceError(f"{name} is embedded: there is nothing to fetch.")
    with leaving_no_empty_folder(root / SOURCES[name].folder):
        SOURCES[name].implementation().fetch(root)
