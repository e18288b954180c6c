"""Files of tfrecords, without TensorFlow: each record behind its length, both with masked CRC-32C checksums."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from ntknas.core.errors import DataError
from ntknas.core.extras import is_installed, require
from ntknas.core.regular_file import open_regular

SUFFIX = ".tfrecord"
EXTRA = "nb101"
_LENGTH = struct.Struct("<Q")
_CHECKSUM = struct.Struct("<I")
_HEADER = _LENGTH.size + _CHECKSUM.size
_MAX_LENGTH = 1 << 20
_MASK = 0xA282EAD8  # kMaskDelta of TensorFlow's format


def recognises(path: Path) -> bool:
    """Return whether a file starts with a sound record header; its name decides where checksums cannot be taken."""
    if not path.is_file():
        return False
    if not is_installed("crc32c"):
        return path.suffix == SUFFIX  # whoever reads it is told what to install
    with open_regular(path) as stream:
        header = stream.read(_HEADER)
    return len(header) == _HEADER and masked_checksum(header[: _LENGTH.size]) == header[_LENGTH.size :]


def read_records(path: Path, advance: Callable[[int], None] = lambda count: None) -> Iterator[bytes]:
    """Yield the records of a file, checksums compared.

    Args:
        path: The file.
        advance: Called with the number of bytes of each record.

    Yields:
        The content of each record.

    Raises:
        DataError: If a checksum is wrong, a record is too long, or the file is cut off.
        NtknasError: If the package that checksums are taken with is not installed.
    """
    remaining = path.stat().st_size
    with open_regular(path) as stream:
        number = 0
        while remaining:
            header = stream.read(_HEADER)
            if len(header) < _HEADER:
                raise DataError(f"record {number}: the file is cut off in its header")
            if masked_checksum(header[: _LENGTH.size]) != header[_LENGTH.size :]:
                raise DataError(f"record {number}: its length has a wrong checksum")
            (length,) = _LENGTH.unpack_from(header)
            framed_length = _HEADER + length + _CHECKSUM.size
            if framed_length > remaining or length > _MAX_LENGTH:
                raise DataError(f"record {number}: the file is cut off, or the record is too long ({length:,} bytes)")
            content = stream.read(length)
            if masked_checksum(content) != stream.read(_CHECKSUM.size):
                raise DataError(f"record {number}: wrong checksum")
            yield content
            remaining -= framed_length
            number += 1
            advance(framed_length)


def framed(content: bytes) -> bytes:
    """Return a record as it stands in a file.

    Example:
        >>> framed(b"abc").hex(" ")
        '03 00 00 00 00 00 00 00 b0 99 49 0e 61 62 63 6e 57 f1 21'
    """
    length = _LENGTH.pack(len(content))
    return length + masked_checksum(length) + content + masked_checksum(content)


def masked_checksum(content: bytes) -> bytes:
    """Return the checksum that stands behind a length or a content.

    Raises:
        NtknasError: If the package that it is taken with is not installed.
    """
    plain = int(require("crc32c", EXTRA).crc32c(content))
    return _CHECKSUM.pack((((plain >> 15) | (plain << 17)) + _MASK) & 0xFFFFFFFF)
