"""Pickled batches of images, as the official files of CIFAR and ImageNet16 hold them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ntknas import pickles
from ntknas.core.errors import DataError
from ntknas.pickles import ARRAYS, ByteArray


def read_batch(file: Path, title: str, side: int, key: str, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
    """Read a batch without running anything of it.

    Args:
        file: The file.
        title: Name of the set, for messages.
        side: Height and width of its images.
        key: Key of the labels.
        first: Smallest label.
        last: Largest label.

    Returns:
        Pixels, uint8 n×3×side×side, and labels as they are in the file, int64.

    Raises:
        DataError: If the file is missing, damaged, or not such a batch.
    """
    content = pickles.load(file, ARRAYS)
    entries: dict[object, object] = content if isinstance(content, dict) else {}
    twice = [name for name in ("data", key) if name in entries and name.encode() in entries]
    if twice:
        raise DataError(f"{file} is not a {title} batch: it has two entries {twice[0]!r}. Fetch it again.")
    array = entries.get("data", entries.get(b"data"))
    data = array.content if isinstance(array, ByteArray) else None
    listed = entries.get(key, entries.get(key.encode()))
    labels = listed if isinstance(listed, list) else [None]
    are_classes = all(type(label) is int and first <= label <= last for label in labels)
    if data is None or not are_classes or data.shape != (len(labels), 3 * side**2):
        raise DataError(
            f"{file} is not a {title} batch: expected 'data' (uint8, n×{3 * side**2}) and n '{key}' from {first} to "
            f"{last}. Fetch it again."
        )
    return data.reshape(-1, 3, side, side), np.asarray(labels, dtype=np.int64)
