"""Seeded Gaussian noise in the place of images."""

from __future__ import annotations

import numpy as np

from ntknas.core.lazy import torch
from ntknas.data.image_set import ImageSet, Request
from ntknas.data.source import ImageSource

_TEST_SEEDS = 1 << 31  # held-out noise is other noise; torch looks at 32 bits of a seed


def load(request: Request) -> ImageSet:
    """Return independent standard normal pixels; labels go round the classes, enough of each for a balanced draw."""
    rounds = request.size // request.num_classes + 1
    labels = np.tile(np.arange(request.num_classes), rounds)
    shape = (len(labels), 3, request.image_size, request.image_size)
    seed = request.seed if request.split == "train" else request.seed + _TEST_SEEDS
    images = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return ImageSet("noise", labels, request.num_classes, lambda indices: images[torch.as_tensor(indices)])


SOURCE = ImageSource("noise", "seeded Gaussian noise", load)
