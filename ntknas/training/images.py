"""The images that networks are trained on, and those that their accuracy is taken of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Annotated

import numpy as np

from ntknas.core.errors import DataError
from ntknas.core.lazy import torch
from ntknas.core.options import Option
from ntknas.data.augmentation import augment
from ntknas.data.image_set import ImageSet, Request
from ntknas.data.sources import all_sources, load_images

if TYPE_CHECKING:
    from torch import Tensor

_HASHING_BATCH = 1000


@dataclass(frozen=True)
class TrainingImages:
    """The first images of a source's training split, read when they are used; travels by name.

    Attributes:
        source: Name of an image source.
        request: What is asked of it.
        size: How many images are taken, in the order of the files; ``None`` for all.
        expected: Hash that the images must have, for a process that reads them again.

    Raises:
        DataError: When they are used: if they are missing, damaged, too few, or not those that were expected.
    """

    source: Annotated[
        str,
        Option(
            "Images that networks are trained on: {names}.  [default: the source of the probe]",
            name="train_images",
            names=all_sources,
        ),
    ]
    request: Request
    size: Annotated[
        int | None, Option("Train on the first images of the files.  [default: all]", name="train_size")
    ] = None
    expected: str = field(default="", compare=False)

    def __len__(self) -> int:
        return len(self.labels)

    def __getstate__(self) -> dict[str, object]:
        """Travel without the images, and with their hash."""
        return {"source": self.source, "request": self.request, "size": self.size, "expected": self.hash}

    @cached_property
    def labels(self) -> np.ndarray:
        """Class of each image."""
        return self._images.labels[: self.size]

    @property
    def num_classes(self) -> int:
        """Number of classes of the source."""
        return self._images.num_classes

    @cached_property
    def hash(self) -> str:
        """SHA-256 of images and labels."""
        digest = hashlib.sha256(self.labels.astype("<i8").tobytes())
        for start in range(0, len(self), _HASHING_BATCH):
            images = self._images.take(np.arange(start, min(start + _HASHING_BATCH, len(self))))
            digest.update(images.contiguous().numpy().astype("<f4").tobytes())
        content = digest.hexdigest()
        if self.expected and content != self.expected:
            raise DataError(
                f"The training images of {self.source} in {self.request.root} are not those that the run began with: "
                "give every machine the same files."
            )
        return content

    @cached_property
    def validation(self) -> ImageSet:
        """The source's test split."""
        return load_images(self.source, replace(self.request, split="test"))

    @cached_property
    def _images(self) -> ImageSet:
        images = load_images(self.source, self.request)
        if self.size is not None and self.size > len(images):
            raise DataError(f"Training on {self.size} images was asked for, and {images.name} has {len(images)} here.")
        return images

    @property
    def note(self) -> str:
        """What a user should know about the source's files, else empty."""
        return self._images.note

    def steps(self, batch_size: int) -> int:
        """Return the number of steps of an epoch."""
        return -(-len(self) // batch_size)

    def batches(self, batch_size: int, augmentation: str, seed: int, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield one epoch: every image once, in an order and with flips and crops that seed and epoch decide.

        Args:
            batch_size: Images of a batch.
            augmentation: A key of ``AUGMENTATIONS``.
            seed: Seed of the training; every network of one seed sees the same.
            epoch: Number of the epoch, from 0.

        Yields:
            Images and labels of each batch.
        """
        # Not one generator all through: a training that goes on from a checkpoint draws as one that never stopped.
        order = np.random.default_rng([seed, epoch]).permutation(len(self))
        for step, start in enumerate(range(0, len(order), batch_size)):
            batch = order[start : start + batch_size]
            images = self._images.take(batch)
            if augmentation != "none":
                seed_of_step = np.random.SeedSequence([seed, epoch, step]).generate_state(1)
                images = augment(images, self._images.black, int(seed_of_step[0]))
            yield images, torch.from_numpy(self.labels[batch])
