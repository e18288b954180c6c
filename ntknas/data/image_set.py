"""Labelled images, and what is asked of a source of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ntknas.core.lazy import torch
from ntknas.core.shown import Shown, counted

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, repr=False)
class ImageSet(Shown):
    """Labelled images.

    Attributes:
        name: Name of the source.
        labels: Class of each image, int64.
        num_classes: Number of classes.
        take: Returns the images at some places, normalised, float32, n×3×H×W.
        note: What a user should know, such as missing batches; else empty.
        black: What a black pixel is after normalisation, one value per channel.
        white: The same of a white one; ``None`` where images have no pixels from 0 to 1.
    """

    name: str
    labels: np.ndarray
    num_classes: int
    take: Callable[[np.ndarray], Tensor] = field(repr=False)
    note: str = ""
    black: Tensor = field(default_factory=lambda: torch.zeros(3), repr=False)
    white: Tensor | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.labels)

    def _line(self) -> str:
        return f"{self.name}: {counted(len(self), 'image')} of {counted(self.num_classes, 'class', 'classes')}"


@dataclass(frozen=True)
class Request:
    """What is asked of a source.

    Attributes:
        root: Folder that holds the images; a string will do.
        split: ``train`` or ``test``.
        image_size: Height and width for sources that can make any.
        num_classes: Number of classes for sources that can make any.
        seed: For sources that draw their images.
        size: Number of images for sources that draw their images.
        download: Whether missing images may be fetched.
        pixels: Normalisation constants, a key of ``pixels.NORMALISATIONS``, for sources that are stored as pixels.
    """

    root: Path = Path("image_data")
    split: str = "train"
    image_size: int = 32
    num_classes: int = 10
    seed: int = 0
    size: int = 64
    download: bool = False
    pixels: str = "nas-bench-201"

    def __post_init__(self) -> None:
        """Take a folder's name for the folder."""
        object.__setattr__(self, "root", Path(self.root))
