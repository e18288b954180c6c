"""The images of a probe side by side, as one small picture."""

from __future__ import annotations

import io

import numpy as np

from ntknas.data.probe import Probe

SHOWN = 64
PER_ROW = 16


def png_of(probe: Probe, most: int = SHOWN) -> bytes | None:
    """Return the first images of a probe as a PNG, 16 in a row; ``None`` where its images have no pixels from 0 to 1.

    Args:
        probe: The probe.
        most: How many images at most.
    """
    from PIL import Image

    if probe.pixel_range is None:
        return None
    pixels = probe.pixel_range.pixels(probe.images[:most]).numpy()
    tiles = np.rint(255 * pixels).astype(np.uint8).transpose(0, 2, 3, 1)
    rows, columns = -(-len(tiles) // PER_ROW), min(len(tiles), PER_ROW)
    height, width = tiles.shape[1:3]
    sheet = np.zeros((rows * height, columns * width, 3), np.uint8)
    for place, tile in enumerate(tiles):
        top, left = place // PER_ROW * height, place % PER_ROW * width
        sheet[top : top + height, left : left + width] = tile
    content = io.BytesIO()
    Image.fromarray(sheet).save(content, "PNG", optimize=True)
    return content.getvalue()
