"""Scikit-learn's handwritten digits: 1,797 images of 8×8 pixels, embedded in the package."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ntknas.core.lazy import F, torch
from ntknas.data.image_set import ImageSet, Request
from ntknas.data.source import ImageSource

if TYPE_CHECKING:
    from torch import Tensor

_MAXIMUM = 16.0
_TEST_EVERY = 5  # the set has no official split: every fifth image is kept for testing


def load(request: Request) -> ImageSet:
    """Return the digits, brought to 3×size×size by bilinear interpolation, with mean 0 and variance 1 over the set."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    test = np.arange(len(digits.target)) % _TEST_EVERY == _TEST_EVERY - 1
    in_split = test if request.split == "test" else ~test
    pixels = torch.from_numpy(digits.images / _MAXIMUM).float()
    mean, deviation = float(pixels.mean()), float(pixels.std(correction=0))
    images = ((pixels - mean) / deviation)[torch.from_numpy(in_split)]
    size = [request.image_size, request.image_size]

    def take(indices: np.ndarray) -> Tensor:
        small = images[torch.as_tensor(indices)].unsqueeze(1)
        return F.interpolate(small, size, mode="bilinear", align_corners=False).repeat(1, 3, 1, 1)

    black, white = (torch.full((3,), (value - mean) / deviation) for value in (0.0, 1.0))
    return ImageSet("digits", digits.target[in_split].astype(np.int64), 10, take, black=black, white=white)


SOURCE = ImageSource("digits", "scikit-learn's 1,797 handwritten digits, brought to 3 channels and any size", load)
