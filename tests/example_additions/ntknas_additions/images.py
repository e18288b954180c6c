"""A source of images: noisy stripes, a class for each direction and width."""

import numpy as np
import torch

from ntknas.data import ImageSet, ImageSource, Request

COUNT, CLASSES = 1000, 10


def load(request: Request) -> ImageSet:
    """Return the images of one split, normalised, in the size that is asked for."""
    labels = np.arange(COUNT) % CLASSES
    classes, pixels = torch.as_tensor(labels)[:, None, None, None], torch.arange(request.image_size)[:, None]
    waves = torch.sin(pixels * (1 + classes // 2) / 2)
    generator = torch.Generator().manual_seed(0 if request.split == "train" else 1)
    noise = torch.randn(COUNT, 3, request.image_size, request.image_size, generator=generator)
    images = torch.where(classes % 2 == 0, waves, waves.mT) + noise / 2
    return ImageSet("stripes", labels, CLASSES, lambda chosen: images[torch.as_tensor(chosen)])


SOURCE = ImageSource("stripes", "Noisy stripes of two directions and five widths", load)
