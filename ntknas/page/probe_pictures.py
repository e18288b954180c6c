"""Small pictures of a probe's images, where these are at hand and have the probe's hash."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ntknas.core.errors import NtknasError
from ntknas.store.setting import Setting

if TYPE_CHECKING:
    from ntknas.data import Probe

_SHOWN = 64
_PER_ROW = 16
_MAX_IMAGES, _MAX_SIZE = 10_000, 512
"""A probe that a file says to be larger is not drawn: nobody knows what it would take."""


@dataclass(frozen=True)
class ProbePicture:
    """A probe, as a page shows it.

    Attributes:
        fields: What is known of the probe.
        picture: Its images side by side, as the address of a PNG within the page; empty where there is none.
        text: What the picture shows, or why there is none.
    """

    fields: Mapping[str, object]
    picture: str = ""
    text: str = ""

    @property
    def size(self) -> str:
        """How many images there are and how large they are, in words; empty where that is not known."""
        extents = str(self.fields.get("probe_shape", "")).split("x")
        return f"{extents[0]} images of {extents[2]}×{extents[3]} pixels" if len(extents) == 4 else ""


def picture_of(setting: Setting, images: Path) -> ProbePicture:
    """Return the picture of the probe of a setting.

    Args:
        setting: The setting.
        images: Folder of image sets.
    """
    fields = {name: value for name, value in setting.probe.as_fields().items() if value is not None}
    try:
        probe = _drawn_again(setting, images)
    except NtknasError:
        return ProbePicture(fields, text=f"No pictures: images of {setting.probe.source} are not at hand.")
    if probe is None:
        return ProbePicture(fields, text="No pictures: it is not said how the probe was drawn, or it is too large.")
    if probe.hash != setting.probe.hash:
        return ProbePicture(fields, text="No pictures: the images at hand are others than those of the probe.")
    if probe.pixel_range is None:
        return ProbePicture(fields, text="No pictures: the probe is of noise.")
    shown = min(len(probe), _SHOWN)
    number = f"{shown} of its {len(probe)} images" if shown < len(probe) else "Its images"
    return ProbePicture(fields, _sheet(probe, shown), f"{number}, drawn again: they have the probe's hash.")


def _drawn_again(setting: Setting, images: Path) -> Probe | None:
    from ntknas.data.image_set import Request
    from ntknas.data.probe import make_probe

    known = setting.probe
    needed = (known.source, known.draw, known.seed, known.augmentation, known.pixels, known.size, known.image_size)
    if None in needed or setting.num_classes is None:
        return None
    if not (0 < (known.size or 0) <= _MAX_IMAGES and 0 < (known.image_size or 0) <= _MAX_SIZE):
        return None
    request = Request(
        images,
        known.split or "train",
        known.image_size or 0,
        setting.num_classes,
        known.seed or 0,
        pixels=known.pixels or "",
    )
    return make_probe(known.source or "", known.size or 0, request, known.draw or "", known.augmentation or "")


def _sheet(probe: Probe, shown: int) -> str:
    """Return images side by side as the address of a PNG that holds them."""
    from PIL import Image

    assert probe.pixel_range is not None
    pixels = probe.pixel_range.pixels(probe.images[:shown]).numpy()
    tiles = np.rint(255 * pixels).astype(np.uint8).transpose(0, 2, 3, 1)
    rows = -(-shown // _PER_ROW)
    columns = min(shown, _PER_ROW)
    height, width = tiles.shape[1:3]
    sheet = np.zeros((rows * height, columns * width, 3), np.uint8)
    for place, tile in enumerate(tiles):
        top, left = place // _PER_ROW * height, place % _PER_ROW * width
        sheet[top : top + height, left : left + width] = tile
    content = io.BytesIO()
    Image.fromarray(sheet).save(content, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode('ascii')}"
