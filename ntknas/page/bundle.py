"""The data of a page as one packed text, in which nothing can be taken for markup."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping

import numpy as np

ARRAY = "$array"
"""Key of an object that stands in the JSON for an array: its value is the place in the list of arrays."""
_ALIGNMENT = 8
"""Bytes at whose multiples arrays begin, as JavaScript's typed arrays must."""
_INTEGERS = ("u1", "u2", "i4")
_FLOAT32 = np.finfo(np.float32)


def packed(content: bytes) -> str:
    """Return bytes compressed, in the 64 letters that mean nothing to HTML.

    Args:
        content: The bytes.

    Returns:
        The letters.
    """
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode("ascii")


def bundle(data: object) -> bytes:
    """Return plain data with arrays in it as bytes: the length of a JSON text, the text, and the arrays behind it.

    Args:
        data: Mappings, lists, texts, numbers and one-dimensional arrays of numbers, which are kept in the smallest type
            that tells them apart well enough to be drawn.

    Returns:
        The bytes.

    Raises:
        ValueError: If a number outside of arrays is none.
        TypeError: If something is no such data.
    """
    arrays: list[np.ndarray] = []
    plain = _without_arrays(data, arrays)
    entries, offset = [], 0
    for array in arrays:
        entries.append({"type": array.dtype.str[1:], "offset": offset, "length": len(array)})
        offset += len(_padded(array.tobytes()))
    text = json.dumps({"data": plain, "arrays": entries}, allow_nan=False).encode()
    head = len(text).to_bytes(4, "little") + text
    return _padded(head) + b"".join(_padded(array.tobytes()) for array in arrays)


def _padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % _ALIGNMENT)


def _without_arrays(data: object, arrays: list[np.ndarray]) -> object:
    """Return data in which an object with a place stands for each array, and take the arrays in."""
    if isinstance(data, np.ndarray):
        arrays.append(_small(data))
        return {ARRAY: len(arrays) - 1}
    if isinstance(data, Mapping):
        if ARRAY in data:
            raise TypeError(f"a key {ARRAY} stands for an array: name it otherwise")
        return {str(key): _without_arrays(value, arrays) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_without_arrays(value, arrays) for value in data]
    return data


def _small(array: np.ndarray) -> np.ndarray:
    """Return an array in the smallest type that holds it; little-endian, as every browser's are."""
    if array.dtype.kind in "iub":
        fitting = (kind for kind in _INTEGERS if _fits(array, np.iinfo(kind)))
        return array.astype(f"<{next(fitting, 'f8')}")
    known = np.abs(array[np.isfinite(array) & (array != 0)])
    is_small = not len(known) or (known.max() < _FLOAT32.max and known.min() > _FLOAT32.tiny)
    return array.astype("<f4" if is_small else "<f8")


def _fits(array: np.ndarray, limits: np.iinfo) -> bool:
    return not len(array) or bool(limits.min <= array.min() and array.max() <= limits.max)
