"""The probe's images as a model wants them: of its size, and normalised as its pretrained weights were trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntknas.core.lazy import F, torch
from ntknas.core.pixel_range import PixelRange
from ntknas.models.library import Wanted

if TYPE_CHECKING:
    from torch import Tensor


def fitted(images: Tensor, pixel_range: PixelRange | None, wanted: Wanted) -> tuple[Tensor, PixelRange | None]:
    """Bring images to the size and the normalisation that a model wants.

    Bilinear interpolation with antialiasing: no pixel leaves the range of the others.

    Args:
        images: N×C×H×W.
        pixel_range: Where black and white lie in them; ``None`` where that is not known, which leaves their
            normalisation as it is.
        wanted: What the model wants.

    Returns:
        The images, and where black and white lie now.
    """
    if wanted.size is not None and wanted.size != tuple(images.shape[-2:]):
        images = F.interpolate(images, wanted.size, mode="bilinear", antialias=True, align_corners=False)
    if pixel_range is None or not wanted.mean:
        return images, pixel_range
    mean, deviation = (torch.tensor(values) for values in (wanted.mean, wanted.deviation))
    normalised = (pixel_range.pixels(images) - mean.view(1, -1, 1, 1)) / deviation.view(1, -1, 1, 1)
    return normalised, PixelRange(-mean / deviation, (1 - mean) / deviation)
