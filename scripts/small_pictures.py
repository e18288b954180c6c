"""Pictures of docs/ as small files: of line drawings 256 colours are all that there is to see.

    python scripts/small_pictures.py FILE.png ...

A file stays as it is where fewer colours would show, or would not make it smaller.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from ntknas.report.plotter import Specification, draw

COLOURS = 256
MAX_ERROR = 3.0
"""Mean difference of a pixel's colours, of 255, in the worst of the blocks, below which none is seen."""
BLOCK = 16


def draw_small(specification: Specification, path: Path) -> Path:
    """Draw a figure as a small PNG.

    Args:
        specification: What it shows.
        path: The file.

    Returns:
        The file.
    """
    shrink(draw(specification, path))
    return path


def shrink(path: Path) -> bool:
    """Write a PNG with a palette where that is smaller and does not show.

    Args:
        path: The file.

    Returns:
        Whether it was written.
    """
    with Image.open(path) as opened:
        before = opened.convert("RGB")
    after = before.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    content = io.BytesIO()
    after.save(content, "png", optimize=True)
    if len(content.getvalue()) >= path.stat().st_size or _difference(before, after.convert("RGB")) > MAX_ERROR:
        return False
    path.write_bytes(content.getvalue())
    return True


def _difference(before: Image.Image, after: Image.Image) -> float:
    """Return the mean difference of colours in the block of pixels where it is largest."""
    error = np.abs(np.asarray(before, np.float64) - np.asarray(after, np.float64)).mean(2)
    rows, columns = (size // BLOCK * BLOCK for size in error.shape)
    blocks = error[:rows, :columns].reshape(rows // BLOCK, BLOCK, columns // BLOCK, BLOCK).mean((1, 3))
    return float(blocks.max(initial=error.mean()))


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(name, "smaller" if shrink(Path(name)) else "as it is")
