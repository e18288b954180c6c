"""Augmentation of a probe, for recipes that take it from an augmented training loader."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

AUGMENTATIONS = {
    "none": "the images as they are",
    "crop-flip": "each flipped at random, padded by black pixels (an eighth of its size) and cropped at random",
}
_PADDING_SHARE = 8  # 4 pixels of 32, 2 of 16, as in the published training of NAS-Bench-201


def augment(images: Tensor, black: Tensor, seed: int) -> Tensor:
    """Flip and crop images at random, each by itself: ``crop-flip``.

    Args:
        images: Normalised images, N×C×H×W.
        black: What a black pixel is after normalisation, one value a channel.
        seed: Seed of flips and crops.
    """
    generator = torch.Generator().manual_seed(seed)
    count, _, height, width = images.shape
    flips = torch.rand(count, generator=generator) < 0.5
    images = torch.where(flips.view(-1, 1, 1, 1), images.flip(-1), images)
    padding = height // _PADDING_SHARE
    dark = black.view(1, -1, 1, 1)
    padded = F.pad(images - dark, [padding] * 4) + dark
    rows, columns = (torch.randint(2 * padding + 1, (count,), generator=generator) for _ in range(2))
    crops = [
        image[:, row : row + height, column : column + width]
        for image, row, column in zip(padded, rows.tolist(), columns.tolist(), strict=True)
    ]
    return torch.stack(crops)
