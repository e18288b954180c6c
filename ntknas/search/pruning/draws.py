"""What a pair of supernets is looked at with: seeds of weights, a batch of images, crops for their linear regions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ntknas.core.errors import DataError
from ntknas.core.lazy import torch
from ntknas.data.augmentation import augment
from ntknas.data.image_set import ImageSet
from ntknas.search.pruning.candidates import Candidate
from ntknas.search.pruning.settings import PruneSettings

if TYPE_CHECKING:
    from torch import Tensor

_SEEDS = 2**31


@dataclass(frozen=True)
class Draws:
    """Draws of one pruning. Each repeat of each candidate has random numbers of its own, whatever else was measured.

    Attributes:
        images: The images.
        settings: The settings.
        seed: Seed of the pruning.
    """

    images: ImageSet
    settings: PruneSettings
    seed: int

    def __post_init__(self) -> None:
        """Check that there are enough images.

        Raises:
            DataError: If there are fewer than a batch needs.
        """
        if len(self.images) < self.settings.batch:
            raise DataError(
                f"A pruning with `batch` {self.settings.batch} needs as many images, and {self.images.name} has "
                f"{len(self.images)} here."
            )

    def of(self, candidate: Candidate) -> Iterator[Draw]:
        """Yield what each repeat of a candidate draws."""
        for repeat in range(self.settings.repeats):
            draw = Draw(self.images, self.settings, np.random.default_rng([self.seed, *candidate, repeat]))
            if not self.settings.fresh_weights:
                draw.seed = self._seed_of(candidate.round)
                draw.region_seed = self._seed_of(*candidate)
            yield draw

    def _seed_of(self, *place: int) -> int:
        return int(np.random.default_rng([self.seed, *place]).integers(_SEEDS))


class Draw:
    """Draws of one repeat.

    Args:
        images: The images.
        settings: The settings.
        generator: Random numbers of the repeat.

    Attributes:
        seed: Seed of the weights of the supernets whose kernels are taken.
        region_seed: Seed of those whose linear regions are counted.
    """

    def __init__(self, images: ImageSet, settings: PruneSettings, generator: np.random.Generator):
        self._images, self._settings = images, settings
        self.seed, self.region_seed, self._augment_seed, crop_seed = generator.integers(_SEEDS, size=4).tolist()
        self._places = generator.permutation(len(images))[: settings.batch]
        self._crop_seed: int = crop_seed

    def batch(self) -> Tensor:
        """Return the images of the kernels, flipped and cropped."""
        return augment(self._images.take(self._places), self._images.black, self._augment_seed)

    def crops(self) -> list[Tensor]:
        """Return batches of crops: of some channels of images as they are, none twice until all were taken."""
        settings, generator = self._settings, np.random.default_rng(self._crop_seed)
        places = _places(len(self._images), settings.crop_batches * settings.crops, generator)
        return [
            crops_of(self._images.take(some), settings.crop_side, settings.region_channels, generator)
            for some in places.reshape(settings.crop_batches, settings.crops)
        ]


def _places(images: int, number: int, generator: np.random.Generator) -> np.ndarray:
    rounds = [generator.permutation(images) for _ in range(-(-number // images))]
    return np.concatenate(rounds)[:number]


def crops_of(images: Tensor, side: int, channels: int, generator: np.random.Generator) -> Tensor:
    """Cut a random square out of each image, and take some of its channels at random, in their order.

    Args:
        images: N×C×H×W.
        side: Height and width of the squares, at most those of the images.
        channels: Number of channels.
        generator: Random numbers.

    Returns:
        N×channels×side×side.
    """
    count, all_channels, height, width = images.shape
    inner = torch.arange(min(side, height, width))
    corners = (torch.from_numpy(generator.integers(edge - len(inner) + 1, size=count)) for edge in (height, width))
    rows, columns = (corner[:, None] + inner for corner in corners)
    shuffled = generator.permuted(np.tile(np.arange(all_channels), (count, 1)), axis=1)
    taken = torch.from_numpy(np.sort(shuffled[:, :channels], axis=1))
    sample = torch.arange(count)[:, None, None, None]
    return images[sample, taken[:, :, None, None], rows[:, None, :, None], columns[:, None, None, :]]
