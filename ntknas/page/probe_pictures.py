"""Small pictures of a probe's images, where these are at hand and have the probe's hash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ntknas.core.errors import NtknasError
from ntknas.core.html import address_of
from ntknas.data.sheet import SHOWN, png_of
from ntknas.store.setting import Setting

if TYPE_CHECKING:
    from ntknas.data import Probe

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
    picture = png_of(probe)
    if picture is None:
        return ProbePicture(fields, text="No pictures: the probe is of noise.")
    shown = min(len(probe), SHOWN)
    number = f"{shown} of its {len(probe)} images" if shown < len(probe) else "Its images"
    return ProbePicture(fields, address_of(picture), f"{number}, drawn again: they have the probe's hash.")


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
