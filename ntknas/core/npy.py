"""Reads arrays of ``.npz`` archives with no more memory than the archive says that they fill."""

from __future__ import annotations

import math
import tokenize
import zipfile
from typing import IO

import numpy as np

from ntknas.core.errors import DataError
from ntknas.core.unpacking import UNPACKING_ERRORS

ARCHIVE_ERRORS = (*UNPACKING_ERRORS, TypeError, LookupError, AttributeError, SyntaxError, tokenize.TokenError)
"""What reading a damaged archive raises, beside ``DataError``."""

_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def member_names(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the arrays of an archive by name.

    Args:
        archive: The archive.

    Returns:
        Their places in it.

    Raises:
        DataError: If two have one name.
    """
    members: dict[str, zipfile.ZipInfo] = {}
    for entry in archive.infolist():
        name = entry.filename.removesuffix(".npy")
        if name in members:
            raise DataError(f"it has two arrays named {name!r}: which one counts is not said")
        members[name] = entry
    return members


def read_member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, max_bytes: int) -> np.ndarray:
    """Read an array, of numbers or texts and not of objects.

    Args:
        archive: The archive.
        entry: The array's place in it.
        max_bytes: Bytes that it may have.

    Returns:
        The array.

    Raises:
        DataError: If it is larger or of objects, or its header asks for more than there is; one of ``ARCHIVE_ERRORS``
            if damaged.
    """
    if entry.file_size > max_bytes:
        raise DataError(f"{entry.filename!r} is of {entry.file_size:,} bytes, expected at most {max_bytes:,}")
    with archive.open(entry) as stream:
        shape, fortran, dtype = _header(stream)
        size = dtype.itemsize * math.prod(shape)  # np.prod wraps round, and a huge shape would look small
        if dtype.hasobject:
            raise DataError(
                f"{entry.filename!r} is an array of Python objects, which are not read: save numbers or texts, such as "
                "np.array(list(column))"
            )
        if size > entry.file_size:
            raise DataError(f"{entry.filename!r} is an array of {dtype} {shape}, which it has no room for")
        content = stream.read(size)
        if stream.read(1):
            raise DataError(f"{entry.filename!r} holds something after its array")
    return np.frombuffer(content, dtype, math.prod(shape)).reshape(shape, order="F" if fortran else "C")


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    version = np.lib.format.read_magic(stream)
    if version not in _HEADERS:
        raise DataError(f"it holds an array in the unknown format {version}")
    shape, fortran, dtype = _HEADERS[version](stream)
    if any(type(length) is not int or length < 0 for length in shape):
        raise DataError(f"it holds an array of the impossible shape {shape}")
    return shape, fortran, dtype
