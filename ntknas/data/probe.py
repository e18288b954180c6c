"""The probe: the batch at which kernels are evaluated, identified by the hash of its content."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ntknas.core.errors import ChoiceError, DataError, check_known
from ntknas.core.lazy import torch
from ntknas.core.pixel_range import PixelRange
from ntknas.core.shown import Shown
from ntknas.data.augmentation import AUGMENTATIONS, augment
from ntknas.data.image_set import ImageSet, Request
from ntknas.data.sources import load_images

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from torch import Tensor

    from ntknas.core.html import Child

DRAWS = {
    "balanced": "equally many images of each class, in the order of the classes; a remainder goes to drawn classes",
    "random": "images drawn without replacement, whatever their class",
    "replacement": "images drawn with replacement, for batches larger than the set",
    "first": "the first images of each class in the order of the files, the order of the classes",
}


_SHOWN = 32
"""Images that a notebook shows."""


@dataclass(frozen=True, repr=False)
class Probe(Shown):
    """A batch of images with labels.

    Attributes:
        images: Float32, N×3×H×W.
        labels: Int64, N.
        num_classes: Number of classes of the source.
        source: Name of the image source.
        draw: A key of ``DRAWS``.
        seed: Seed of the draw.
        augmentation: A key of ``AUGMENTATIONS``.
        pixels: Normalisation constants that were asked for.
        note: What a user should know about the source's files, else empty.
        held_out: Probe of images that are not in this one, for measures that need one; not part of its identity.
        redraw: For probes that are drawn afresh for each seed of the weights: returns that of a seed. This one is that
            of seed 0, and the others follow from it.
        split: Split of the source that the images are from.
        pixel_range: Where pixels from 0 to 1 lie after normalisation; ``None`` where images have none.
        places: Which images of the split these are.
    """

    images: Tensor = field(repr=False)
    labels: Tensor = field(repr=False)
    num_classes: int
    source: str
    draw: str
    seed: int
    note: str = ""
    augmentation: str = "none"
    pixels: str = ""
    held_out: Probe | None = field(default=None, repr=False)
    redraw: Callable[[int], Probe] | None = field(default=None, repr=False)
    split: str = "train"
    pixel_range: PixelRange | None = field(default=None, repr=False)
    places: np.ndarray | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.images)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of shape, images and labels."""
        digest = hashlib.sha256(str(tuple(self.images.shape)).encode())
        digest.update(self.images.contiguous().numpy().astype("<f4").tobytes())  # one byte order on every machine
        digest.update(self.labels.contiguous().numpy().astype("<i8").tobytes())
        return digest.hexdigest()

    def of_seed(self, seed: int) -> Probe:
        """Return the probe for a seed of the weights: this one, unless probes are drawn afresh."""
        return replace(self.redraw(seed), held_out=self.held_out) if self.redraw is not None else self

    def with_held_out(self, request: Request, split: str = "test") -> Probe:
        """Return this probe with as many other images beside it, drawn alike and never augmented.

        Args:
            request: As for ``make_probe``.
            split: Split that they are of; of this probe's own, images that are not in it.

        Returns:
            The probe.

        Raises:
            ChoiceError: If this probe is of the test split itself, or one of its split is to be beside probes that are
                drawn afresh.
            DataError: If the split has too few images.
        """
        if self.split == split == "test":
            raise ChoiceError(
                "A held-out probe is of the test split, and so is this probe: take one of `probe_split` train."
            )
        if self.split == split and self.redraw is not None:
            raise ChoiceError("`fresh_probes` may draw the images of a held-out probe of `held_out_split` train.")
        taken = self.places if self.split == split else None
        held_out = make_probe(self.source, len(self), replace(request, split=split), self.draw, without=taken)
        return replace(self, held_out=held_out)

    def describe(self) -> dict[str, str | int]:
        """Return what identifies the probe and says where it came from."""
        shape = "x".join(map(str, self.images.shape))
        return {
            "hash": self.hash,
            "source": self.source,
            "shape": shape,
            "draw": self.draw,
            "seed": self.seed,
            "augmentation": self.augmentation,
            "pixels": self.pixels,
            "fresh": int(self.redraw is not None),
            # Probes had no split at first: settings that were stored then must keep their digests.
            **({"split": self.split} if self.split != "train" else {}),
        }

    def _line(self) -> str:
        count, *shape = self.images.shape
        said = [
            f"{self.source}: {count:,} images of {'×'.join(map(str, shape))}",
            f"{self.num_classes} classes",
            self.draw,
        ]
        said += [f"seed {self.seed}", *([f"{self.split} split"] if self.split != "train" else [])]
        said += [self.augmentation] if self.augmentation != "none" else []
        said += ["drawn afresh for each seed"] if self.redraw is not None else []
        said += [f"{len(self.held_out)} held out"] if self.held_out is not None else []
        return ", ".join(said)

    def _facts(self) -> Mapping[str, Child]:
        known = {"hash": self.__dict__.get("hash"), "pixels": self.pixels, "note": self.note}
        return {name: text for name, text in known.items() if text}

    def _parts(self) -> list[Element]:
        from ntknas.core.html import image
        from ntknas.data.sheet import PER_ROW, png_of  # which draws probes

        picture = png_of(self, _SHOWN)
        width = 32 * min(len(self), PER_ROW)  # images of digits are smaller than CIFAR-10's
        return [] if picture is None else [image(picture, "the first images of the probe", width)]


