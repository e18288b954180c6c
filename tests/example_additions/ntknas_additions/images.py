"""A source of images: stripes, a class for each direction and width."""

import numpy as np
import torch

from ntknas.data import ImageSet, ImageSource, Request

CLASSES, PER_CLASS = 10, 100


def load(request: Request) -> ImageSet:
    """Return the images of one split, normalised, in the size that is asked for."""
    labels = np.repeat(np.arange(CLASSES), PER_CLASS)
    seeds = torch.arange(len(labels)) + (len(labels) if request.split == "test" else 0)
    places = torch.arange(request.image_size)

    def take(chosen: np.ndarray) -> torch.Tensor:
        classes, shifts = torch.as_tensor(labels[chosen]), seeds[torch.as_tensor(chosen)] * 0.7
        waves = torch.sin(places * (1 + classes[:, None] // 2) / 2 + shifts[:, None])
        rows = waves[:, None, :, None].expand(-1, 3, -1, request.image_size)
        return torch.where((classes % 2 == 0)[:, None, None, None], rows, rows.mT).clone()

    return ImageSet("stripes", labels, CLASSES, take)


SOURCE = ImageSource("stripes", "Stripes of two directions and five widths", load)
