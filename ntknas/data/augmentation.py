"""Augmentation of a probe, for recipes that take it from an augmented training loader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntknas.core.lazy import F, torch

if TYPE_CHECKING:
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
        black: What a black pixel is after normalisation, one value per channel.
        seed: Seed of flips and crops.

    Returns:
        The changed images.
    """
    generator = torch.Generator().manual_seed(seed)  # on the CPU, so that every device draws the same
    device = images.device
    count, _, height, width = images.shape
    flips = (torch.rand(count, generator=generator) < 0.5).to(device)
    images = torch.where(flips.view(-1, 1, 1, 1), images.flip(-1), images)
    padding = height // _PADDING_SHARE
    dark = black.to(images).view(1, -1, 1, 1)
    padded = F.pad(images - dark, [padding] * 4) + dark  # F.pad takes one value, and black is one per channel
    rows, columns = (torch.randint(2 * padding + 1, (count,), generator=generator).to(device) for _ in range(2))
    at_row = (rows[:, None] + torch.arange(height, device=device))[:, None, :, None]
    at_column = (columns[:, None] + torch.arange(width, device=device))[:, None, None, :]
    sample, channel = (torch.arange(n, device=device) for n in padded.shape[:2])
    return padded[sample[:, None, None, None], channel[None, :, None, None], at_row, at_column]