def make_probe(
    source: str,
    size: int,
    request: Request | None = None,
    draw: str = "balanced",
    augmentation: str = "none",
    *,
    fresh: bool = False,
    without: np.ndarray | None = None,
) -> Probe:
    """Draw a probe.

    Args:
        source: Name of an image source.
        size: Number of images.
        request: What is asked of the source; its seed also seeds the draw and the augmentation. By default 32×32 images
            of the training split, seed 0.
        draw: A key of ``DRAWS``.
        augmentation: A key of ``AUGMENTATIONS``.
        fresh: Whether each seed of the weights gets a probe of its own, drawn and augmented with another seed.
        without: Places of images that are left out.

    Returns:
        The probe.

    Raises:
        ChoiceError: If the source, the draw or the augmentation is unknown.
        DataError: If the source has too few images, or its files are missing or damaged.
    """
    request = request or Request()
    check_known("draw", draw, DRAWS)
    check_known("augmentation", augmentation, AUGMENTATIONS)
    if size < 1:
        raise DataError(f"A probe needs at least one image, got {size}.")
    taken = np.unique([] if without is None else without).astype(np.int64)
    images = load_images(source, replace(request, size=size + len(taken)))
    left = np.setdiff1d(np.arange(len(images)), taken)
    generator = np.random.default_rng(request.seed)
    indices = left[_DRAWN[draw](replace(images, labels=images.labels[left]), size, generator)]
    labels = torch.from_numpy(np.ascontiguousarray(images.labels[indices]))
    pixels = images.take(indices)
    if augmentation != "none":
        pixels = augment(pixels, images.black, request.seed)
    probe = Probe(
        pixels,
        labels,
        images.num_classes,
        source,
        draw,
        request.seed,
        images.note,
        augmentation,
        request.pixels,
        split=request.split,
        pixel_range=None if images.white is None else PixelRange(images.black, images.white),
        places=indices,
    )
    return replace(probe, redraw=_Redraw(source, size, request, draw, augmentation)) if fresh else probe


@dataclass(frozen=True)
class _Redraw:
    """Draws the probe of a seed; an object, since a function made here could not travel to another process.

    Attributes:
        source: Name of the image source.
        size: Number of images.
        request: What is asked of the source at seed 0.
        draw: A key of ``DRAWS``.
        augmentation: A key of ``AUGMENTATIONS``.
    """

    source: str
    size: int
    request: Request
    draw: str
    augmentation: str

    def __call__(self, seed: int) -> Probe:
        request = replace(self.request, seed=self.request.seed + seed)
        return make_probe(self.source, self.size, request, self.draw, self.augmentation)


def _replacement(images: ImageSet, size: int, generator: np.random.Generator) -> np.ndarray:
    return generator.integers(0, len(images), size)


def _random(images: ImageSet, size: int, generator: np.random.Generator) -> np.ndarray:
    if size > len(images):
        raise DataError(
            f"A probe of {size} images was asked for, and {images.name} has {len(images)} here: choose a smaller "
            "probe, or `draw` replacement."
        )
    return generator.permutation(len(images))[:size]


def _balanced(images: ImageSet, size: int, generator: np.random.Generator) -> np.ndarray:
    # Drawn without a remainder, too: each draw after it, and so every hash of a probe, hangs on it.
    favoured = set(generator.permutation(images.num_classes)[: size % images.num_classes].tolist())
    return _of_each_class(images, size, favoured, generator.permutation)


def _first(images: ImageSet, size: int, generator: np.random.Generator) -> np.ndarray:
    return _of_each_class(images, size, set(range(size % images.num_classes)), lambda members: members)


def _of_each_class(
    images: ImageSet, size: int, favoured: set[int], order: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Take equally many images of each class, one more of the favoured ones."""
    share = size // images.num_classes
    indices = []
    for label in range(images.num_classes):
        count = share + (label in favoured)
        members = order(np.flatnonzero(images.labels == label))
        if len(members) < count:
            instead = "random" if size <= len(images) else "replacement"
            raise DataError(
                f"A balanced probe of {size} images needs {count} of class {label}, and {images.name} has "
                f"{len(members)} here: choose a smaller probe, or `draw` {instead}."
            )
        indices.append(members[:count])
    return np.concatenate(indices)


_DRAWN = {"balanced": _balanced, "random": _random, "replacement": _replacement, "first": _first}
