"""Where images come from: one module a source, by name."""

from __future__ import annotations

from importlib import import_module

from ntknas.core.errors import check_known
from ntknas.data.image_set import ImageSet, Request

SOURCES = {
    "digits": "scikit-learn's 1,797 handwritten digits (embedded), brought to 3 channels and the size of the data set",
    "cifar10": "CIFAR-10 in its official folder image_data/cifar-10-batches-py (fetch with --download)",
    "noise": "seeded Gaussian noise",
}
"""The sources; each is a module of this folder with a function ``load(request)``, imported when it is used."""


def load_images(name: str, request: Request) -> ImageSet:
    """Return the images of a source.

    Raises:
        ChoiceError: If there is no such source.
        DataError: If its files are missing or damaged.
    """
    check_known("image source", name, SOURCES)
    check_known("split", request.split, ("train", "test"))
    images: ImageSet = import_module(f"ntknas.data.{name}").load(request)
    return images
